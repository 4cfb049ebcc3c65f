import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas
import pytest

from harness.errors import HarnessError
from harness.planning.progress import Progress
from harness_plugins.thesis.reproduction.accuracy import accuracies, accuracy_by_heads
from harness_plugins.thesis.reproduction.exhibit import Exhibit, Output
from harness_plugins.thesis.reproduction.making import reproduce
from harness_plugins.thesis.reproduction.report import Result
from harness_plugins.thesis.reproduction.study import MissingRequirementError, Study
from harness_plugins.thesis.reproduction.verdicts import CLAIMS
from harness_plugins.thesis.vit.checkpoint import Checkpoint, Normalisation, load, save
from harness_plugins.thesis.vit.files import checkpoint_file
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT


def study(folder: Path, **changes: Any) -> Study:
    settings = {
        "images": "fashion-mnist-sample[count=20]",
        "checkpoint": "fashion-mnist-one-head",
        "many_heads": "fashion-mnist-twelve-heads",
        "models": (),
        "clustered": 2,
        "folder": folder,
        "workers": 1,
        "plugins": (),
        "progress": Progress(),
    }
    return Study(**{**settings, **changes})


def exhibit(name: str, outcome: Exception | Output) -> Exhibit:
    def make(study: Study) -> Output:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Exhibit(name, "A title", make)


def test_an_exhibit_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    reported: list[Result] = []
    exhibits = [
        exhibit("one", MissingRequirementError("needs more")),
        exhibit("two", HarnessError("is wrong")),
        exhibit("three", ZeroDivisionError("by nothing")),
        exhibit("four", Output({"four": pandas.DataFrame({"a": [1]})})),
    ]

    results = reproduce(study(tmp_path), exhibits, "harness reproduce", reported.append)

    assert [result.missing for result in results] == ["needs more", "", "", ""]
    assert results[1].failed == "is wrong"
    assert results[2].failed.startswith("ZeroDivisionError: by nothing (test_making.py:")
    assert reported == results
    assert (tmp_path / "tables" / "four.csv").read_text() == "a\n1\n"


def test_provenance_records_command_checkpoints_and_exhibits(tmp_path: Path) -> None:
    reproduce(study(tmp_path), [exhibit("one", Output())], "harness reproduce", lambda result: None)

    provenance = json.loads((tmp_path / "provenance.json").read_text("utf-8"))
    assert provenance["command"] == "harness reproduce"
    assert provenance["exhibits"] == {"one": "made"}
    assert all(len(digest) == 64 for digest in provenance["checkpoints"].values())
    assert "torch" in provenance["environment"]["libraries"]


def trained(
    folder: Path, name: str, accuracy: float, classes: Sequence[str] = (), **changes: Any
) -> None:
    """A checkpoint that says it was trained."""
    folder.mkdir(exist_ok=True)
    settings = ModelSettings(**{"height": 4, "width": 4, "dimension": 12, **changes})
    how = {"optimiser": "adamw", "epochs": 10, "seed": int(name[-1])}
    record = {"training": how, "test_accuracy": accuracy, "classes": list(classes)}
    checkpoint = Checkpoint(OneLayerViT(settings), Normalisation(0, 1), record)
    save(folder / f"{name}.safetensors", checkpoint)


def test_accuracies_are_means_and_deviations_over_seeds_next_to_the_thesis(tmp_path: Path) -> None:
    models = tmp_path / "fashion-mnist"
    for seed, accuracy in enumerate((0.90, 0.92)):
        trained(models, f"none-{seed}", accuracy, attention=False)
    trained(models, "twelve-0", 0.91, heads=12)
    trained(models, "one-0", 0.89, heads=1)

    made = accuracies(study(tmp_path / "out", models=(models,)))
    variants = made.tables["table-4.1-variants"].set_index("heads")
    compared = made.tables["table-4.1"].set_index(["data", "quantity"])
    fashion = compared.loc["Fashion-MNIST"]

    assert variants.loc[0, "accuracy"] == pytest.approx(0.91)
    assert variants.loc[0, "deviation"] == pytest.approx(0.0141421, abs=1e-6)
    assert list(fashion["thesis"]) == ["90.08", "89.20", "-0.880"]
    assert list(fashion["here"]) == pytest.approx([91, 91, 0])
    assert fashion["here, no MLP"].isna().all()
    assert compared.loc["CIFAR10"]["here"].isna().all()


