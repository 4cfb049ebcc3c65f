"""How well trained one-layer ViTs classify: their records, means over seeds, paired differences.

    python benchmarks/accuracies.py OUT MODELS [MODELS …] [--predict MODELS]

Each MODELS is a folder that `harness train STUDY.toml` wrote, named as its data set.
OUT/models.json gets the record of each model, and keeps those of models whose files are no longer
there; from it OUT/accuracies.csv is made, a row for each kind of model, and OUT/accuracies.svg and
.png. Of the folder that --predict names also OUT/predictions.csv, the class that each model
predicts for each test image, and OUT/accuracy-differences.csv: accuracies of two kinds of model on
the same images and seeds. Their intervals are over images, and take the seeds as given.
"""

import argparse
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from matplotlib import pyplot as plt
from plots import STYLES, save
from scipy.stats import binomtest

import harness
from harness.command import classes_of
from harness.metrics.inference import bootstrap_interval
from harness_plugins.thesis.reproduction.accuracy import DATA, WITH, WITHOUT
from harness_plugins.thesis.reproduction.published import printed
from harness_plugins.thesis.vit.checkpoint import load
from harness_plugins.thesis.vit.evaluation import evaluate
from harness_plugins.thesis.vit.examples import gather

KIND = ["data", "optimiser", "epochs", "mlp", "heads"]


def records(folder: Path) -> dict[str, Any]:
    """The record of each model of a folder, by data set and file."""
    files = sorted(folder.glob("*.safetensors"))
    return {f"{folder.name}/{file.name}": load(file).record for file in files}


def models(found: Mapping[str, Any]) -> pandas.DataFrame:
    """One row a model: what kind it is of, its seed, accuracies in %, and numbers of images."""
    rows = []
    for name, record in found.items():
        shape, training, splits = record["model"], record["training"], record["splits"]
        row: dict[str, Any] = {"model": name, "data": name.split("/")[0]}
        row |= {name: training[name] for name in ("optimiser", "epochs", "seed")}
        row |= {"mlp": shape["mlp"], "heads": shape["heads"] if shape["attention"] else 0}
        for split in ("test", "validation"):
            row[split] = 100 * record[f"{split}_accuracy"]
            row[f"{split}_images"] = splits[split]["images"]
        rows.append(row)
    return pandas.DataFrame(rows).sort_values([*KIND, "seed"], ignore_index=True)


def accuracies(table: pandas.DataFrame) -> pandas.DataFrame:
    """One row a kind of model: means over its seeds, the deviation of a seed, Wilson's interval.

    The interval is that of the mean's share of the test images, as if it were one model's.
    """
    rows = []
    for kind, of_it in table.groupby(KIND, sort=False):
        row: dict[str, Any] = dict(zip(KIND, kind, strict=True)) | {"seeds": len(of_it)}
        for split in ("test", "validation"):
            row |= {split: of_it[split].mean(), f"{split}_deviation": of_it[split].std()}
        count = int(of_it["test_images"].iloc[0])
        share = binomtest(round(row["test"] / 100 * count), count)
        interval = share.proportion_ci(method="wilson")
        row |= {"test_low": 100 * interval.low, "test_high": 100 * interval.high}
        row["each"] = " ".join(f"{accuracy:.2f}" for accuracy in of_it["test"])
        rows.append(row)
    return pandas.DataFrame(rows)


def predictions(folder: Path, image_set: str) -> pandas.DataFrame:
    """One row a test image: its class, and a column with what each model of a folder predicts."""
    images = harness.image_set(image_set)
    classes = np.array(classes_of(images))
    columns: dict[str, Any] = {}
    for file in sorted(folder.glob("*.safetensors")):
        model = load(file)
        shape = model.model.settings
        examples = gather(images, list(classes), (shape.height, shape.width), shape.channels)
        found = evaluate(model, examples)
        columns["image"], columns["class"] = examples.keys, classes[found.labels]
        columns[f"{folder.name}/{file.name}"] = classes[found.predicted]
    return pandas.DataFrame(columns)


