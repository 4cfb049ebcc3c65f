"""How well models classify: tables 4.1 and 4.2, figures 4.1 and 4.6."""

from pathlib import Path

import numpy as np
import pandas

from harness_plugins.thesis.reproduction import figures
from harness_plugins.thesis.reproduction.exhibit import Output
from harness_plugins.thesis.reproduction.published import published
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study
from harness_plugins.thesis.vit import checkpoint

VARIANT = ["data", "attention", "heads", "mlp", "optimiser", "epochs", "augmented"]


def accuracies(study: Study) -> Output:
    """Test accuracy of every variant, mean and deviation over seeds, beside the thesis' values."""
    table = (
        study.trained.groupby(VARIANT, sort=False)["test_accuracy"]
        .agg(accuracy="mean", deviation="std", seeds="count")
        .reset_index()
        .sort_values(["data", "attention", "heads", "mlp"])
        .reset_index(drop=True)
    )
    without, with_twelve = published("table-4.1")["value"]
    given = np.where(table["heads"] == 12, with_twelve, np.nan)
    given = np.where(table["attention"], given, without)
    table["thesis"] = np.where(table["data"].str.contains("fashion"), given, np.nan)
    return Output(
        {"table-4.1": table},
        remarks=(
            "heads is 0 without attention; without attention and MLP only the patch embedding and "
            "the linear classifier are left. The deviation is over seeds.",
        ),
    )


def confusion_matrix(study: Study) -> Output:
    """The confusion matrix of the model with one head."""
    found, name = study.one_head_evaluation, "figure-4.1"
    title = f"{study.checkpoint} on {study.images}: accuracy {found.accuracy:.3f}"
    table = pandas.DataFrame(found.confusion, columns=list(study.classes))
    table.insert(0, "true class", list(study.classes))
    return Output(
        {name: table},
        {name: figures.confusion(found.confusion, study.classes, title=title)},
        (f"{len(found.labels)} images, accuracy {found.accuracy:.4f}.",),
    )


def accuracy_by_heads(study: Study) -> Output:
    """Each class's accuracy against the number of heads, over the trained models."""
    trained = study.trained
    comparable = trained["attention"] & trained["mlp"] & (trained["optimiser"] == "adamw")
    classes = tuple(study.classes)
    models = trained[comparable & trained["classes"].map(lambda learned: learned == classes)]
    if models["heads"].nunique() < 2:
        raise MissingRequirementError(
            "needs models of several numbers of heads for these images, such as `harness train "
            "benchmarks/train_fashion_mnist.toml --out models/fashion-mnist` makes"
        )
    rows = []
    for model in models.itertuples():
        found = study.evaluation(checkpoint.load(Path(str(model.file)))).accuracy_by_class
        rows += [
            {"heads": model.heads, "seed": model.seed, "class": name, "accuracy": accuracy}
            for name, accuracy in zip(study.classes, found, strict=True)
        ]
    table = pandas.DataFrame(rows)
    mean, deviation = (
        table.pivot_table(index="heads", columns="class", values="accuracy", aggfunc=function)
        for function in ("mean", "std")
    )
    mean = mean[list(study.classes)]
    figure = figures.by_heads(
        mean.index.to_numpy(),
        mean.to_numpy(),
        study.classes,
        title=f"Accuracy by class, {study.images}",
        deviations=deviation.reindex(index=mean.index, columns=mean.columns).to_numpy(),
    )
    return Output({"figure-4.6": table}, {"figure-4.6": figure})


def class_probabilities(study: Study) -> Output:
    """The probabilities of all classes for the images shown, by the model with one head."""
    examples, found = study.one_head_examples, study.one_head_evaluation
    rows, made = [], {}
    for number, image in enumerate(study.shown, 1):
        probabilities = found.probabilities[examples.keys.index(image.key)]
        rows.append({"image": image.key, **study.by_class(probabilities)})
        made[f"table-4.2-{number}"] = figures.class_probabilities(
            image.pixels, probabilities, study.classes, image.label, title=image.key
        )
    return Output({"table-4.2": pandas.DataFrame(rows)}, made)
