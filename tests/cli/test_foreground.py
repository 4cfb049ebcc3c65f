import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import harness
from support.runs import Command, small_run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the shipped model on six images, not to be written to."""
    run = small_run(
        tmp_path_factory.mktemp("foreground") / "out",
        images="fashion-mnist-sample[count=6]",
        selectors="fixed[level=0.6]",
    )
    return run.folder


def test_a_table_compares_clusters_with_baselines(harness_command: Command, finished: Path) -> None:
    shown = harness_command("foreground", finished, "--above", "0")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "foreground: pixels above 0" in shown.stdout
    for name in ("louvain", "spatial blocks", "pixel k-means", "chance", "most salient"):
        assert name in shown.stdout
    assert "louvain: 6 maps of 6 images count" in shown.stdout


@pytest.mark.parametrize(("width", "p_values"), [("60", 1), ("80", 2)])
def test_no_p_stands_without_its_difference(
    harness_command: Command,
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    width: str,
    p_values: int,
) -> None:
    monkeypatch.setenv("COLUMNS", width)

    shown = harness_command("foreground", finished, "--above", "0").stdout

    (heading,) = (
        line.split() for line in shown.splitlines() if "AMI more" in line and "  p" in line
    )
    assert heading.count("p") == p_values <= heading.count("more")


def test_json_and_csv_have_a_row_for_each_map(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    shown = harness_command(
        "foreground", finished, "--above", "0", "--json", "--csv", tmp_path / "maps.csv"
    )
    document = json.loads(shown.stdout)
    with (tmp_path / "maps.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [row["image"] for row in document["maps"]]
    assert [float(row["ami"]) for row in rows] == [
        row["clusters"]["ami"] for row in document["maps"]
    ]
    assert [float(row["chance_best_iou"]) for row in rows] == [
        row["chance"]["best_iou"] for row in document["maps"]
    ]
    assert len(rows) == document["methods"][0]["images"] == 6


def test_masks_and_brightness_can_define_the_same_foreground(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    images = harness.make("image set", "fashion-mnist-sample[count=6]")
    for key in images.keys():
        drawn = (images.load(key).pixels[:, :, 0] > 0).astype(np.uint8)
        Image.fromarray(drawn * 255).save(tmp_path / f"{key}.png")
    by_mask, by_brightness = (
        json.loads(harness_command("foreground", finished, *definition, "--json").stdout)["maps"]
        for definition in (("--masks", tmp_path), ("--above", "0"))
    )
    assert by_mask == by_brightness


def test_label_masks_tell_objects_apart_and_what_does_not_match_is_named(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    first, *keys = harness.make("image set", "fashion-mnist-sample[count=6]").keys()
    for key in keys:
        drawn = np.zeros((28, 28), dtype=np.uint8)
        drawn[4:24, 2:14], drawn[4:24, 14:26] = 1, 2
        Image.fromarray(drawn).save(tmp_path / f"{key}.png")

    shown = harness_command("foreground", finished, "--labels", tmp_path)
    document = json.loads(
        harness_command("foreground", finished, "--labels", tmp_path, "--json").stdout
    )

    assert f"images without a mask (1): {first}\n" in shown.stdout
    assert "1 are of images without a usable mask" in shown.stdout
    assert document["excluded"] == [{"what": "images without a mask", "names": [first]}]
    assert {each["n_objects"] for each in document["maps"]} == {None, 2}


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ((), "one of the arguments --above --masks --labels is required"),
        (("--masks", "nowhere"), "nowhere: no such folder"),
        (("--labels", "nowhere"), "nowhere: no such folder"),
        (("--above", "300"), "expected a brightness from 0 to 254, not 300"),
    ],
)
def test_a_mistake_is_one_line(
    harness_command: Command, finished: Path, definition: tuple[str, ...], message: str
) -> None:
    shown = harness_command("foreground", finished, *definition)
    assert shown.returncode == 1
    assert message in shown.stderr
    assert shown.stderr.count("\n") == 1