def differences(table: pandas.DataFrame, predicted: pandas.DataFrame) -> pandas.DataFrame:
    """Paired differences of accuracy in points, of any two kinds of model that share seeds."""
    right = predicted.iloc[:, 2:].eq(predicted["class"], axis=0)
    kinds = table[table["model"].isin(right)].groupby(KIND, sort=False)
    rows = []
    for (kind, ours), (other, theirs) in itertools.permutations(kinds, 2):
        pairs = ours.merge(theirs, on="seed", suffixes=("", "_less"))
        if pairs.empty or kind < other:
            continue
        of_seeds = [
            right[model].astype(float) - right[less]
            for model, less in zip(pairs["model"], pairs["model_less"], strict=True)
        ]
        points = 100 * np.mean(of_seeds, axis=0)
        low, high = bootstrap_interval(points)
        row = dict(zip(KIND, kind, strict=True))
        row |= {f"less_{name}": value for name, value in zip(KIND, other, strict=True)}
        row |= {"seeds": len(pairs), "points": points.mean(), "low": low, "high": high}
        row["each"] = " ".join(f"{100 * each.mean():+.2f}" for each in of_seeds)
        rows.append(row)
    return pandas.DataFrame(rows)


def of_thesis(data: str) -> tuple[float, float]:
    """The thesis' accuracies in %, without attention and with twelve heads (table 4.1)."""
    (name,) = (name for name, part in DATA.items() if part in data)
    found = printed("table-4.1", name)
    return float(found[WITHOUT]), float(found[WITH])


def draw(table: pandas.DataFrame) -> plt.Figure:
    """One panel a data set and number of epochs: test accuracy over the number of heads."""
    studies = {
        study: of_it
        for study, of_it in table[table["optimiser"] == "adamw"].groupby(["data", "epochs"])
        if of_it["heads"].nunique() > 1
    }
    figure, panels = plt.subplots(
        1, len(studies), squeeze=False, figsize=(7, 2.8), layout="constrained"
    )
    heads = sorted(set(table["heads"]))
    for panel, ((name, epochs), of_study) in zip(panels.flat, studies.items(), strict=True):
        for (mlp, label), (colour, sign) in zip(
            ((True, "with MLP"), (False, "bare")), STYLES, strict=False
        ):
            of_it = of_study[of_study["mlp"] == mlp]
            places = of_it["heads"].map(heads.index)
            panel.plot(places, of_it["test"], sign, color=colour, alpha=0.6, label=label)
            means = of_it.groupby("heads")["test"].mean()
            panel.plot(means.index.map(heads.index), means, color=colour, linewidth=1)
        ends = [heads.index(0), heads.index(12)]
        panel.plot(ends, of_thesis(name), "x", color="black", markersize=7, label="thesis")
        panel.set_title(f"{name}, {epochs} epochs", loc="left", fontsize=8)
        panel.set_xticks(range(len(heads)), [str(count) for count in heads])
        panel.set_xlabel("attention heads")
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", color="#dddddd")
    panels.flat[0].set_ylabel("test accuracy, %")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=3, frameon=False)
    return figure


def main() -> None:
    """Read the models and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--predict", type=Path, metavar="MODELS")
    arguments = parser.parse_args()
    out, kept = arguments.out, arguments.out / "models.json"
    found = json.loads(kept.read_text()) if kept.exists() else {}
    for folder in arguments.models:
        found |= records(folder)
    kept.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    table = models(found)
    means = accuracies(table)
    means.to_csv(out / "accuracies.csv", index=False, float_format="%.4g")
    save(draw(table), out / "accuracies")
    print(means.to_string(index=False))
    if arguments.predict:
        predicted = predictions(arguments.predict, arguments.predict.name)
        predicted.to_csv(out / "predictions.csv", index=False)
        compared = differences(table, predicted)
        compared.to_csv(out / "accuracy-differences.csv", index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
