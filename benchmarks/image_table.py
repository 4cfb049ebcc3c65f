"""One row an image, method and selector of a run: what was chosen, and its tests.

    harness evaluate CHECKPOINT --images SET --csv PREDICTIONS
    python benchmarks/image_table.py RUN PREDICTIONS OUT.csv

The columns: image, class, predicted, clusterer, selector; of the selected level: clusters (of two
patches or more), level, threshold, modularity, plateau (its levels), accepted; and for each control
its p, its q over the run, the statistic, and `own`: the statistic of the draw that was made from
this very image, empty if there was none. Where the selector accepted nothing, the level is its
candidate. OUT-provenance.json has the settings and sessions of the run.
"""

import argparse
from pathlib import Path

import pandas
from evidence_figure import save_provenance

import harness

METHOD = ["image", "clusterer", "selector"]
CHOSEN = ["clusters", "level", "threshold", "modularity", "plateau", "accepted"]
OF_TEST = ["p", "q", "statistic", "own"]


def image_table(run: harness.Run, predicted: pandas.DataFrame) -> pandas.DataFrame:
    """Return the rows of a run on one image set and one head; `predicted` has one row an image."""
    chosen = run.selections().rename(columns={"n_clusters": "clusters", "class_name": "class"})
    chosen["plateau"] = chosen["plateau_last"] - chosen["plateau_first"] + 1
    tests = run.tests()
    tests["own"] = _own_draws(run, tests)
    wide = tests.pivot(index=METHOD, columns="control", values=OF_TEST)
    wide.columns = [f"{control} {name}" for name, control in wide.columns]
    ordered = [f"{control} {name}" for control in run.controls() for name in OF_TEST]
    table = chosen.merge(predicted[["image", "predicted"]], on="image", validate="many_to_one")
    table = table.merge(wide, left_on=METHOD, right_index=True, validate="one_to_one")
    return table[["image", "class", "predicted", "clusterer", "selector", *CHOSEN, *ordered]]


def _own_draws(run: harness.Run, tests: pandas.DataFrame) -> list[float]:
    """The statistic of the first draw from the test's own image; NaN if there is none."""
    cells = run.cells().query("role == 'control' and status == 'ok'")
    places = {}
    for method, drawn in cells.groupby(["clusterer", "control"]):
        # The draws of a test are in the order of the plan; images of equal pixels share theirs.
        order = {cell: place for place, cell in enumerate(drawn["cell"].unique())}
        firsts = drawn.drop_duplicates("image")
        places[method] = dict(zip(firsts["image"], firsts["cell"].map(order), strict=True))
    found = (
        (test.null_statistics, places[test.clusterer, test.control].get(test.image))
        for test in tests.itertuples()
    )
    return [float("nan") if at is None else draws[at] for draws, at in found]


def main() -> None:
    """Read the run and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("run", "predictions", "out"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    run = harness.open_run(arguments.run)
    table = image_table(run, pandas.read_csv(arguments.predictions))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.out, index=False, float_format="%.4g")
    save_provenance(run, arguments.out.with_suffix(""))
    print(f"{arguments.out}: {len(table)} rows")


if __name__ == "__main__":
    main()
