"""A fault of a model is reported once, and of a control only where it cannot be drawn."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import harness
from harness.errors import RunStoppedError
from support import PLUGINS
from support.progress import Listener
from support.runs import Command, small_command, small_run

LOADING = "the file of the weights is damaged; fetch it again"
NAN = "attention weights must be finite"


@dataclass(frozen=True)
class Doubtful(harness.Extractor):
    """Refuses bright images; at the first one it is interrupted while a file is there."""

    name: ClassVar[str] = "doubtful"
    interrupts: Path

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        return [harness.HeadIndex(0, 0)]

    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        for image in images:
            if image.pixels.max() > 99:
                if self.interrupts.exists():
                    raise KeyboardInterrupt
                raise ValueError("too bright")
            weights = np.random.default_rng(int(image.pixels.max())).random((9, 9))
            yield harness.AttentionMap(weights, image.key, variant=image.variant)


def run(out: Path, extractors: str, heard: Listener, **changes: Any) -> harness.Run:
    plugins = [PLUGINS / "choosy.py", PLUGINS / "unruly.py"]
    given = {"images": "noise[count=7]", "controls": "uniform-noise", "nulls": 3}
    return small_run(
        out, extractors=extractors, plugins=plugins, progress=heard, **{**given, **changes}
    )


@pytest.mark.parametrize(
    ("loads", "count", "reason"),
    [("false", 7, LOADING), ("true", 7, NAN), ("true", 2, NAN), ("true", 1, NAN)],
)
def test_a_models_fault_ends_a_run_that_has_no_other_maps(
    tmp_path: Path, loads: str, count: int, reason: str
) -> None:
    heard, extractor = Listener(), f"broken-model[loads={loads}]"

    for _ in range(2):
        with pytest.raises(harness.HarnessError, match=reason) as raised:
            run(tmp_path / "out", extractor, heard, images=f"noise[count={count}]")
        assert str(raised.value).startswith(f"broken-model{'[loads=true]' * (loads == 'true')}: ")
    assert heard.warnings == []
    assert set(harness.open_run(tmp_path / "out").statuses()) == {"missing"}


def test_sound_extractors_go_on_beside_a_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    heard = Listener()

    finished = run(tmp_path / "out", "broken-model,unruly-extractor", heard)

    cells = finished.cells()
    assert heard.warnings == [f"broken-model: {LOADING}"]
    assert set(cells[cells.extractor == "unruly-extractor"].status) == {"ok"}
    skipped = cells[cells.extractor == "broken-model"]
    assert (set(skipped.status), LOADING in skipped.reason.iloc[0]) == ({"skipped"}, True)


def test_a_model_whose_heads_are_unknown_costs_its_own_maps_until_it_is_mended(
    tmp_path: Path,
) -> None:
    heard, config = Listener(), tmp_path / "config.json"
    broken = f"broken-model[config={config}]"

    def finished() -> harness.Run:
        return run(tmp_path / "out", f"{broken},unruly-extractor", heard)

    missing = f"FileNotFoundError: [Errno 2] No such file or directory: '{config}'"
    cells = finished().cells()
    assert heard.warnings == [f"{broken}: {missing}"]
    assert set(cells[cells.extractor == "unruly-extractor"].status) == {"ok"}
    lost = cells[cells.extractor == broken]
    assert (len(lost), set(lost.status)) == (7, {"skipped"})
    assert lost.reason.str.contains(missing, regex=False).all()

    config.touch()
    cells = finished().cells()
    assert heard.warnings[1:] == [f"{broken}: {LOADING}"]
    assert cells.reason[cells.extractor == broken].str.contains(LOADING).all()


def test_a_run_of_models_whose_heads_are_all_unknown_ends(tmp_path: Path) -> None:
    extractors = [f"broken-model[config={tmp_path}/{name}]" for name in "ab"]

    with pytest.raises(harness.HarnessError, match=r"/a'; broken-model.*/b'$"):
        run(tmp_path / "out", ",".join(extractors), Listener())

    assert not (tmp_path / "out" / "run.sqlite").exists()


def test_a_model_that_fails_on_the_first_images_alike_is_stopped(tmp_path: Path) -> None:
    heard = Listener()

    finished = run(tmp_path / "out", "broken-model[loads=true],unruly-extractor", heard)

    cells = finished.cells().query("extractor == 'broken-model[loads=true]' and role == 'observed'")
    assert cells.reason.str.startswith("stopped, as its first 5 all failed alike").sum() == 2
    assert len(heard.warnings) == 1


def test_a_resumed_run_tries_as_many_images_as_one_that_was_never_interrupted(
    tmp_path: Path,
) -> None:
    marker = tmp_path / "marker"
    values = [1, *range(100, 106), 2]
    given = {
        "images": [np.full((4, 4), value, dtype=np.uint8) for value in values],
        "extractors": Doubtful(marker),
    }
    fresh = small_run(tmp_path / "fresh", **given)
    marker.touch()
    with pytest.raises(KeyboardInterrupt):
        small_run(tmp_path / "resumed", **given)
    marker.unlink()

    resumed = small_run(tmp_path / "resumed", **given)

    assert resumed.statuses() == fresh.statuses() == {"ok": 2, "skipped": 6}
    assert set(resumed.cells().reason) == {"", "ValueError: too bright"}


def test_what_an_extractor_warns_of_is_shown_once_without_what_its_libraries_warn_of(
    tmp_path: Path,
) -> None:
    heard = Listener()

    small_run(
        tmp_path / "out",
        images="noise[count=3]",
        extractors="cautious",
        plugins=[PLUGINS / "cautious.py"],
        progress=heard,
    )

    assert heard.warnings == ["cautious: half of the patches are made up"]


def test_the_command_ends_with_one_line_and_exit_code_one(harness_command: Command) -> None:
    plugin = ("--plugin", PLUGINS / "choosy.py")

    finished = harness_command(*small_command(None, *plugin, extractors="broken-model"))

    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1] == f"harness: broken-model: {LOADING}"
    assert finished.stderr.count(LOADING) == 1


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """A map of which permuted rows can be drawn, and preserved strengths cannot."""
    weights = np.roll(np.eye(24), 1, 1) * 0.6 + np.roll(np.eye(24), -1, 1) * 0.4
    np.save(tmp_path / "ring.npy", weights)
    return tmp_path / "ring.npy"


@pytest.mark.parametrize("pooling", ["group", "image"])
@pytest.mark.parametrize(
    "controls", ["permuted-rows,preserved-strengths", "preserved-strengths,permuted-rows"]
)
def test_a_control_that_cannot_be_drawn_costs_only_the_test_under_it(
    tmp_path: Path, ring: Path, controls: str, pooling: str
) -> None:
    heard = Listener()
    how = {"selectors": "excess-modularity", "nulls": 4, "pooling": pooling}

    both = small_run(tmp_path / "both", ring, controls=controls, progress=heard, **how)
    alone = small_run(tmp_path / "alone", ring, controls="permuted-rows", **how)

    (line,) = heard.warnings
    assert line.startswith("preserved-strengths of ring: ")
    assert line.endswith("(and 3 more like it)")
    assert both.controls()[0] == "permuted-rows"
    assert both.tests().control.tolist() == ["permuted-rows"]
    one, other = both.leaderboard()[0], alone.leaderboard()[0]
    assert (one.ok, one.excess, one.p_value) == (other.ok, other.excess, other.p_value)
    assert one.p_value is not None


def test_the_table_of_controls_counts_no_tests_under_one_that_was_not_drawn(
    tmp_path: Path, ring: Path, harness_command: Command
) -> None:
    controls = "permuted-rows,preserved-strengths"
    run = small_run(tmp_path / "out", ring, controls=controls, nulls=2)

    shown = harness_command("leaderboard", run.folder).stdout.splitlines()

    (row,) = [line.split() for line in shown if line.endswith("–") and "preserved" in line]
    assert row[-4:] == ["preserved-strengths", "–", "–", "–"]


@dataclass(frozen=True)
class Losing(harness.Selector):
    """Selects the first level, and once removes the maps of a run, as a user may."""

    name: ClassVar[str] = "losing"
    maps: Path
    once: Path

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        if self.once.exists():
            for path in (self.once, *self.maps.glob("*.npy")):
                path.unlink()
        return harness.Selection(0, profile.points[0].modularity, accepted=True)


def test_a_run_stops_if_the_file_of_a_stored_map_is_lost_and_goes_on_when_it_is_resumed(
    planted: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    selector = Losing(out / "maps", tmp_path / "once")

    def run() -> harness.Run:
        return small_run(
            out, planted, selectors=selector, controls="permuted-rows", perturbations="seeds"
        )

    selector.once.touch()
    with pytest.raises(RunStoppedError, match="is gone or damaged; the same command"):
        run()

    with pytest.warns(UserWarning, match="6 of 9 cells are computed"):
        assert harness.open_run(out).failures() == {"cell missing": 3}
    assert run().statuses() == {"ok": 9}
