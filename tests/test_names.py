"""Names of files, folders and images that consist of any bytes, from the inputs to every output."""

import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas
import pytest
from PIL import Image

import harness
from harness.plugin.spec import format_value
from support import PLUGINS
from support.runs import Command, small_command, small_run

# Not UTF-8, what specs parse, a text turned round, and an escape sequence.
ODD = os.fsdecode(b"o\xe9, ]\"'=$ \xe2\x80\xae\x1b[2J")
IMAGES = {
    b"a\xe9.png": r"a\xe9.png",
    rb"a\xe9.png": r"a\\xe9.png",
    b"b\x1b[2J.png": "b\x1b[2J.png",
    b"c\n\td.png": "c\n\td.png",
    b"-e.png": "-e.png",
    "f\u202e$x$<b>.png".encode(): "f\u202e$x$<b>.png",
    "é.png".encode(): "é.png",
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run in which everything has an odd name; not to be written to."""
    folder = tmp_path_factory.mktemp("names")
    images = folder / ODD
    images.mkdir()
    for seed, name in enumerate(IMAGES):
        pixels = np.random.default_rng(seed).integers(0, 255, (8, 8), dtype=np.uint8)
        with (images / os.fsdecode(name)).open("wb") as file:
            Image.fromarray(pixels).save(file, "PNG")
    plugin = folder / f"{ODD}.py"
    plugin.write_bytes((PLUGINS / "deep.py").read_bytes())
    return small_run(
        folder / f"{ODD}-run",
        images=f"folder[path={format_value(images)}]",
        extractors="deep",
        plugins=[plugin],
    ).folder


def test_each_file_is_an_image_of_its_own(odd: Path) -> None:
    assert set(harness.open_run(odd).images()["image"]) == set(IMAGES.values())
    assert set(harness.open_run(odd).statuses()) == {"ok"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("leaderboard", "RUN"),
        ("show", "RUN"),
        *(("show", "RUN", "--", name) for name in IMAGES.values()),
        ("compare", "RUN", "RUN"),
        ("layers", "RUN"),
        ("export", "RUN", "--out", ODD),
        ("export", "RUN", "--out", ODD, "--format", "csv"),
    ],
    ids=ascii,
)
def test_what_commands_print_of_odd_names_is_printable(
    harness_command: Command, odd: Path, arguments: tuple[str, ...]
) -> None:
    words = [str(odd) if word == "RUN" else word for word in arguments]
    if words[0] == "show":
        words[1:1] = ["--plugin", str(odd.with_name(f"{ODD}.py"))]

    shown = harness_command(*words)

    assert shown.returncode == 0, shown.stderr
    assert all(line.isprintable() for line in (shown.stdout + shown.stderr).splitlines())


@pytest.mark.parametrize("name", IMAGES.values(), ids=ascii)
def test_what_a_notebook_shows_of_odd_names_is_escaped_and_printable(odd: Path, name: str) -> None:
    run = harness.open_run(odd)

    image = run.image_report(name), run.partition(name, "louvain@layer=0,head=0,level=0")
    for shown in (run, run.leaderboard(), *image):
        html = shown._repr_html_()
        assert "<b>" not in html
        assert all(line.isprintable() for line in (repr(shown) + html).splitlines())


def test_figures_of_odd_names_are_valid(
    harness_command: Command, odd: Path, tmp_path: Path
) -> None:
    plugin = odd.with_name(f"{ODD}.py")

    drawn = harness_command("show", odd, "b\x1b[2J.png", "--plugin", plugin, "--out", ODD)

    assert drawn.returncode == 0, drawn.stderr
    assert "Warning" not in drawn.stderr
    figures = [file for file in (tmp_path / ODD).iterdir() if file.suffix == ".svg"]
    assert figures
    for figure in figures:
        ElementTree.parse(figure)


def test_exported_tables_keep_names_exactly(
    harness_command: Command, odd: Path, tmp_path: Path
) -> None:
    harness_command("export", odd, "--out", ODD)
    harness_command("export", odd, "--out", ODD, "--format", "csv")

    for read, suffix in ((pandas.read_parquet, "parquet"), (pandas.read_csv, "csv")):
        with (tmp_path / ODD / f"images.{suffix}").open("rb") as file:
            assert set(read(file)["image"]) == set(IMAGES.values())


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_a_run_in_worker_processes_writes_to_the_folder_named(
    harness_process: Command,
    tmp_path: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    name = os.fsdecode(b"caf\xe9 \xc3\xa9")
    (tmp_path / name).mkdir()
    for array in (b"m\xe9.npy", "é.npy".encode()):
        with (tmp_path / name / os.fsdecode(array)).open("wb") as file:
            np.save(file, np.random.default_rng(0).random((16, 16)))
    extractor = f'arrays[path="{name}"]'

    finished = harness_process(
        *small_command(None, extractors=extractor, isolation="process", out=f"{name}-run")
    )

    assert finished.returncode == 0, finished.stderr
    assert sorted(os.listdir(tmp_path)) == sorted([name, f"{name}-run"])
    run = harness.open_run(tmp_path / f"{name}-run")
    assert set(run.cells()["image"]) == {r"m\xe9", "é"}
