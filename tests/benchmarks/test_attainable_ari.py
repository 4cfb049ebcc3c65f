"""The bound on the ARI of any rule that does not see the truth, against enumeration."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pytest
from attainable_ari import adjusted_rand, attainable_ari, evidence
from scipy.stats import multivariate_normal
from sklearn.metrics import adjusted_rand_score

from harness import Floats, Integers

N, SIGNAL, SPREAD = 5, 0.6, 0.6
TRUTH = np.array([0, 0, 1, 1, 1])


def a_map(seed: int = 0, truth: Integers = TRUTH) -> Floats:
    """A map of two communities, made as `planted` makes it."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(N, N)) + SPREAD * random.normal(size=N)
    logits += SIGNAL * (truth[:, None] == truth)
    weights = np.exp(logits)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def arrangements() -> Iterator[Integers]:
    """Every partition with the true sizes, each once."""
    for labels in sorted(set(permutations(TRUTH.tolist()))):
        yield np.array(labels)


def log_density(weights: Floats, labels: Integers) -> float:
    """That of the map's centred logits, from the mean and covariance of all n² logits."""
    centring = np.eye(N) - 1 / N
    centred = np.kron(np.eye(N), centring)
    covariance = np.eye(N * N) + SPREAD**2 * np.kron(np.ones((N, N)), np.eye(N))
    mean = centred @ (SIGNAL * (labels[:, None] == labels)).ravel()
    observed = centred @ np.log(weights).ravel()
    return float(
        multivariate_normal.logpdf(
            observed - mean, cov=centred @ covariance @ centred, allow_singular=True
        )
    )


def posterior(weights: Floats) -> Floats:
    """The probability of each arrangement given the map."""
    logs = np.array([log_density(weights, labels) for labels in arrangements()])
    odds = np.exp(logs - logs.max())
    return np.asarray(odds / odds.sum())


def test_the_evidence_gives_the_likelihood_up_to_a_constant() -> None:
    weights = a_map()
    pairs, strengths = evidence(weights, SPREAD)

    differences = []
    for labels in arrangements():
        together = np.triu(labels[:, None] == labels, 1)
        sizes = np.bincount(labels)[labels]
        log_likelihood = SIGNAL * ((pairs * together).sum() - strengths @ sizes)
        differences.append(log_likelihood - log_density(weights, labels))

    assert np.ptp(differences) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", [0, 1])
def test_expected_ari_is_that_of_enumerating_all_arrangements(seed: int) -> None:
    weights = a_map(seed)
    candidates = [TRUTH, np.array([0, 1, 0, 1, 1]), np.zeros(N, dtype=int), np.arange(N)]
    probability = posterior(weights)
    exact = [
        sum(
            p * adjusted_rand_score(labels, candidate)
            for p, labels in zip(probability, arrangements(), strict=True)
        )
        for candidate in candidates
    ]

    found = attainable_ari(
        weights, TRUTH, candidates, signal=SIGNAL, spread=SPREAD, seed=0, chains=40, sweeps=250
    )

    assert found == pytest.approx(exact, abs=0.03)


def test_a_sampler_that_hardly_moves_only_raises_the_bound() -> None:
    candidates = list(arrangements())
    indices = adjusted_rand(np.array(candidates), np.array(candidates))
    ideal, bound = [], []
    for seed in range(60):
        truth = np.random.default_rng(seed).permutation(TRUTH)
        weights = a_map(seed, truth)
        ideal.append((indices @ posterior(weights)).max())
        expected = attainable_ari(
            weights, truth, candidates, signal=SIGNAL, spread=SPREAD, seed=0, chains=2, sweeps=2
        )
        bound.append(expected.max())

    assert np.mean(bound) > np.mean(ideal)


def test_all_adjusted_rand_indices_are_scikit_learns() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 4, (3, 30)), random.integers(0, 3, (2, 30))
    first[0] = 0
    second[0] = 0

    found = adjusted_rand(first, second)

    expected = [[adjusted_rand_score(a, b) for b in second] for a in first]
    assert found == pytest.approx(np.array(expected))
