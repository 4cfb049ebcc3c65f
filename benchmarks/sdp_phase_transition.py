"""The phase transition of the SDP on sparse random graphs with two planted groups.

    OMP_NUM_THREADS=1 python benchmarks/sdp_phase_transition.py [--nodes 1000] [--out FOLDER]

Two groups of equal size, n nodes, edges with probability a/n inside and b/n across; mean degree
d = (a + b)/2 and signal λ = (a − b)/√(2(a + b)). No method can tell the groups below λ = 1. The
overlap is |Σ_i sign(σ_i·u)·truth_i|/n, with u the spins' main axis, over all nodes, isolated ones
and those outside the giant component included: they are guessed. Prints a table and writes
sdp-phase-transition.svg, for which the extra `figures` has to be installed.
"""

import argparse
import math
from pathlib import Path

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp import solve_spins

SIGNALS = (0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0)
DEGREES = (5, 10)
DRAWS = 4
TOLERANCE = 1e-3


def overlap(nodes: int, degree: float, signal: float, seed: int) -> float:
    """How far the spins' main axis parts the planted groups, 0 … 1."""
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import connected_components

    generator = np.random.default_rng(seed)
    truth = np.repeat([1, -1], nodes // 2)
    half = signal * math.sqrt(degree)
    inside, across = (degree + half) / nodes, (degree - half) / nodes
    sources, targets = [], []
    for chance, first, second in (
        (inside, 0, 0),
        (inside, nodes // 2, nodes // 2),
        (across, 0, nodes // 2),
    ):
        count = generator.binomial((nodes // 2) ** 2, chance / (1 if first != second else 2))
        sources.append(first + generator.integers(nodes // 2, size=count))
        targets.append(second + generator.integers(nodes // 2, size=count))
    ends = np.concatenate(sources), np.concatenate(targets)
    apart = ends[0] != ends[1]
    edges = coo_array((np.ones(apart.sum()), (ends[0][apart], ends[1][apart])), (nodes, nodes))
    weights = csr_array(((edges + edges.T) > 0).astype(np.float64))
    _, components = connected_components(weights)
    giant = np.flatnonzero(components == np.bincount(components).argmax())
    spins = solve_spins(weights[giant][:, giant], tolerance=TOLERANCE, max_iterations=400).spins
    axis = np.linalg.eigh(spins.T @ spins)[1][:, -1]
    guess = generator.choice([-1, 1], nodes)
    guess[giant] = np.where(spins @ axis > 0, 1, -1)
    return abs(int(guess @ truth)) / nodes


def draw(found: dict[int, Floats], nodes: int, path: Path) -> None:
    """The figure: mean overlap over the signal, with its standard error."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5.2, 3.2), layout="constrained")
    for degree, marker in zip(found, "os", strict=True):
        values = found[degree]
        error = values.std(axis=1, ddof=1) / math.sqrt(values.shape[1])
        axes.errorbar(
            SIGNALS,
            values.mean(axis=1),
            error,
            marker=marker,
            ms=4,
            capsize=2,
            label=f"d = {degree}",
        )
    axes.axvline(1.0, color="grey", lw=0.8, ls="--")
    axes.annotate("λ = 1: no method finds\nthe groups below", (0.98, 0.75), ha="right", fontsize=8)
    axes.set(xlabel="signal λ", ylabel="overlap with the planted groups", ylim=(0, 1))
    axes.set_title(f"{nodes} nodes, {values.shape[1]} graphs a point", fontsize=9)
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Print the table and write the figure."""
    parser = argparse.ArgumentParser(description="Measure the SDP's phase transition.")
    parser.add_argument("--nodes", type=int, default=1000, help="even")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    found = {
        degree: np.array(
            [
                [overlap(arguments.nodes, degree, signal, seed) for seed in range(arguments.draws)]
                for signal in SIGNALS
            ]
        )
        for degree in DEGREES
    }
    print("λ      " + "   ".join(f"d = {degree}       " for degree in found))
    for row, signal in enumerate(SIGNALS):
        cells = (f"{values[row].mean():.3f} ± {values[row].std():.3f}" for values in found.values())
        print(f"{signal:<5}  " + "   ".join(cells))
    draw(found, arguments.nodes, arguments.out / "sdp-phase-transition.svg")


if __name__ == "__main__":
    main()
