"""How fast the spin solver is: beside a general solver, and beside the paper's coordinate loop.

    OMP_NUM_THREADS=1 python benchmarks/sdp_speed.py reference   # minutes: SCS takes its time
    OMP_NUM_THREADS=1 python benchmarks/sdp_speed.py loop [--maps FILE.npz]
    OMP_NUM_THREADS=1 python benchmarks/sdp_speed.py gaps [--maps FILE.npz] [--every 4]
    OMP_NUM_THREADS=1 python benchmarks/sdp_speed.py modularity [--maps FILE.npz] [--every 4]

reference: a geometric graph of 196 nodes and a block model of 576, solved to a relative gap and
an imbalance of 1e-6 by SCS through cvxpy (its compilation included) and by the spins, which
certify it. loop: coordinate ascent in plain numpy, which stops when no squared change of a spin
exceeds 1e-4, and the spins to a certified gap of 1e-4, solved together, on the graphs of attention
maps at all 32 levels; then what embedding and HDBSCAN take. gaps: what is certified at the
solver's default settings, and when 1e-8 is asked for. modularity: the clusterers' modularity
beside Louvain's.

Maps are those of fashion-mnist-sample unless a file holds others. Seconds are of the process, so
that other work on the machine counts less; ratios are of one run.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import networkx
import numpy as np
from one_thread import require_one_thread
from thesis_methods import ascend

import harness
from harness import Floats
from harness_plugins.clusterers.sdp import embed, solve_reference, solve_spins
from harness_plugins.clusterers.sdp.embedding_clustering import EmbeddingClustering
from harness_plugins.clusterers.sdp.programme import Balance
from harness_plugins.clusterers.sdp.spins import SpinSolution, solve_all

LEVELS = 32
RANK = 40
TOLERANCE = 1e-4
ROUNDS = 5
MAPS_TIMED = 4
FEWEST_NODES = 10


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """The median time of the process for some work."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def attention_maps(path: Path | None) -> dict[str, Floats]:
    """Maps (n, n) by name: those of a file, or Fashion-MNIST's."""
    if path is not None:
        with np.load(path, allow_pickle=False) as stored:
            return {name: np.asarray(stored[name], dtype=np.float64) for name in stored}
    images = harness.make("image set", "fashion-mnist-sample")
    extractor = harness.make("extractor", "one-layer-vit[checkpoint=fashion-mnist-one-head]")
    return {
        found.image: np.asarray(found.weights, dtype=np.float64)
        for found in extractor.extract(images.load(key) for key in images.keys())
    }


def graphs_of(weights: Floats) -> list[harness.Graph]:
    """A map's graphs at all levels."""
    builder = harness.make("graph builder", "threshold")
    attention = harness.AttentionMap(weights)
    return list(builder.build(attention, builder.levels(attention, LEVELS)))


def programmes_of(graphs: Iterable[harness.Graph]) -> list[Any]:
    """The weights of every connected component that the clusterer would solve."""
    programmes = []
    for graph in graphs:
        weights = graph.symmetric_binary()
        for component in range(graph.components.max() + 1):
            nodes = np.flatnonzero(graph.components == component)
            if len(nodes) >= FEWEST_NODES:
                programmes.append(weights[nodes][:, nodes])
    return programmes


def solved(programmes: Sequence[Any], balance: Balance) -> list[SpinSolution]:
    """The spins of all levels, solved together to a certified gap of 1e-4."""
    return solve_all(
        programmes,
        rank=RANK,
        balance=balance,
        gamma=None,
        tolerance=TOLERANCE,
        max_iterations=5000,
        seed=0,
    )


def coordinate_loop(weights: Any) -> Floats:
    """Unit spins (n, 40) by the paper's loop."""
    return ascend(np.split(weights.indices, weights.indptr[1:-1]), seed=0)[0]


def reference() -> None:
    """Seconds to 1e-6 by SCS and by the spins."""
    examples = {
        "geometric": (networkx.random_geometric_graph(196, 0.16, seed=1), 3),
        "block model": (networkx.planted_partition_graph(4, 144, 0.1, 0.02, seed=1), 1),
    }
    print("graph         nodes   SCS s  spins s  ratio  SCS objective  spins' objective  gap")
    for name, (graph, rounds) in examples.items():
        weights = networkx.to_scipy_sparse_array(graph, weight=None, dtype=float)
        exact: list[float] = []
        slow = seconds(
            lambda w=weights, e=exact: e.append(solve_reference(w, accuracy=1e-6)[0]), rounds
        )
        solution = solve_spins(weights)
        fast = seconds(lambda w=weights: solve_spins(w), ROUNDS)
        print(
            f"{name:12}  {weights.shape[0]:5}  {slow:6.2f}  {fast:7.4f}  {slow / fast:5.0f}"
            f"  {exact[-1]:13.5f}  {solution.objective:16.5f}  {solution.gap:.1e}"
        )


