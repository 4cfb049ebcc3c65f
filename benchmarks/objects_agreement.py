"""How the clusters of a run agree with the objects on ECSSD's photos: one table a run.

    python benchmarks/objects_agreement.py RUN MASKS TABLE.csv.gz [--alone] [--selectors SPEC …]

TABLE gets a row for each photo, map, method and selector: the level, the number of clusters, their
modularity and effect, and the figures of `harness foreground --candidates`, with those of its
baselines. Levels that a selector did not accept count, so that all methods are measured on all
photos. With --alone there are no baselines, which take most of the time, no salience and no effect.
"""

import argparse
from functools import cache
from pathlib import Path

import numpy as np
import pandas

import harness
from harness.analysis.masks import Masks
from harness.analysis.outcomes import outcomes
from harness.metrics.foreground import Objects, agreement
from harness.store import open_for_reading

GRID = (16, 16)
FIGURES = ["ari", "ami", "best_iou", "best_f", "union_iou", "union_f", "border_iou", "salient_iou"]
BASELINES = ("spatial_blocks", "pixel_kmeans", "chance")
METHOD = ["maps", "graph", "method", "selector"]
COLUMNS = ["shuffled", "photo", "head", *METHOD, "level", "accepted", "k", "modularity", "effect"]


def with_baselines(run: harness.Run, masks: Masks) -> pandas.DataFrame:
    """A row for each map, method and selector of a run."""
    found = run.foreground(masks, candidates=True).to_frame()
    with open_for_reading(run.folder) as store:
        store.show_selectors(list(dict.fromkeys(found.selector)))
        effects = [each.effect for each in outcomes(store)]
    # Both are in the order of the plan.
    found["effect"] = np.array(effects, dtype=float)
    keys = ["image", "extractor", "graph", "clusterer", "selector", "head"]
    chosen = run.selections().query("role == 'observed'")[[*keys, "modularity", "level"]]
    return found[found.status == "counted"].merge(chosen, on=keys, validate="one_to_one")


def alone(run: harness.Run, masks: Masks) -> pandas.DataFrame:
    """The same without baselines, salience and effects."""
    chosen = run.selections().query("role == 'observed'")
    labels = run.points()[["cell", "point", "labels"]].rename(columns={"point": "candidate"})
    chosen = chosen.merge(labels, on=["cell", "candidate"], validate="many_to_one")

    @cache
    def objects(images: str, image: str) -> Objects:
        return Objects.on(masks.mask(run.image(images, image)[0]), GRID)

    unweighted = np.ones((GRID[0] * GRID[1],) * 2)
    rows = []
    for _, each in chosen.iterrows():
        on_patches = objects(each.image_set, each.image)
        if not on_patches.why_undefined():
            found = agreement(each.labels, on_patches, unweighted)
            rows.append({**each, **vars(found), "salient_iou": np.nan, "effect": np.nan})
    return pandas.DataFrame(rows)


def tidy(table: pandas.DataFrame) -> pandas.DataFrame:
    """The columns that are kept, with short names."""
    table = table.rename(columns={"clusterer": "method", "n_clusters": "k"})
    table["maps"] = table.extractor.map(_maps)
    table["photo"] = table.image.str.split(".").str[0]
    table["shuffled"] = "shuffled" in table.image_set.iloc[0]
    others = [f"{of}_{figure}" for of in BASELINES for figure in FIGURES]
    return table.reindex(columns=[*COLUMNS, *FIGURES, *others])


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
    parser.add_argument("--alone", action="store_true", help="without baselines")
    parser.add_argument("--selectors", nargs="*", default=(), help="by default all")
    arguments = parser.parse_args()
    arguments.table.parent.mkdir(parents=True, exist_ok=True)
    run = harness.open_run(arguments.run, selectors=arguments.selectors)
    folder = harness.make("image set", f"folder[path={arguments.masks}]")
    masks = Masks(folder, arguments.masks.name)
    table = tidy(alone(run, masks) if arguments.alone else with_baselines(run, masks))
    table.to_csv(arguments.table, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
