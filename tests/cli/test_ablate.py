import csv
import json
from pathlib import Path

import pytest

import harness
from support.runs import Command, small_run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the shipped model on six images, not to be written to."""
    run = small_run(
        tmp_path_factory.mktemp("ablate") / "out",
        images="fashion-mnist-sample[count=6]",
        clusterers="louvain,infomap",
        selectors="fixed[level=0.6]",
    )
    return run.folder


def test_all_images_are_contrasted_with_chance(harness_command: Command, finished: Path) -> None:
    shown = harness_command("ablate", finished, "--of", "louvain@k=3", "--draws", "20", "--json")

    document = json.loads(shown.stdout)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert len(document["images"]) + len(document["nothing"]) == 6
    assert document["settings"]["at"] == "block"
    assert {each["removed"] for each in document["contrasts"]} == {
        "most salient", "least salient", "each",
    }  # fmt: skip
    for image in document["images"]:
        assert image["labelled"]
        for effect in image["effects"]:
            assert effect["random"]["expected"] is not None


@pytest.mark.parametrize(
    "words",
    [("ablate", "--of", "louvain"), ("ablate", "--of", "louvain@k=3"), ("foreground", "--above=0")],
    ids=" ".join,
)
def test_a_published_run_says_first_that_it_has_no_maps(
    harness_command: Command, finished: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    published = harness.open_run(finished).publish(tmp_path / "published", progress=False).folder
    before = {path: path.read_bytes() for path in published.rglob("*") if path.is_file()}

    ended = harness_command(words[0], published, *words[1:])

    assert ended.returncode == 1
    assert ended.stderr == (
        f"harness: {published}: a published run has no attention maps; use the run's own folder\n"
    )
    assert {path: path.read_bytes() for path in published.rglob("*") if path.is_file()} == before


def test_tables_of_an_image_name_its_clusters_and_chance(
    harness_command: Command, finished: Path
) -> None:
    shown = harness_command("ablate", finished, "00019-t-shirt", "--of", "louvain")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "clusters, most salient first: " in shown.stdout
    assert "removed are rows of the block's output" in shown.stdout
    assert "contiguous" in shown.stdout
    assert "Mean changes over images" not in shown.stdout


def test_several_images_have_tables_of_all(harness_command: Command, finished: Path) -> None:
    shown = harness_command(
        "ablate", finished, "--of", "louvain", "--at", "keys", "--draws", "10", "--together", "1"
    )

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "6 of 6 are predicted right" in shown.stdout
    assert "The least salient cluster (background) removed" in shown.stdout
    assert "clusters, most salient first" not in shown.stdout


def test_a_file_has_a_row_for_each_set_of_patches(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    shown = harness_command(
        "ablate", finished, "00019-t-shirt", "--of", "louvain", "--at", "attention",
        "--draws", "10", "--csv", "effects.csv", "--json",
    )  # fmt: skip

    images = json.loads(shown.stdout)["images"]
    with (tmp_path / "effects.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(image["effects"]) for image in images)
    first = images[0]["effects"][0]
    assert float(rows[0]["logit"]) == first["logit"]
    assert float(rows[0]["logit_7"]) == first["logits"][7]
    assert float(rows[0]["contiguous_p"]) == first["contiguous"]["p"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "the run has clusters of louvain, infomap; choose one, as in --of louvain"),
        (["00019", "--of", "louvain"], "there is no image '00019'"),
        (["--of", "louvain", "--at", "keys", "--fill", "mean"], "keys are masked, not filled"),
        (["--of", "louvain", "--at", "head"], "argument --at: invalid choice: 'head'"),
        (["00019-t-shirt", "--of", "louvain", "--csv", "no/such.csv"], "no/such.csv: cannot be"),
    ],
)
def test_a_mistake_costs_one_line(
    harness_command: Command, finished: Path, arguments: list[str], line: str
) -> None:
    shown = harness_command("ablate", finished, *arguments)

    assert shown.returncode == 1
    assert line in shown.stderr
    assert shown.stderr.count("\n") == 1
