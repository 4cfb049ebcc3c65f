"""How well models classify: tables 4.1 and 4.2, figures 4.1 and 4.6."""

import numpy as np

from harness_plugins.thesis.reproduction.exhibit import Made
from harness_plugins.thesis.reproduction.published import published
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study

VARIANT = ["data", "attention", "heads", "mlp", "optimiser", "epochs", "augmented"]


def accuracies(study: Study) -> Made:
    """Test accuracy of every variant, mean and deviation over seeds, beside the thesis'."""
    table = (
        study.trained.groupby(VARIANT, sort=False)["test_accuracy"]
        .agg(accuracy="mean", deviation="std", seeds="count")
        .reset_index()
        .sort_values(["data", "attention", "heads", "mlp"])
        .reset_index(drop=True)
    )
    without, with_twelve = (each.value for each in published("table-4.1"))
    thesis = [
        without if not row.attention else with_twelve if row.heads == 12 else np.nan
        for row in table.itertuples()
    ]
    known = table["data"].str.contains("fashion")
    table["thesis"] = np.where(known, thesis, np.nan)
    return Made(
        {"table-4.1": table},
        remarks=(
            "heads is 0 without attention; without attention and MLP only the patch embedding and "
            "the linear classifier are left. The deviation is over seeds.",
        ),
    )


def confusion_matrix(study: Study) -> Made:
    """The confusion matrix of the model of one head."""
    import pandas

    from harness_plugins.thesis.reproduction.figures import confusion

    found = study.one_head_evaluation
    title = f"{study.checkpoint} on {study.images}: accuracy {found.accuracy:.3f}"
    table = pandas.DataFrame(found.confusion, columns=list(study.classes))
    table.insert(0, "true class", list(study.classes))
    return Made(
        {"figure-4.1": table},
        {"figure-4.1": confusion(found.confusion, study.classes, title=title)},
        (f"{len(found.labels)} images, accuracy {found.accuracy:.4f}.",),
    )


def accuracy_by_heads(study: Study) -> Made:
    """Each class's accuracy against the number of heads, over the trained models."""
    from pathlib import Path

    import pandas

    from harness_plugins.thesis.reproduction.figures import by_heads
    from harness_plugins.thesis.vit import checkpoint

    trained = study.trained
    of_study = trained["attention"] & trained["mlp"] & (trained["optimiser"] == "adamw")
    classes = tuple(study.classes)
    chosen = trained[of_study & trained["classes"].map(lambda learned: learned == classes)]
    if chosen["heads"].nunique() < 2:
        raise MissingRequirementError(
            "needs models of several numbers of heads for these images, such as `harness train "
            "benchmarks/train_fashion_mnist.toml --out models/fashion-mnist` makes"
        )
    rows = []
    for model in chosen.itertuples():
        shares = study.evaluation(checkpoint.load(Path(str(model.file)))).accuracy_by_class
        rows += [
            {"heads": model.heads, "seed": model.seed, "class": name, "accuracy": share}
            for name, share in zip(study.classes, shares, strict=True)
        ]
    table = pandas.DataFrame(rows)
    wide = table.pivot_table(index="heads", columns="class", values="accuracy", aggfunc="mean")
    spread = table.pivot_table(index="heads", columns="class", values="accuracy", aggfunc="std")
    wide = wide[list(study.classes)]
    spread = spread.reindex(index=wide.index, columns=wide.columns)
    figure = by_heads(
        wide.index.to_numpy(), wide.to_numpy(), study.classes,
        title=f"Accuracy by class, {study.images}", deviations=spread.to_numpy(),
    )  # fmt: skip
    return Made({"figure-4.6": table}, {"figure-4.6": figure})


def class_probabilities(study: Study) -> Made:
    """Every class's probability for the images shown, by the model of one head."""
    import pandas

    from harness_plugins.thesis.reproduction.figures import class_probabilities as bars

    examples, found = study.one_head_examples, study.one_head_evaluation
    rows, figures = [], {}
    for place, image in enumerate(study.shown, 1):
        at = examples.keys.index(image.key)
        probabilities = found.probabilities[at]
        shares = dict(zip(study.classes, probabilities.tolist(), strict=True))
        rows.append({"image": image.key, **shares})
        figures[f"table-4.2-{place}"] = bars(
            image.pixels, probabilities, study.classes, image.label, title=image.key
        )
    return Made({"table-4.2": pandas.DataFrame(rows)}, figures)
