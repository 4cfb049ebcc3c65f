"""What `harness run` says of suites, mistakes and inputs that cannot be read."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import harness
from support.runs import Command, six_cells, small_command


def test_a_suite_file_holds_a_run_and_flags_win_over_it(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(
        f'extractors = "arrays[path={planted}]"\ncontrols = ["none"]\n'
        'clusterers = ["louvain", "infomap"]\nselectors = "max-modularity"\nlevels = 3\n'
        'isolation = "none"\n'
    )
    finished = harness_command("run", "mine.toml", "--clusterers", "louvain", "--json")

    assert finished.returncode == 0, finished.stderr
    document = json.loads(finished.stdout)
    assert document["run"].startswith("results/mine-")
    assert [row["clusterer"] for row in document["rows"]] == ["louvain"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--clusterers", "louvian"], "there is no clusterer 'louvian'; did you mean 'louvain'?"),
        (["--clusterers", "louvain[resoluton=1]"], "did you mean 'resolution'?"),
        (["--clusterers", "louvain[resolution=abc]"], "resolution takes a number, not 'abc'"),
        (["--clusterers", "louvain[resolution=-1]"], "resolution must be above 0, not -1.0"),
        (["--clusterers", "louvain[resolution=1"], "a [ is not closed"),
        (["--clusterers", "stable-phase"], "'stable-phase' is no clusterer but a selector"),
        (["--clusterers", ""], "at least one clusterer is needed"),
        (["--clusterers", "louvain,"], "'louvain,': a comma with nothing before or after it"),
        (["--controls", "none,uniform-noise"], "--controls: none stands alone"),
        (["--images", "folder[path=nowhere]"], "nowhere"),
        (["--images", "folder"], "path is required: folder[path=…]"),
        (["--images", "folder[path=maps]"], "maps"),
        (
            ["--extractors", "arrays[path=x.npy]", "--controls", "uniform-noise"],
            "no images to draw uniform-noise from",
        ),
        (
            ["--extractors", "arrays[path=nowhere.npy]", "--controls", "permuted-rows"],
            "nowhere.npy",
        ),
        (["--controls", "none"], "there is no control; add permuted-residuals to the controls"),
        (["--extractors", "one-layer-vit[checkpoint=nowhere]"], "nowhere"),
        (["--levels", "0"], "--levels: expected a whole number from 1 to 10000, not 0"),
        (["--timeout", "0"], "--timeout: expected a positive number below 1e+07, not 0.0"),
        (["--timeout", "=3"], "--timeout: the name of a clusterer is missing"),
        (["-j", "0"], "--workers: expected a whole number from 1 to 1000, not 0"),
        (["--force", "louvian"], "--force: this run has no component 'louvian'"),
        (["--isolation", "none", "--dask", "local"], "leave out --isolation none or --dask"),
        (["--levels", "many"], "--levels"),
        (["--cluster", "louvain"], "unrecognized arguments: --cluster"),
        (["--plugin", "nowhere.py"], "--plugin: nowhere.py: no such file"),
        (
            ["--lvels=3"],
            "unrecognized arguments: --lvels=3; did you mean '--levels'? (see harness run",
        ),
        (["--out", "maps/planted-0.npy/out"], "cannot be written"),
        (["nowhere.toml"], "nowhere.toml: the suite cannot be read"),
    ],
)
def test_a_mistake_costs_one_clear_line(
    harness_command: Command, planted: Path, arguments: list[str], line: str
) -> None:
    finished = harness_command("run", *arguments)

    assert finished.returncode == 1
    assert finished.stdout == ""
    (error,) = [text for text in finished.stderr.splitlines() if not text.startswith("warning")]
    assert error.startswith("harness: ")
    assert line in error


def test_an_unknown_key_of_a_suite_is_an_error_with_a_suggestion(
    harness_command: Command, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text('clusterer = "louvain"\n')

    finished = harness_command("run", "mine.toml")

    assert finished.returncode == 1
    assert "mine.toml: unknown key 'clusterer'; did you mean 'clusterers'?" in finished.stderr


def test_a_wrong_value_in_a_suite_is_blamed_on_the_suite_and_not_on_a_flag(
    harness_command: Command, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text("nulls = 0\n")

    finished = harness_command("run", "mine.toml", "--nulls", "3")

    assert finished.stderr == (
        "harness: mine.toml: nulls: expected a whole number from 1 to 100000, not 0\n"
    )


def test_an_unreadable_map_is_reported_by_name_and_counts_in_every_denominator(
    harness_command: Command, planted: Path
) -> None:
    (planted / "broken.npy").write_text("no array")

    finished = harness_command(*six_cells(planted, "--json"))

    assert finished.returncode == 2
    assert "broken" in finished.stderr
    assert finished.stderr.splitlines()[-1] == "exit status 2: 1 map could not be read or made"
    (row,) = json.loads(finished.stdout)["rows"]
    assert (row["ok"], row["total"], row["tier"]) == (3, 4, 1)


def test_an_unreadable_image_costs_nobody_a_tier_and_is_the_reason_of_the_exit_status(
    harness_command: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (6, 28, 28))):
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    (folder / "bad.png").write_text("no picture")

    finished = harness_command(
        *small_command(
            images=f"folder[path={folder}]",
            extractors="one-layer-vit",
            clusterers="louvain,infomap",
            out="out",
        )
    )

    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1] == "exit status 2: 1 image could not be read"
    assert "Ranked over 6 of 7 images, which all completed." in " ".join(finished.stdout.split())
    (compared,) = harness.open_run(tmp_path / "out").comparisons()
    assert [row.tier is None for row in compared.rows] == [False, False]
    assert compared.pairs[0].p is not None


def test_where_no_image_can_be_read_that_is_the_one_complaint(
    harness_command: Command, tmp_path: Path
) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "bad.png").write_text("no picture")

    finished = harness_command(
        *small_command(
            images="folder[path=first],folder[path=second]",
            extractors="one-layer-vit",
            controls="permuted-rows",
            out="out",
        )
    )

    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1] == "exit status 2: 2 images could not be read"
    assert "no control is drawn" not in finished.stderr
    assert finished.stderr.count("it was trained on") == 1
    assert "Run without a control, as none was drawn: " in " ".join(finished.stdout.split())


@pytest.mark.parametrize(
    ("nulls", "line"),
    [
        (
            3,
            "p is at least .25, too large for q ≤ .05 even if all 3 tests reach it",
        ),
        (39, "p is at least .025, and q ≤ .05 takes 2 of 3 tests that reach it"),
    ],
)
def test_a_run_says_before_it_starts_what_its_tests_can_reach(
    harness_command: Command, planted: Path, nulls: int, line: str
) -> None:
    run = six_cells(planted, "--nulls", nulls, "--out", "out")

    dry = harness_command(*run, "--dry-run")
    document = json.loads(harness_command(*run, "--dry-run", "--json").stdout)

    assert dry.stdout.splitlines()[1] == f"permuted-rows: {nulls} draws a test: {line}"
    assert document["tests"]["permuted-rows"]["most_draws"] == nulls
    if nulls == 3:
        assert (
            f"permuted-rows: {nulls} draws a test: {line}"
            in harness_command(*run).stderr.splitlines()
        )