def test_means_are_over_seeds_and_not_over_settings_that_have_no_column(tmp_path: Path) -> None:
    models = tmp_path / "fashion-mnist"
    for seed, accuracy in enumerate((0.90, 0.92)):
        trained(models, f"small-{seed}", accuracy, heads=12)
        trained(models, f"large-{seed}", accuracy - 0.2, heads=12, dimension=24)

    made = accuracies(study(tmp_path / "out", models=(models,)))
    variants = made.tables["table-4.1-variants"].set_index("settings")

    assert list(variants["seeds"]) == [2, 2]
    assert variants["accuracy"].to_dict() == pytest.approx(
        {"dimension 12": 0.91, "dimension 24": 0.71}
    )
    fashion = made.tables["table-4.1"].set_index(["data", "quantity"]).loc["Fashion-MNIST"]
    assert fashion.loc["12 heads", "here"] == pytest.approx(91)


def test_models_of_two_folders_are_not_averaged(tmp_path: Path) -> None:
    folders = tmp_path / "fashion-mnist", tmp_path / "fashion-mnist-again"
    for folder, accuracy in zip(folders, (0.8, 0.9), strict=True):
        trained(folder, "twelve-0", accuracy, heads=12)

    made = accuracies(study(tmp_path / "out", models=folders))
    fashion = made.tables["table-4.1"].set_index(["data", "quantity"]).loc["Fashion-MNIST"]

    assert "settings" not in made.tables["table-4.1-variants"]
    assert fashion.loc["12 heads", "here"] == pytest.approx(90)


def test_accuracies_by_heads_are_of_the_way_of_training_with_the_most_numbers_of_heads(
    tmp_path: Path,
) -> None:
    models = tmp_path / "fashion-mnist"
    classes = study(tmp_path).classes
    for heads in (1, 2, 3):
        trained(models, f"alike-{heads}-heads-0", 0.9, classes, heads=heads)
    trained(models, "wider-0", 0.95, classes, heads=4, dimension=24)
    trained(models, "other-classes-0", 0.95, ("cat", "dog"), heads=6)

    made = accuracy_by_heads(study(tmp_path / "out", models=(models,)))

    (table,) = made.tables.values()
    assert sorted(set(table["heads"])) == [1, 2, 3]


@pytest.mark.parametrize(
    ("with_twelve", "data", "finding"),
    [
        (0.905, ["fashion-mnist"], "not tested"),
        (0.95, ["fashion-mnist"], "not held"),
        (0.95, ["cifar10", "tf-flowers"], "not tested"),
        (0.905, ["cifar10"], "not held"),
    ],
)
def test_one_data_set_speaks_against_what_attention_gains_and_only_all_for_it(
    tmp_path: Path, with_twelve: float, data: list[str], finding: str
) -> None:
    for name in data:
        trained(tmp_path / name, "none-0", 0.9, attention=False)
        trained(tmp_path / name, "twelve-0", with_twelve, heads=12)

    _, judge = CLAIMS[0]
    models = tuple(tmp_path / name for name in data)
    found = judge(study(tmp_path / "out", models=models), [])

    assert found.finding == finding
    assert "without models: " in found.numbers


def test_all_data_sets_together_can_hold_what_attention_gains(tmp_path: Path) -> None:
    gained = {"cifar10": 0.05, "tf-flowers": 0.05, "fashion-mnist": 0, "cinic10": 0.005}
    for name, gain in gained.items():
        trained(tmp_path / name, "none-0", 0.9, attention=False)
        trained(tmp_path / name, "twelve-0", 0.9 + gain, heads=12)

    _, judge = CLAIMS[0]
    found = judge(study(tmp_path / "out", models=tuple(tmp_path / name for name in gained)), [])

    assert found.finding == "held"


def test_without_trained_models_accuracies_are_those_that_the_given_models_record(
    tmp_path: Path,
) -> None:
    compared = accuracies(study(tmp_path)).tables["table-4.1"].set_index(["data", "quantity"])

    recorded = load(checkpoint_file("fashion-mnist-twelve-heads")).record["test_accuracy"]
    assert compared.loc[("Fashion-MNIST", "12 heads"), "here"] == pytest.approx(100 * recorded)
    assert pandas.isna(compared.loc[("Fashion-MNIST", "without attention"), "here"])


def test_accuracies_without_any_model_of_the_images_say_how_to_train_them(tmp_path: Path) -> None:
    with pytest.raises(MissingRequirementError, match="needs trained models: `harness data fetch"):
        accuracies(study(tmp_path, images="flowers-sample"))


def test_a_folder_without_checkpoints_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="holds no checkpoint"):
        accuracies(study(tmp_path, models=(tmp_path,)))


def test_the_images_clustered_are_the_first_of_the_set(tmp_path: Path) -> None:
    assert study(tmp_path).clustered_images() == "fashion-mnist-sample[count=2]"
    assert study(tmp_path, clustered=500).clustered_images() == "fashion-mnist-sample[count=20]"
