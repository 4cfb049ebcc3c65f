"""How the clusters of a run agree with the objects on ECSSD's photos: one table a run.

    python benchmarks/objects_agreement.py RUN MASKS TABLE.csv.gz [--selectors SPEC …]

TABLE gets a row for each photo, map, method and selector: the level, the number of clusters, their
modularity and effect, and the figures of `harness foreground --candidates`, with those of its
baselines. Levels that a selector did not accept count, so that all methods are measured on all
photos.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas

import harness
from harness.analysis.masks import Masks
from harness.analysis.outcomes import outcomes
from harness.store import open_for_reading

FIGURES = ["ari", "ami", "best_iou", "best_f", "union_iou", "union_f", "border_iou", "salient_iou"]
BASELINES = ("spatial_blocks", "pixel_kmeans", "chance")
METHOD = ["maps", "graph", "method", "selector"]


def measured(run: harness.Run, masks: Path) -> pandas.DataFrame:
    """A row for each map, method and selector of a run."""
    files = harness.make("image set", f"folder[path={masks}]")
    found = run.foreground(Masks(files, masks.name), candidates=True).to_frame()
    with open_for_reading(run.folder) as store:
        store.show_selectors(list(dict.fromkeys(found.selector)))
        effects = [each.effect for each in outcomes(store)]
    # Both are in the order of the plan.
    found["effect"] = np.array(effects, dtype=float)
    keys = ["image", "extractor", "graph", "clusterer", "selector", "head"]
    chosen = run.selections().query("role == 'observed'")[[*keys, "modularity", "level"]]
    table = found[found.status == "counted"].merge(chosen, on=keys, validate="one_to_one")
    table["maps"] = table.extractor.map(_maps)
    table["photo"] = table.image.str.split(".").str[0]
    table["shuffled"] = "shuffled" in table.image_set.iloc[0]
    table = table.rename(columns={"clusterer": "method", "n_clusters": "k"})
    others = [f"{of}_{figure}" for of in BASELINES for figure in FIGURES]
    values = ["level", "accepted", "k", "modularity", "effect", *FIGURES, *others]
    return table[["shuffled", "photo", "head", *METHOD, *values]]


def _maps(extractor: str) -> str:
    """What the weights of an extractor's maps are."""
    for feature in ("keys", "queries", "values", "tokens"):
        if f"of={feature}" in extractor:
            return feature
    return "attention" if "heads=[mean]" in extractor else "attention of each head"


def main() -> None:
    """Read the run and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--selectors", nargs="*", default=(), help="by default all")
    arguments = parser.parse_args()
    arguments.table.parent.mkdir(parents=True, exist_ok=True)
    run = harness.open_run(arguments.run, selectors=arguments.selectors)
    table = measured(run, arguments.masks)
    table.to_csv(arguments.table, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