def loop(maps: dict[str, Floats]) -> None:
    """Seconds for all levels of a map by the coordinate loop and by the spins."""
    print(
        "map                loop s  exact s  ratio  penalty s  ratio  embed s  HDBSCAN s"
        "  unconverged"
    )
    ratios: dict[Balance, list[float]] = {"exact": [], "penalty": []}
    for name in list(maps)[:: max(1, len(maps) // MAPS_TIMED)]:
        programmes = programmes_of(graphs_of(maps[name]))
        slow = seconds(lambda p=programmes: [coordinate_loop(w) for w in p], 3)
        fast: dict[str, float] = {}
        unconverged = 0
        for balance, found in ratios.items():
            solutions = solved(programmes, balance)
            unconverged += sum(not solution.converged for solution in solutions)
            fast[balance] = seconds(lambda p=programmes, b=balance: solved(p, b), 3)
            found.append(slow / fast[balance])
        spins = [solution.spins for solution in solved(programmes, "exact")]
        points = [embed(each, variance=0.9) for each in spins]
        embedding = seconds(lambda s=spins: [embed(each, variance=0.9) for each in s], 3)
        embedding_clustering = seconds(
            lambda p=points, w=programmes: [
                EmbeddingClustering().labels(each, weights, 0)
                for each, weights in zip(p, w, strict=True)
            ],
            3,
        )
        print(
            f"{name[:17]:17}  {slow:6.3f}  {fast['exact']:7.3f}  {slow / fast['exact']:5.1f}"
            f"  {fast['penalty']:9.3f}  {slow / fast['penalty']:5.1f}  {embedding:7.4f}"
            f"  {embedding_clustering:9.3f}  {unconverged}"
        )
    medians = ", ".join(f"{balance} {statistics.median(r):.1f}" for balance, r in ratios.items())
    print(f"median ratios: {medians}")


def gaps(maps: dict[str, Floats], every: int) -> None:
    """What is certified on the graphs of all maps."""
    print("tolerance  programmes  unconverged  largest gap  median products  most")
    programmes = [
        w for weights in maps.values() for w in programmes_of(graphs_of(weights)[::every])
    ]
    for tolerance in (1e-6, 1e-8):
        solutions = [solve_spins(w, tolerance=tolerance) for w in programmes]
        products: Sequence[int] = [solution.iterations for solution in solutions]
        print(
            f"{tolerance:9.0e}  {len(solutions):10}  {sum(not s.converged for s in solutions):11}"
            f"  {max(abs(s.gap) for s in solutions):11.1e}  {statistics.median(products):15.0f}"
            f"  {max(products):4}"
        )


def modularity(maps: dict[str, Floats], every: int) -> None:
    """Mean modularity over all maps and levels, and how often the bound was exceeded."""
    clusterers = {
        name: harness.make("clusterer", name) for name in ("louvain", "sdp-modularity", "sdp")
    }
    found: dict[str, list[float]] = {name: [] for name in clusterers}
    taken = dict.fromkeys(clusterers, 0.0)
    bounds: list[float] = []
    for weights in maps.values():
        for graph in graphs_of(weights)[::every]:
            for name, clusterer in clusterers.items():
                started = time.process_time()
                result = clusterer.cluster(graph, seed=0)
                taken[name] += time.process_time() - started
                labels = result.labels if isinstance(result, harness.Partition) else result
                found[name].append(harness.modularity(graph, labels))
                if name == "sdp-modularity":
                    assert isinstance(result, harness.Partition)
                    bounds.append(result.diagnostics["bound"])
    louvain = np.array(found["louvain"])
    print("clusterer       mean Q   of Louvain's  below 0.95 of it  seconds a map")
    for name, values in found.items():
        below = int((np.array(values) < 0.95 * louvain).sum())
        print(
            f"{name:14}  {np.mean(values):.4f}  {np.mean(values) / louvain.mean():12.4f}"
            f"  {below:4} of {len(values):6}  {taken[name] / len(maps):13.2f}"
        )
    exceeded = int((np.array(bounds) + 1e-9 < np.maximum.reduce(list(found.values()))).sum())
    print(f"mean bound {np.mean(bounds):.4f}; exceeded {exceeded} times")


def main() -> None:
    """Measure what is named."""
    parser = argparse.ArgumentParser(description="Time and check the spin solver.")
    parser.add_argument("what", choices=("reference", "loop", "gaps", "modularity"))
    parser.add_argument("--maps", type=Path, help="an .npz file of maps (n, n)")
    parser.add_argument("--every", type=int, default=1, help="take every such level of the 32")
    arguments = parser.parse_args()
    require_one_thread()
    if arguments.what == "reference":
        reference()
        return
    maps = attention_maps(arguments.maps)
    if arguments.what == "loop":
        loop(maps)
    elif arguments.what == "gaps":
        gaps(maps, arguments.every)
    else:
        modularity(maps, arguments.every)


if __name__ == "__main__":
    main()
