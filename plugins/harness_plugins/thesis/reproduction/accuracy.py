"""How well models classify: tables 4.1 and 4.2, figures 4.1 and 4.6."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas

from harness_plugins.thesis.reproduction import figures
from harness_plugins.thesis.reproduction.deviations import differs
from harness_plugins.thesis.reproduction.exhibit import Output
from harness_plugins.thesis.reproduction.published import printed, subjects
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study
from harness_plugins.thesis.vit.checkpoint import Checkpoint, load

# What models have in common that were trained alike.
TRAINING = ["optimiser", "epochs", "augmented", "settings"]
VARIANT = ["data", "attention", "heads", "mlp", *TRAINING]
# The thesis' data sets, each by a part of the names of folders and image sets.
DATA = {"CIFAR10": "cifar", "CINIC10": "cinic", "TFFlower": "flower", "Fashion-MNIST": "fashion"}
WITHOUT, WITH = "without attention", "12 heads"


def accuracies(study: Study) -> Output:
    """Test accuracy of every variant, mean and deviation over seeds; all values of the thesis."""
    found = study.accuracies
    table = (
        found.groupby(VARIANT, sort=False, dropna=False)["test_accuracy"]
        .agg(accuracy="mean", deviation="std", seeds="count")
        .reset_index()
        .sort_values(["data", "attention", "heads", "mlp"])
        .reset_index(drop=True)
    )
    if not table["settings"].any():
        del table["settings"]
    compared = pandas.DataFrame(
        row for data, part in DATA.items() for row in _beside(data, of_data(found, part))
    )
    missing = "" if study.models else " Without --models, they are what the two models record."
    return Output(
        {"table-4.1": compared, "table-4.1-variants": table},
        remarks=(
            "Test accuracy in %, gains in points. The thesis' first model has no MLP, its second "
            "one in one section and none in another, so both are here; of several ways of training "
            f"the best.{missing} Accuracies differ by split, image size, model size and training, "
            "which the thesis does not give in full.",
            "In the variants, heads is 0 without attention; without attention and MLP only the "
            "patch embedding and the linear classifier are left. The deviation is over seeds.",
        ),
    )


def of_data(table: pandas.DataFrame, part: str) -> pandas.DataFrame:
    """The rows of a data set of the thesis."""
    return table[table["data"].str.contains(part, case=False)]


def gains(found: pandas.DataFrame) -> dict[str, float]:
    """Points of accuracy that twelve heads gain, by the thesis' data sets, with an MLP."""
    gained = {}
    for data, part in DATA.items():
        without, with_twelve = (best(of_data(found, part), heads) for heads in (0, 12))
        if without is not None and with_twelve is not None:
            gained[data] = with_twelve - without
    return gained


def best(found: pandas.DataFrame, heads: int, *, mlp: bool = True) -> float | None:
    """The accuracy in % of models with so many heads, a mean over seeds; of the best training."""
    chosen = found[(found["heads"] == heads) & (found["mlp"] == mlp)]
    if chosen.empty:
        return None
    trainings = chosen.groupby(["data", *TRAINING], dropna=False)
    return 100 * float(trainings["test_accuracy"].mean().max())


def _beside(data: str, found: pandas.DataFrame) -> Iterator[dict[str, Any]]:
    here = {
        mlp: {WITHOUT: best(found, 0, mlp=mlp), WITH: best(found, 12, mlp=mlp)}
        for mlp in (True, False)
    }
    for quantity, thesis in printed("table-4.1", data).items():
        row: dict[str, Any] = {"data": data, "quantity": quantity, "thesis": thesis}
        for mlp, values in here.items():
            without, with_twelve = values[WITHOUT], values[WITH]
            gain = None if without is None or with_twelve is None else with_twelve - without
            row["here" if mlp else "here, no MLP"] = values.get(quantity, gain)
        yield row


