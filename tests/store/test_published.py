"""What a published run gives its readers, and what they say of files that are not sound."""

import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow
import pytest
from pyarrow import parquet

import harness
from harness.store import open_for_reading, open_for_writing
from harness.store.publication import CHECKED, CHECKSUMS, PROVENANCE, file_of, write_checksums
from support.runs import small_run

FRAMES = ("images", "cells", "points", "selections", "tests", "stabilities", "scores")


@pytest.fixture(scope="module")
def source(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    """A run with a score, and a failed cell; not to be written to."""
    out = tmp_path_factory.mktemp("source") / "run"
    run = small_run(
        out,
        planted_maps,
        clusterers="louvain,label-propagation",
        selectors="max-modularity,fixed[level=0.5]",
        controls="permuted-rows",
        perturbations="seeds",
        stability_draws=2,
        nulls=4,
        levels=5,
    )
    run.score("conductance", progress=False)
    with open_for_writing(out) as store, store.connection as connection:
        connection.execute(
            "UPDATE cells SET status = 'failed', reason = 'no memory', detail = 'Traceback' "
            "WHERE cell = (SELECT cell FROM planned WHERE role = 'observed' "
            "AND clusterer = 'label-propagation' LIMIT 1)"
        )
    return run


@pytest.fixture(scope="module")
def selected(source: harness.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run, published with the selected levels; not to be written to."""
    path = tmp_path_factory.mktemp("published") / "selected"
    return source.publish(path, progress=False).folder


@pytest.fixture
def published(selected: Path, tmp_path: Path) -> Path:
    """A copy of the published run in the test's own folder."""
    return Path(shutil.copytree(selected, tmp_path / "published"))


def rewrite(folder: Path, name: str, change: Callable[[pyarrow.Table], pyarrow.Table]) -> None:
    """Change a table as somebody does who also makes the checksums again."""
    path = folder / file_of(name)
    parquet.write_table(change(parquet.read_table(path)), path)
    write_checksums(folder, CHECKED)


def set_column(name: str, column: str, values: Any) -> Callable[[pyarrow.Table], pyarrow.Table]:
    def change(table: pyarrow.Table) -> pyarrow.Table:
        index = table.schema.get_field_index(column)
        field = table.schema.field(index)
        return table.set_column(index, field, pyarrow.array([values] * len(table), field.type))

    return change


def plateau(first: int, last: int) -> Callable[[pyarrow.Table], pyarrow.Table]:
    def change(table: pyarrow.Table) -> pyarrow.Table:
        for column, end in (("plateau_first", first), ("plateau_last", last)):
            table = set_column("selections", column, end)(table)
        return table

    return change


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


WRONG: Mapping[str, tuple[str, Callable[[pyarrow.Table], pyarrow.Table]]] = {
    "column missing": ("selections", lambda table: table.drop_columns(["candidate"])),
    "type": ("cells", lambda t: t.set_column(0, "cell", pyarrow.array([1] * len(t)))),
    "missing values": ("cells", set_column("cells", "map", None)),
    "level missing": ("points", lambda table: table.slice(0, 0)),
    "level of none": ("selections", set_column("selections", "candidate", 4000)),
    "labels cut": ("points", set_column("points", "labels", [0, 1])),
    "JSON": ("points", set_column("points", "diagnostics", "{")),
    "JSON of another kind": ("points", set_column("points", "warnings", '{"a": 1}')),
    "grid": ("maps", set_column("maps", "grid", '{"a": 1}')),
    "grid of another size": ("maps", set_column("maps", "grid", "[1000, 1000]")),
    "map of another key": ("maps", set_column("maps", "map", "other")),
    "map of another size": ("maps", set_column("maps", "nodes", 7)),
    "control that was not drawn": ("tests", set_column("tests", "control", "other")),
    "cluster number": ("stabilities", set_column("stabilities", "weakest_cluster", 99)),
    "level beyond the cell's": ("cells", set_column("cells", "n_points", 1)),
    "half a plateau": ("selections", set_column("selections", "plateau_first", 0)),
    "plateau elsewhere": ("selections", plateau(90, 99)),
    "number without end": ("tests", set_column("tests", "z", math.inf)),
    "number whose sums have no end": ("tests", set_column("tests", "z", 1e308)),
    "p": ("tests", set_column("tests", "p", 1.5)),
    "draws without levels": ("tests", set_column("tests", "null_candidates", [])),
    "layer": ("cells", set_column("cells", "layer", -1)),
    "diagnostics": ("points", set_column("points", "diagnostics", '{"a": [1]}')),
    "nested JSON": ("points", set_column("points", "warnings", "[" * 900 + "]" * 900)),
    "null in a list": ("tests", set_column("tests", "null_statistics", [None])),
}


@pytest.mark.parametrize(("name", "change"), WRONG.values(), ids=WRONG)
def test_wrong_tables_with_right_checksums_cost_one_line(
    published: Path, name: str, change: Callable[[pyarrow.Table], pyarrow.Table]
) -> None:
    rewrite(published, name, change)

    with pytest.raises(harness.HarnessError, match="published") as caught:
        harness.open_run(published)
    assert "\n" not in str(caught.value)
    assert str(published) in str(caught.value)


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


def test_a_file_that_is_no_table_costs_one_line(published: Path) -> None:
    (published / file_of("cells")).write_bytes(b"PAR1 and then nothing PAR1")
    write_checksums(published, CHECKED)

    with pytest.raises(harness.HarnessError, match=r"cells\.parquet: not a table"):
        harness.open_run(published)


def test_reading_needs_pyarrow(published: Path, without: Callable[..., None]) -> None:
    without("pyarrow")

    with pytest.raises(harness.HarnessError, match=r"a published run needs the package pyarrow"):
        harness.open_run(published)
