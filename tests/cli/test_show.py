import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import harness
from support.runs import Command, small_run

# Of the run `finished`, whose maps of 40 nodes lie on no grid.
MAP = "planted-1"


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos and a run of the shipped model on them; not to be written to."""
    folder = tmp_path_factory.mktemp("show")
    (folder / "photos").mkdir()
    random = np.random.default_rng(0)
    for name in ("a", "$b_1$"):
        pixels = random.integers(0, 256, (28, 28), dtype=np.uint8)
        pixels[8:20, 8:20] = 255
        Image.fromarray(pixels).save(folder / "photos" / f"{name}.png")
    small_run(
        folder / "out",
        images=f"folder[path={folder / 'photos'}]",
        clusterers="louvain,infomap",
        controls="uniform-noise",
        nulls=2,
    )
    return folder


def photo(pictured: Path, part: str) -> str:
    images = harness.open_run(pictured / "out").images()["image"]
    return str(next(image for image in images if part in image))


def test_without_an_image_all_are_listed(harness_command: Command, finished: Path) -> None:
    shown = harness_command("show", finished)

    assert (shown.returncode, shown.stderr) == (0, "")
    for name in ("planted-0", "planted-1", "planted-2"):
        assert name in shown.stdout


def test_a_map_is_shown_with_choice_profile_matrix_and_comparison(
    harness_command: Command, finished: Path
) -> None:
    shown = harness_command("show", finished, MAP)

    assert (shown.returncode, shown.stderr) == (0, "")
    run = harness.open_run(finished)
    for row in run.selections().query("image == @MAP and role == 'observed'").itertuples():
        assert f"{row.modularity:.3f}" in shown.stdout
        assert f"{row.level:.3f}" in shown.stdout
    assert "louvain: modularity, clusters below" in shown.stdout
    assert "control: permuted-rows" in shown.stdout
    assert "in the order of the clusters" in shown.stdout
    assert "with unions" in shown.stdout


def test_a_single_method_is_shown_without_comparison(
    harness_command: Command, finished: Path
) -> None:
    shown = harness_command("show", finished, MAP, "--method", "louvain")

    assert "louvain" in shown.stdout
    assert "infomap" not in shown.stdout
    assert "with unions" not in shown.stdout


def test_maps_without_a_grid_are_drawn_as_matrices(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    shown = harness_command("show", finished, MAP, "--out", "figures")

    written = sorted(path.name for path in (tmp_path / "figures").iterdir())
    names = ("matrix-infomap", "matrix-louvain", "profile")
    assert written == [f"{MAP}@{name}.{kind}" for name in names for kind in ("csv", "png", "svg")]
    assert all(f"figures/{name}" in shown.stdout for name in written)
    with (tmp_path / "figures" / f"{MAP}@profile.csv").open() as file:
        rows = list(csv.DictReader(file))
    chosen = {row["method"]: row["level"] for row in rows if row["selected"] == "1"}
    selections = harness.open_run(finished).selections().query("image == @MAP")
    assert {method: float(level) for method, level in chosen.items()} == dict(
        zip(selections["clusterer"], selections["level"], strict=True)
    )


def test_an_image_is_drawn_with_its_clusters_and_attention(
    harness_command: Command, pictured: Path, tmp_path: Path
) -> None:
    image = photo(pictured, "$b_1$")

    shown = harness_command("show", pictured / "out", image, "--out", "figures", "--query", "2,3")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "28×28 pixels, grey" in shown.stdout
    written = {path.name for path in (tmp_path / "figures").glob("*.png")}
    names = {"profile", "side-by-side", "query"}
    names |= {f"{kind}-{by}" for kind in ("overlay", "panels") for by in ("louvain", "infomap")}
    place = "%24b_1%24.png"
    assert written == {f"{place}@{name}.png" for name in names}
    assert "$b_1$" in (tmp_path / "figures" / f"{place}@overlay-louvain.svg").read_text()
    with (tmp_path / "figures" / f"{place}@query.csv").open() as file:
        attention = [float(row["head 0"]) for row in csv.DictReader(file)]
    run = harness.open_run(pictured / "out")
    report = run.image_report(image)
    assert report.grid is not None
    weights = run.weights(report)[0]
    assert np.allclose(attention, weights[2 * report.grid[1] + 3])


def test_figures_are_written_for_a_column_in_the_formats_asked_for(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    options = ("--width", "column", "--format", "pdf", "--method", "louvain")
    harness_command("show", finished, MAP, "--out", "figures", *options)

    kinds = {path.name.rpartition("@")[2] for path in (tmp_path / "figures").iterdir()}
    names = ("matrix-louvain", "profile")
    assert kinds == {f"{name}.{kind}" for name in names for kind in ("csv", "pdf")}
    page = (tmp_path / "figures" / f"{MAP}@profile.pdf").read_bytes()
    width = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", page)
    assert width is not None
    assert float(width[1]) < 3.5 * 72


@pytest.mark.slow
def test_figures_of_different_maps_are_different_files(
    harness_command: Command, deep: Path, tmp_path: Path
) -> None:
    images = harness.open_run(deep).images()["image"]
    maps = [(image, layer, head) for image in images[:2] for layer in "01" for head in "01"]
    for image, layer, head in maps:
        place = ("--layer", layer, "--head", head)
        harness_command("show", deep, image, *place, "--method", "louvain", "--out", "figures")

    profiles = {path.name for path in (tmp_path / "figures").glob("*@profile.png")}
    assert profiles == {
        f"{image}@layer={layer},head={head}@profile.png" for image, layer, head in maps
    }


def test_the_same_figures_are_the_same_files(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    for folder in ("one", "two"):
        harness_command("show", finished, MAP, "--method", "louvain", "--out", folder)

    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_an_image_that_is_another_by_now_is_left_out_and_that_is_said(
    harness_command: Command, pictured: Path
) -> None:
    image = photo(pictured, "a")
    path = pictured / "photos" / "a.png"
    before = path.read_bytes()
    try:
        Image.fromarray(np.zeros((28, 28), dtype=np.uint8)).save(path)
        shown = harness_command("show", pictured / "out", image)
    finally:
        path.write_bytes(before)

    assert shown.returncode == 0
    assert "Shown without the image: " in shown.stdout
    assert "its pixels are not those of the run" in shown.stdout
    assert "louvain" in shown.stdout


def test_an_image_without_a_map_is_listed_and_shown_with_the_reason(
    harness_command: Command, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    for name, side in (("small", 3), ("large", 28)):
        pixels = np.random.default_rng(0).integers(0, 256, (side, side), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{name}.png")
    run = small_run(tmp_path / "out", images=f"folder[path={tmp_path / 'photos'}]")
    reason = "small.png: 3×3 pixels is smaller than the 14×14 patch grid"

    listed = harness_command("show", run.folder)
    (row,) = [line for line in listed.stdout.splitlines() if line.startswith("small.png")]
    assert row.endswith(reason)

    shown = harness_command("show", run.folder, "small.png", "--out", "figures")
    assert f"louvain: skipped: {reason}" in shown.stdout
    assert "In all rows" not in shown.stdout
    assert "in the order of the clusters" not in shown.stdout
    assert "nothing to draw" in shown.stderr


def test_a_run_that_was_copied_finds_its_images_where_it_was_started(
    harness_command: Command, pictured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    shutil.copytree(pictured / "photos", there / "photos")
    monkeypatch.chdir(there)
    small_run(Path("out"), images="folder[path=photos]", extractors="one-layer-vit")
    shutil.move("out", tmp_path / "copy")

    found = harness_command("show", "copy", "a.png")
    shutil.rmtree(there)
    gone = harness_command("show", "copy", "a.png")

    assert (found.returncode, gone.returncode) == (0, 0)
    assert "Shown without the image" not in found.stdout
    assert "Shown without the image: " in gone.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["planted-9"], "there is no image 'planted-9'; did you mean 'planted-"),
        ([MAP, "--method", "luvain"], "did you mean 'louvain'?"),
        ([MAP, "--selector", "stable"], "did you mean 'stable-phase"),
        ([MAP, "--head", "2"], "the run has no head '2'; there are 0"),
        ([MAP, "--query", "0,0"], "--query changes the figures only; --out says where they go"),
        ([MAP, "--width", "page"], "--width changes the figures only; --out says where they go"),
        ([MAP, "--format", "pdf"], "--format changes the figures only; --out says where they go"),
        ([MAP, "--query", "0,0", "--out", "x"], "--query 0,0: the map's patches lie on no grid"),
        ([MAP, "--out", "/dev/null/x"], "/dev/null/x: cannot be written: Not a directory"),
    ],
)
def test_a_mistake_costs_one_line(
    harness_command: Command, finished: Path, arguments: list[str], line: str
) -> None:
    shown = harness_command("show", finished, *arguments)

    assert (shown.returncode, shown.stdout) == (1, "")
    assert line in shown.stderr
    assert shown.stderr.count("\n") == 1
