"""How strong communities must be to be found: power, false alarms and ARI in one picture.

    harness run benchmarks/power.toml --out RUN
    python benchmarks/power.py RUN OUT [--redraw]

Writes OUT/power.csv, OUT/power.svg, OUT/power.png and OUT/power-provenance.json. With --redraw
the figure is drawn from OUT/power.csv, and nothing is computed. PyGenStability is a peer that takes
up to a minute a map; if it is not installed (pip install pygenstability), its rows stay as they
are in OUT/power.csv, if there are any.
"""

import argparse
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas
from attainable_ari import adjusted_rand, attainable_ari
from evidence_figure import provenance
from matplotlib import pyplot as plt
from plots import STYLES, save

import harness

PLAIN = "fixed[level=0.0]"
"""Louvain at this level is plain modularity maximisation on the unpruned map."""
PEERS = {"modularity maximisation": ("#555555", "--"), "PyGenStability": ("#000000", "-.")}
MOST_PEER_MAPS = 10
STABILITY = {
    "constructor": "continuous_normalized",
    "min_scale": -1.0,
    "max_scale": 1.5,
    "n_scale": 20,
    "n_tries": 20,
}
"""Arguments of PyGenStability whose defaults are others: scales wide enough for 2 to n clusters."""


def measured(run: harness.Run) -> pandas.DataFrame:
    """One row for each signal, method and selector: the share found, mean ARI, and its bounds."""
    points = run.points().query("role == 'observed'")
    judged = pandas.concat(_judged(spec, of_it) for spec, of_it in points.groupby("extractor"))
    # What the best choice can expect on each map: of one method's levels, and of all methods'.
    expected = judged.groupby(["signal", "method", "image"])["expected"].max()
    of_any = expected.groupby(["signal", "image"]).max()
    bounds = {
        "ari_best": judged.groupby(["signal", "method", "image"])["ari"].max(),
        "attainable": expected,
    }
    bounds = {name: each.groupby(["signal", "method"]).mean() for name, each in bounds.items()}
    tests = run.tests()[["cell", "selector", "p"]]
    chosen = run.selections().merge(tests, on=["cell", "selector"])
    chosen = chosen.merge(judged, left_on=["cell", "candidate"], right_on=["cell", "point"])
    chosen["found"] = ~harness.exceeds(chosen["p"], 0.05)
    # In the order of the suite.
    of_method = chosen.groupby(["signal", "method", "selector"], sort=False)
    table = of_method.agg(maps=("cell", "size"), found=("found", "mean"), ari=("ari", "mean"))
    table = table.join(pandas.DataFrame(bounds), on=["signal", "method"]).reset_index()
    return table.assign(attainable_by_any=table["signal"].map(of_any.groupby("signal").mean()))


def _judged(spec: str, points: pandas.DataFrame) -> pandas.DataFrame:
    """ARI of every level with the truth, and expected given the map, of one set of maps."""
    maps = harness.make("extractor", spec)
    judged = points[["cell", "point", "image"]].assign(signal=maps.signal, method=points.clusterer)
    for image, of_map in points.groupby("image"):
        if not maps.signal:
            continue
        attention = maps.load(image)
        truth = np.asarray(attention.truth)
        partitions = [_singletons(each) for each in of_map.labels]
        judged.loc[of_map.index, "ari"] = adjusted_rand(np.array(partitions), truth[None])[:, 0]
        judged.loc[of_map.index, "expected"] = attainable_ari(
            attention.weights, truth, partitions, signal=maps.signal, spread=maps.spread, seed=0
        )
    return judged


def _peer_rows(run: harness.Run, table_file: Path) -> pandas.DataFrame:
    """PyGenStability's rows: measured, or those that the table already has of the same maps."""
    if find_spec("pygenstability"):
        return pandas.DataFrame(by_stability(list(dict.fromkeys(run.selections().extractor))))
    print("pygenstability is not installed: its rows stay as they are in the table, if it has any")
    former = pandas.read_csv(table_file) if table_file.exists() else pandas.DataFrame()
    return former[former.selector == "its own"] if len(former) else former


def by_stability(specs: Sequence[str]) -> Iterator[dict[str, Any]]:
    """PyGenStability's row for each set of planted maps: the best of the partitions it selects.

    It selects several scales and leaves the choice to the user, so the ARI is the best one's. A map
    is found if one of them has more than one cluster and fewer than there are nodes.
    """
    for spec in specs:
        maps = harness.make("extractor", spec)
        ari = []
        for image in maps.keys()[:MOST_PEER_MAPS]:
            attention = maps.load(image)
            partitions = _stable_partitions(attention.weights)
            truth = np.asarray(attention.truth)
            ari.append(adjusted_rand(partitions, truth[None]).max() if len(partitions) else np.nan)
        found = ~np.isnan(ari)
        yield {
            "signal": maps.signal,
            "method": "PyGenStability",
            "selector": "its own",
            "maps": len(ari),
            "found": found.mean(),
            "ari": np.where(found, ari, 0.0).mean() if maps.signal else np.nan,
        }


