"""What a published run gives its readers, and what they say of files that are not sound."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow
import pytest

import harness
from harness.store import open_for_reading
from harness.store.publication import CHECKED, CHECKSUMS, PROVENANCE, write_checksums
from support.published import rewrite, set_column
from support.runs import small_run

FRAMES = ("images", "cells", "points", "selections", "tests", "stabilities", "scores")


def same(first: pandas.DataFrame, second: pandas.DataFrame) -> bool:
    try:
        pandas.testing.assert_frame_equal(first, second, check_exact=True)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("by", [None, "seconds", "conductance"])
def test_a_published_run_has_the_leaderboard_of_the_run(
    source: harness.Run, selected: Path, by: str | None
) -> None:
    expected = source.leaderboard(by, progress=False)
    found = harness.open_run(selected).leaderboard(by, progress=False)

    assert vars(found) | {"run": ""} == vars(expected) | {"run": ""}


@pytest.mark.parametrize("name", [name for name in FRAMES if name not in ("points", "cells")])
def test_a_published_run_has_the_frames_of_the_run(
    source: harness.Run, selected: Path, name: str
) -> None:
    expected = getattr(source, name)()

    assert len(expected) or name == "images"
    assert same(getattr(harness.open_run(selected), name)(), expected)


def test_cells_are_published_without_their_tracebacks(source: harness.Run, selected: Path) -> None:
    cells = source.cells()

    assert "Traceback" in set(cells["detail"])
    assert same(harness.open_run(selected).cells(), cells.assign(detail="").astype(cells.dtypes))


def test_with_all_levels_the_points_are_those_of_the_run(
    source: harness.Run, tmp_path: Path
) -> None:
    whole = source.publish(tmp_path / "whole", all_levels=True, progress=False)

    assert same(whole.points(), source.points())
    assert not source.compare(whole, progress=False).selected_only


def test_the_points_are_those_of_selected_levels_and_draws_have_no_labels(
    planted_maps: Path, tmp_path: Path
) -> None:
    maps = np.stack([np.load(path) for path in sorted(planted_maps.glob("*.npy"))])
    run = small_run(tmp_path / "run", maps, controls="permuted-rows", nulls=6, levels=5)
    candidates = run.selections().set_index("image")["candidate"].to_dict()

    points = run.publish(tmp_path / "published", progress=False).points()

    assert len(points) == len(run.cells())
    assert all(candidates[row.image] == row.point for row in points.itertuples())
    labelled = points["labels"].map(len) > 0
    assert (labelled == (points["role"] == "observed")).all()
    before = run.points().set_index(["cell", "point"])["labels"]
    for row in points[labelled].itertuples():
        assert (row.labels == before[row.cell, row.point]).all()


def test_draws_that_stand_for_all_maps_of_a_group_keep_their_levels(
    planted_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Three maps and two draws: one map has none of its own.
    monkeypatch.setattr("harness.planning.plan.MOST_NULLS", 2)
    maps = np.stack([np.load(path) for path in sorted(planted_maps.glob("*.npy"))])
    run = small_run(tmp_path / "run", maps, controls="permuted-rows", nulls=1, levels=5)
    drawn = run.cells().query("role == 'control'")["image"].nunique()
    assert drawn < len(maps)

    published = run.publish(tmp_path / "published", progress=False)

    assert same(published.leaderboard(progress=False).to_frame(), run.leaderboard().to_frame())


def test_planted_communities_are_compared_at_all_levels(tmp_path: Path) -> None:
    run = small_run(
        tmp_path / "run", extractors="planted[count=2,n=36]", controls="permuted-rows", levels=4
    )

    board = run.publish(tmp_path / "published", progress=False).leaderboard(progress=False)

    assert board["ari_best"].tolist() == run.leaderboard(progress=False)["ari_best"].tolist()
    assert not math.isnan(board["ari_best"][0])


def test_maps_may_have_failed_after_their_cells_were_computed(
    source: harness.Run, published: Path
) -> None:
    expected = source.leaderboard(progress=False)

    rewrite(published, "maps", set_column("maps", "reason", "no memory"))

    assert harness.open_run(published).leaderboard(progress=False).rows == expected.rows


def test_a_comparison_with_the_run_finds_no_difference(source: harness.Run, selected: Path) -> None:
    found = source.compare(harness.open_run(selected), progress=False)

    assert found.identical
    assert found.selected_only


def test_a_comparison_finds_other_labels_at_selected_levels(
    source: harness.Run, published: Path
) -> None:
    def change(table: pyarrow.Table) -> pyarrow.Table:
        frame = table.to_pandas()
        frame["labels"] = [None if each is None else each[::-1] for each in frame["labels"]]
        return pyarrow.Table.from_pandas(frame, table.schema, preserve_index=False)

    rewrite(published, "stabilities", lambda table: table.slice(0, 0))
    rewrite(published, "points", change)

    found = source.compare(harness.open_run(published), progress=False)

    assert found.relabelled > 0


def test_the_labels_of_a_selected_level_are_read_by_reference(
    source: harness.Run, selected: Path
) -> None:
    image = source.cells()["image"].iloc[-1]
    reference = "louvain@selector=max-modularity"

    found = harness.open_run(selected).partition(image, reference)

    expected = source.partition(image, reference)
    assert (found.labels == expected.labels).all()
    assert found.level == expected.level


@pytest.mark.parametrize("reference", ["louvain@k=2", "louvain@level=0.5"])
def test_levels_that_were_not_published_are_said_to_be_missing(
    planted_maps: Path, tmp_path: Path, reference: str
) -> None:
    maps = np.stack([np.load(path) for path in sorted(planted_maps.glob("*.npy"))])
    run = small_run(tmp_path / "run", maps, levels=5)
    published = run.publish(tmp_path / "published", progress=False)

    with pytest.raises(harness.HarnessError, match="published with the selected levels alone"):
        published.partition("image-0", reference)
    with pytest.raises(harness.HarnessError, match="published with the selected levels alone"):
        published.image_report("image-0")


def test_a_cell_without_any_published_level_says_why(tmp_path: Path) -> None:
    class Refusing(harness.Selector):
        name = "refusing"

        def select(
            self, profile: harness.Profile, controls: Sequence[harness.Profile]
        ) -> harness.Selection:
            raise harness.HarnessError("no level suits")

    maps = np.random.default_rng(0).dirichlet(np.ones(9), (1, 9))
    run = small_run(tmp_path / "run", maps, selectors=dataclass(frozen=True)(Refusing)())
    published = run.publish(tmp_path / "published", progress=False)

    with pytest.raises(harness.HarnessError, match=r"refusing chose no level \(no level suits\)"):
        published.partition("image-0", "louvain")
    with pytest.raises(harness.HarnessError, match="published with the selected levels alone"):
        published.partition("image-0", "louvain@k=2")


def test_maps_are_said_to_be_missing(source: harness.Run, selected: Path) -> None:
    with (
        pytest.raises(harness.HarnessError, match="has no attention maps"),
        open_for_reading(selected) as store,
    ):
        store.maps_folder.exists()


def test_nothing_is_written_to_a_published_run(published: Path) -> None:
    before = {path: path.read_bytes() for path in published.rglob("*") if path.is_file()}
    run = harness.open_run(published)

    for write in (
        lambda: run.select("fixed[level=0.5]", progress=False),
        lambda: run.score("conductance", progress=False),
        lambda: small_run(published, levels=2),
    ):
        with pytest.raises(harness.HarnessError, match=r"a published run, to which|neither empty"):
            write()

    assert {path: path.read_bytes() for path in published.rglob("*") if path.is_file()} == before


def test_plugins_of_a_published_run_are_not_recalled(published: Path) -> None:
    path = published / PROVENANCE
    document = json.loads(path.read_text("utf-8"))
    document["sessions"][-1]["plugins"] = [{"path": "/tmp/plugin.py", "digest": "0"}]
    path.write_text(json.dumps(document), "utf-8")
    write_checksums(published, CHECKED)

    assert harness.open_run(published).sessions()[-1]["plugins"] == []


def test_a_run_that_is_published_again_is_read_anew(source: harness.Run, tmp_path: Path) -> None:
    path = tmp_path / "published"
    first = source.publish(path, progress=False)
    count = len(first.points())

    source.publish(path, all_levels=True, overwrite=True, progress=False)

    assert len(first.points()) == len(source.points()) >= count


@pytest.mark.parametrize("name", CHECKED[:1] + CHECKED[3:])
@pytest.mark.parametrize("damage", ["changed", "missing", "unlisted"])
def test_a_file_that_is_not_as_it_was_published_is_named(
    published: Path, name: str, damage: str
) -> None:
    path = published / name
    if damage == "changed":
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "missing" and name != PROVENANCE:
        path.unlink()
    else:
        write_checksums(published, [each for each in CHECKED if each != name])

    with pytest.raises(harness.HarnessError, match=Path(name).name) as caught:
        harness.open_run(published)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "not a checksum\n", "\xe9\n"])
def test_checksums_that_cannot_be_read_are_named(published: Path, text: str) -> None:
    (published / CHECKSUMS).write_text(text, "latin-1")

    with pytest.raises(harness.HarnessError, match=CHECKSUMS):
        harness.open_run(published)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"format": None},
        {"settings": {}},
        {"settings": "louvain"},
        {"settings": None},
        {"sessions": []},
        {"sessions": [1]},
        {"sessions": [{"environment": "none"}]},
        {"sessions": [{"taken_over": [1]}]},
    ],
)
def test_wrong_provenance_with_a_right_checksum_costs_one_line(
    published: Path, change: dict[str, Any]
) -> None:
    path = published / PROVENANCE
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}), "utf-8")
    write_checksums(published, CHECKED)

    with pytest.raises(harness.HarnessError, match=PROVENANCE):
        harness.open_run(published)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
def test_provenance_that_is_no_json_costs_one_line(published: Path, content: bytes) -> None:
    (published / PROVENANCE).write_bytes(content)
    write_checksums(published, CHECKED)

    with pytest.raises(harness.HarnessError, match=PROVENANCE):
        harness.open_run(published)


def test_reading_needs_pyarrow(published: Path, without: Callable[..., None]) -> None:
    without("pyarrow")

    with pytest.raises(harness.HarnessError, match=r"a published run needs the package pyarrow"):
        harness.open_run(published)
