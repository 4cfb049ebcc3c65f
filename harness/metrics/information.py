"""Mutual information of partitions, and what chance lets expect of it."""

import math

import numpy as np

from harness.metrics.jaccard import Labels
from harness.metrics.partition import unassigned_as_singletons
from harness.plugin.values import Floats, Integers


def adjusted_mutual_information(first: Labels, second: Labels) -> float:
    """Compute the adjusted mutual information of two partitions of n nodes.

    (I − E) / (mean(H₁, H₂) − E), where E is the mean of I over random relabellings that keep the
    sizes of all clusters. 1 for equal partitions, 0 for chance, and 0 where only one of them is
    trivial, that is one cluster of all nodes or singletons only. Unassigned nodes are singletons.

    scikit-learn has it too, and takes longer to import than most leaderboards to be made.

    References
    ----------
    Vinh, Epps and Bailey 2010, "Information theoretic measures for clusterings comparison".
    """
    n = len(first)
    rows, columns = unassigned_as_singletons(first), unassigned_as_singletons(second)
    row_sizes, column_sizes = np.bincount(rows), np.bincount(columns)
    counts = len(row_sizes), len(column_sizes)
    if {1, n}.intersection(counts):
        return float(counts[0] == counts[1])
    # n·I = n log n + Σ x log x over cells of the table − Σ a log a − Σ b log b over clusters.
    products = n_log_n(n)
    _, shared = np.unique(rows * counts[1] + columns, return_counts=True)
    own, other = products[row_sizes].sum(), products[column_sizes].sum()
    information = math.log(n) + (products[shared].sum() - own - other) / n
    entropy = math.log(n) - (own + other) / (2 * n)
    sizes, of_size = np.unique(np.concatenate([row_sizes, column_sizes]), return_inverse=True)
    numbers = [np.bincount(each, minlength=len(sizes)) for each in np.split(of_size, [counts[0]])]
    by_chance = numbers[0] @ expected_information(sizes, n) @ numbers[1]
    return float((information - by_chance) / (entropy - by_chance))


def n_log_n(most: int) -> Floats:
    """x log x for 0 … most, (most + 1,)."""
    numbers = np.arange(most + 1, dtype=np.float64)
    return numbers * np.log(np.maximum(numbers, 1))


def expected_information(sizes: Integers, n: int) -> Floats:
    """Σ_x x/n log(n x / (a b)) P(x) for clusters of sizes a and b, (sizes, sizes)."""
    # scipy.special has it for arrays, and takes longer to import.
    factorials = np.array([math.lgamma(number + 1) for number in range(n + 1)])

    def log_choose(total: Integers, count: Integers) -> Floats:
        return np.asarray(factorials[total] - factorials[count] - factorials[total - count])

    found = np.zeros((len(sizes), len(sizes)))
    for index, size in enumerate(sizes.tolist()):
        # The number x of shared nodes is hypergeometric. The other half follows by symmetry.
        others = sizes[: index + 1, None]
        x = np.arange(1, int(size) + 1)
        possible = (x <= others) & (size - x <= n - others)
        inside = np.where(possible, x, np.maximum(size - (n - others), 0))
        ways = log_choose(others, inside) + log_choose(n - others, size - inside)
        chance = np.exp(ways - log_choose(np.array(n), np.array(size)))
        terms = inside / n * np.log(np.maximum(n * inside, 1) / (size * others)) * chance
        total = np.where(possible, terms, 0).sum(axis=1)
        found[index, : index + 1] = found[: index + 1, index] = total
    return found