def _stable_partitions(weights: np.ndarray) -> np.ndarray:
    """The partitions of the symmetrised map that PyGenStability selects, trivial ones left out."""
    import pygenstability
    from scipy.sparse import csr_array

    symmetric = (weights + weights.T).astype(np.float64) / 2
    np.fill_diagonal(symmetric, 0.0)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pygenstability.run(
            csr_array(symmetric),
            n_workers=1,
            tqdm_disable=True,
            result_file=f"{folder}/results.pkl",
            **STABILITY,
        )
    partitions = [
        np.asarray(found["community_id"][scale]) for scale in found["selected_partitions"]
    ]
    several = [each for each in partitions if 1 < len(np.unique(each)) < len(each)]
    return np.array(several).reshape(len(several), len(weights))


def _singletons(labels: Sequence[int]) -> np.ndarray:
    """Labels in which each unassigned node is a cluster of its own."""
    array = np.array(labels)
    alone = array < 0
    array[alone] = array.max() + 1 + np.arange(alone.sum())
    return array


def draw(table: pandas.DataFrame) -> plt.Figure:
    """One column a selector: the share found above, ARI below, a line for each method."""
    ours = table[~table.selector.isin([PLAIN, "its own"])]
    selectors = list(dict.fromkeys(ours.selector))
    styles = {
        method: {"color": colour, "marker": sign, "markersize": 4}
        for method, (colour, sign) in zip(dict.fromkeys(ours.method), STYLES, strict=False)
    }
    peers: Mapping[str, pandas.DataFrame] = {
        "modularity maximisation": table[(table.selector == PLAIN) & (table.method == "louvain")],
        "PyGenStability": table[table.selector == "its own"],
    }
    figure, panels = plt.subplots(
        2,
        len(selectors),
        squeeze=False,
        figsize=(2.5 * len(selectors) + 0.6, 5.4),
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    for column, selector in enumerate(selectors):
        for panel, figure_name in zip(panels[:, column], ("found", "ari"), strict=True):
            for peer, rows in peers.items():
                colour, dashes = PEERS[peer]
                of_it = rows.sort_values("signal")
                panel.plot(
                    of_it.signal, of_it[figure_name], dashes, color=colour, lw=1.2, label=peer
                )
            for method, style in styles.items():
                of_it = ours[(ours.method == method) & (ours.selector == selector)]
                of_it = of_it.sort_values("signal")
                panel.plot(of_it.signal, of_it[figure_name], label=method, clip_on=False, **style)
            panel.grid(color="#dddddd")
            panel.set_ylim(0, 1)
            panel.spines[["top", "right"]].set_visible(False)
        panels[0, column].axhline(0.05, color="#999999", lw=0.8, ls=":", label="5 %")
        bound = ours.drop_duplicates("signal").sort_values("signal")
        panels[1, column].plot(
            bound.signal,
            bound.attainable_by_any,
            color="#D55E00",
            ls=":",
            lw=1.6,
            label="bound on any choice of level, of any method",
        )
        panels[0, column].set_title(selector, fontsize=9)
        panels[1, column].set_xlabel("signal")
    panels[0, 0].set_ylabel("share found (p ≤ .05)")
    panels[1, 0].set_ylabel("mean ARI")
    lines = {
        label: line
        for panel in panels[:, 0]
        for line, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(lines.values(), lines, loc="outside upper center", ncols=4, frameon=False)
    return figure


def main() -> None:
    """Read the run, measure the peers and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--redraw", action="store_true", help="draw OUT/power.csv again")
    arguments = parser.parse_args()
    table_file = arguments.out / "power.csv"
    if not arguments.redraw:
        arguments.out.mkdir(parents=True, exist_ok=True)
        run = harness.open_run(arguments.run)
        table = measured(run)
        table = pandas.concat([table, _peer_rows(run, table_file)])
        table.to_csv(table_file, index=False, float_format="%.4g")
        (arguments.out / "power-provenance.json").write_text(
            json.dumps(provenance(run), indent=1) + "\n"
        )
    table = pandas.read_csv(table_file)
    save(draw(table), arguments.out / "power")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
