"""What specs, labels and names that users give refer to in a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.analysis.partitions import matching_spec, matching_specs
from support.runs import Command

IMAGE = "noise-0002"
REFERENCE = "louvain@selector=fixed[level=5e-1],images=noise[count=+3],layer=0,head=0"
STORED = "fixed[level=0.5]"
KNOWN = ("louvain[resolution=0.0]", "louvain[resolution=2.0]", "infomap")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("louvain", KNOWN[:2]),
        ("louvain[resolution=2.0]", KNOWN[1:2]),
        ("louvain[resolution=0]", KNOWN[:1]),
        ("louvain[ resolution=20e-1 ]", KNOWN[1:2]),
    ],
)
def test_a_text_means_every_spec_that_has_its_name_or_its_parameters(
    text: str, found: tuple[str, ...]
) -> None:
    assert matching_specs("clusterer", [text], KNOWN) == list(found)


def test_a_spec_that_is_stored_as_it_is_given_comes_before_one_that_is_written_otherwise() -> None:
    stored = ["mine[revision=1]", "mine[revision=1.0]"]

    assert [matching_spec("extractor", spec, stored) for spec in stored] == stored


def test_labels_may_write_numbers_otherwise_too() -> None:
    stored = ["hf[model=a/vit,size=9.0]", "hf[model=a/vit,size=7.0]"]

    assert matching_spec("extractor", "hf[size=9]", stored) == stored[0]


READERS: dict[str, Callable[[Path], Any]] = {
    "open_run": lambda path: set(
        harness.open_run(path, ["fixed[level=5e-1]"]).leaderboard(progress=False)["selector"]
    ),
    "partition": lambda path: {
        harness.open_run(path)
        .partition(
            IMAGE, "louvain@selector=fixed[level=5e-1],images=noise[count=+3],layer=0,head=0"
        )
        .selector
    },
    "image_report": lambda path: {
        each.selector
        for method in harness.open_run(path, ["fixed[level=+0.5]"])
        .image_report(IMAGE, {"images": "noise[ count = 3 ]"})
        .methods
        for each in method.selections
    },
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_run_is_read_with_a_spec_however_it_writes_numbers(
    deep: Path, read: Callable[[Path], Any]
) -> None:
    assert read(deep) == {STORED}


def test_an_image_is_loaded_with_the_spec_of_its_set_however_it_is_written(deep: Path) -> None:
    run = harness.open_run(deep)

    image, _ = run.image("noise[ count=0x3 ]", IMAGE)

    assert image.digest == run.images().set_index("image")["digest"][IMAGE]


@pytest.mark.parametrize(
    ("images", "image", "line"),
    [
        ("noise[count=4]", IMAGE, "the run has no image set 'noise[count=4]'; did you mean"),
        ("noise", "noise-0009", "noise-0009"),
    ],
)
def test_an_image_that_the_run_lacks_costs_one_line(
    deep: Path, images: str, image: str, line: str
) -> None:
    with pytest.raises(harness.HarnessError) as caught:
        harness.open_run(deep).image(images, image)

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


COMMANDS = {
    "leaderboard": ("leaderboard", "RUN", "--selector", "TEXT"),
    "per layer": ("leaderboard", "RUN", "--per", "layer", "--selector", "TEXT"),
    "compare": ("compare", "RUN", "RUN", "--selector", "TEXT"),
    "layers": ("layers", "RUN", "--of", "infomap", "--selector", "TEXT"),
    "show": ("show", "RUN", IMAGE, "--selector", "TEXT"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_commands_take_a_spec_however_it_writes_numbers(
    harness_command: Command, deep: Path, words: tuple[str, ...]
) -> None:
    def shown(text: str) -> tuple[int, str]:
        ended = harness_command(*({"RUN": deep, "TEXT": text}.get(word, word) for word in words))
        return ended.returncode, ended.stdout

    assert shown("fixed[level=5e-1]") == shown(STORED)
    assert shown(STORED)[0] == 0


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_commands_name_what_there_is_instead_of_an_unknown_spec(
    harness_command: Command, deep: Path, words: tuple[str, ...]
) -> None:
    given = {"RUN": deep, "TEXT": "fixed[level=0.25]"}

    ended = harness_command(*(given.get(word, word) for word in words))

    assert ended.returncode == 1
    assert "the run has no selector 'fixed[level=0.25]'; did you mean" in ended.stderr
    assert STORED in ended.stderr
    assert ended.stderr.count("\n") == 1
