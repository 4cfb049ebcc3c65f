"""The largest mean ARI that a rule can reach which does not see the planted communities.

A rule that picks one of several partitions of a map cannot do better, on average over maps, than
the one that knows how the maps were generated and picks the partition with the largest expected
ARI given the map. That expectation is over the posterior distribution of the communities, which is
sampled here. The sampler is also given the number and the sizes of the communities, and begins at
the true ones. Both can only raise the figure, so it stays an upper bound:

- More knowledge cannot lower what the best rule reaches.
- The true communities are a draw from their posterior, and the sampler leaves the posterior as it
  is, so each of its states is a draw too, however slowly it moves. The largest mean ARI over draws
  is therefore, in expectation, at least the largest expected ARI (Jensen's inequality); with fast
  mixing and many draws it is equal.
"""

from collections.abc import Sequence

import numpy as np

import harness
from harness import Floats, Integers


def attainable_ari(
    weights: Floats,
    truth: Integers,
    candidates: Sequence[Integers],
    *,
    signal: float,
    spread: float,
    seed: int,
    chains: int = 8,
    sweeps: int = 60,
) -> Floats:
    """Return the expected ARI of each candidate given the map, (candidates,).

    The mean over maps of the largest is the bound. weights (n, n) and truth (n,) are those of a
    map of `planted` without hubs, locality and asymmetry, and with this signal and spread. The
    sampler (Metropolis) proposes n swaps of two nodes a sweep, in each of the chains; draws are
    taken after every sweep.
    """
    pairs, strengths = evidence(weights, spread)
    random = np.random.default_rng(seed)
    states = np.tile(truth, (chains, 1))
    # The weight of each node's pairs with each community, (chains, n, communities).
    fields = np.stack([pairs @ np.eye(truth.max() + 1)[state] for state in states])
    sizes = np.bincount(truth)
    draws = []
    for _ in range(sweeps):
        for _ in range(len(truth)):
            _swap(states, fields, pairs, strengths, sizes, signal, random)
        draws.append(states.copy())
    return np.asarray(adjusted_rand(np.array(candidates), np.concatenate(draws)).mean(axis=1))


def evidence(weights: Floats, spread: float) -> tuple[Floats, Floats]:
    """Return what a map says of each pair (n, n) and of each node (n,).

    With c the communities' numbers, sizes fixed, the log-likelihood of a map is, but for a
    constant, signal · (Σᵢ<ⱼ pairs δ(cᵢ, cⱼ) − Σᵢ strengthsᵢ · size of cᵢ). Softmax hides a shift of
    each row's logits, so they are centred by row; the columns' normal effects are integrated out.
    """
    n = len(weights)
    logits = np.log(np.asarray(weights, dtype=np.float64))
    logits -= logits.mean(axis=1, keepdims=True)
    shrinkage = 1 / (n + 1 / spread**2) if spread else 0.0
    pairs = logits + logits.T
    np.fill_diagonal(pairs, 0.0)
    return pairs, shrinkage * logits.sum(axis=0)


def _swap(
    states: Integers,
    fields: Floats,
    pairs: Floats,
    strengths: Floats,
    sizes: Integers,
    signal: float,
    random: np.random.Generator,
) -> None:
    """Propose in every chain to swap the communities of two nodes; changes states and fields."""
    chains = np.arange(len(states))
    first, second = random.integers(0, states.shape[1], (2, len(states)))
    a, b = states[chains, first], states[chains, second]
    gain = fields[chains, first, b] - fields[chains, first, a]
    gain += fields[chains, second, a] - fields[chains, second, b]
    gain -= 2 * pairs[first, second]
    gain -= (strengths[first] - strengths[second]) * (sizes[b] - sizes[a])
    accepted = (a != b) & (np.log(1 - random.random(len(states))) < signal * gain)
    chains, first, second, a, b = (each[accepted] for each in (chains, first, second, a, b))
    states[chains, first], states[chains, second] = b, a
    change = pairs[second] - pairs[first]
    fields[chains, :, a] += change
    fields[chains, :, b] -= change


def adjusted_rand(partitions: Integers, others: Integers) -> Floats:
    """Return the ARI of partitions (p, n) with others (q, n), (p, q).

    Hubert and Arabie 1985; the contingency tables of all pairs are blocks of one product.
    """
    n = partitions.shape[1]
    first, starts = _memberships(partitions)
    second, other_starts = _memberships(others)
    squares = np.add.reduceat(
        np.add.reduceat((first @ second.T) ** 2, starts), other_starts, axis=1
    )
    shared = (squares - n) / 2
    counts = (np.add.reduceat(first.sum(axis=1) ** 2, starts) - n) / 2
    other_counts = (np.add.reduceat(second.sum(axis=1) ** 2, other_starts) - n) / 2
    expected = np.outer(counts, other_counts) / (n * (n - 1) / 2)
    largest = (counts[:, None] + other_counts) / 2
    trivial = ~harness.exceeds(np.abs(largest - expected), 0)
    return np.where(trivial, 1.0, (shared - expected) / np.where(trivial, 1.0, largest - expected))


def _memberships(partitions: Integers) -> tuple[Floats, Integers]:
    """Which nodes each cluster has, (clusters of all partitions, n), and where each one begins."""
    members = [np.unique(each)[:, None] == each for each in partitions]
    starts = np.cumsum([0, *(len(each) for each in members[:-1])])
    return np.concatenate(members).astype(np.float64), starts