def confusion_matrix(study: Study) -> Output:
    """The confusion matrix of the model with several heads."""
    found, name = study.evaluation(study.several_heads), "figure-4.1"
    title = f"{study.many_heads} on {study.images}: accuracy {found.accuracy:.3f}"
    table = pandas.DataFrame(found.confusion, columns=list(study.classes))
    table.insert(0, "true class", list(study.classes))
    remark = f"{len(found.labels)} images, accuracy {found.accuracy:.4f}."
    tables = {name: table}
    if set(subjects(name)) <= set(study.classes):
        tables[f"{name}-shares"] = _shares(study, table.set_index("true class"))
        remark += (
            " Shares are in % of the images of a class. The thesis' fit 70 sunflowers, 64 roses "
            "and 80 tulips, a tenth of each class, as many as the split test of tf-flowers has; "
            "which ones they are is not published, nor are the weights, so shares must differ. "
            "With few images a share moves in large steps."
        )
    made = {name: figures.confusion(found.confusion, study.classes, title=title, width=study.width)}
    return Output(tables, made, (remark,))


def _shares(study: Study, counts: pandas.DataFrame) -> pandas.DataFrame:
    rows = []
    for true in subjects("figure-4.1"):
        of_class = dict(zip(counts.columns, counts.loc[true].to_numpy(int), strict=True))
        total = sum(of_class.values())
        for taken, thesis in printed("figure-4.1", true).items():
            hits = of_class.get(taken, total - of_class[true])
            share = 100 * hits / total if total else None
            rows.append(
                {
                    "true class": true, "taken for": taken, "thesis": thesis, "here": share,
                    "images": f"{hits} of {total}",
                }
            )  # fmt: skip
    return pandas.DataFrame(rows)


def accuracy_by_heads(study: Study) -> Output:
    """Each class's accuracy against the number of heads, over the trained models or those given."""
    models = _trained_models(study) if study.models else [study.one_head, study.several_heads]
    if len({model.model.settings.heads for model in models}) < 2:
        raise MissingRequirementError(
            "needs models of several numbers of heads for these images, such as `harness train "
            "STUDY.toml --out DIR` makes, then --models DIR"
        )
    rows = []
    for model in models:
        found = study.evaluation(model).accuracy_by_class
        of_model = {
            "heads": model.model.settings.heads,
            "seed": model.record.get("training", {}).get("seed"),
        }
        rows += [
            {**of_model, "class": name, "accuracy": accuracy}
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
        width=study.width,
    )
    return Output(
        {"figure-4.6": table},
        {"figure-4.6": figure},
        (
            f"On the {len(study.image_set.keys())} images of {study.images}. The thesis gives no "
            "numbers here; it sees hardly any difference in total.",
        ),
    )


def _trained_models(study: Study) -> list[Checkpoint]:
    """Trained models with attention and an MLP, of these images and trained alike.

    Of several ways of training, that with the most numbers of heads.
    """
    trained, classes = study.trained, tuple(study.classes)
    is_of_classes = trained["classes"].map(lambda learned: learned == classes)
    comparable = trained[trained["attention"] & trained["mlp"] & is_of_classes]
    ways = [models for _, models in comparable.groupby(["data", *TRAINING], dropna=False)]
    alike = max(ways, key=lambda models: models["heads"].nunique(), default=comparable)
    return [load(Path(file)) for file in alike["file"]]


def class_probabilities(study: Study) -> Output:
    """The probabilities in % of all classes for the images shown, by the model with one head."""
    examples, found = study.one_head_examples, study.one_head_evaluation
    rows, made = [], {}
    for number, image in enumerate(study.shown, 1):
        name = study.called(image.key)
        probabilities = found.probabilities[examples.keys.index(image.key)]
        rows.append({"image": name, "by": "here", **study.by_class((100 * probabilities).round(2))})
        if study.pictures:
            rows.append({"image": name, "by": "thesis", **printed("table-4.2", name)})
        made[f"table-4.2-{number}"] = figures.class_probabilities(
            image.pixels, probabilities, study.classes, image.label, title=name, width=study.width
        )
    remark = f"Probabilities in %. {differs(study)}" if study.pictures else "Probabilities in %."
    return Output({"table-4.2": pandas.DataFrame(rows)}, made, (remark,))
