"""Runs that take over what runs beside them computed: real runs on real files."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import harness
from harness.errors import HarnessError
from harness.store import open_for_writing
from support.maps import planted_weights
from support.runs import Command, small_command, small_run
from support.siblings import BOTH, CHANGES, assert_same, change_session, contents, run_beside


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_one_more_clusterer_is_all_that_is_computed(
    sibling: Path, planted_maps: Path, both_clusterers: harness.Run, isolation: str
) -> None:
    before = contents(sibling)
    run, said = run_beside(
        sibling.parent / "two", planted_maps, clusterers=BOTH, isolation=isolation
    )

    assert_same(run, both_clusterers)
    assert both_clusterers.stabilities().kind.eq("edge-dropout").any()
    assert said[0] == "took over 6 of 12 cells and 3 maps from one"
    perturbed = run.cells().query("role == 'perturbation'").clusterer.value_counts()
    assert said[1] == (
        f"took over {perturbed['louvain']} of {perturbed.sum()} perturbed cells from one"
    )
    assert contents(sibling) == before


def test_cells_that_were_taken_over_keep_the_seconds_of_their_computation(
    sibling: Path, planted_maps: Path
) -> None:
    run, _ = run_beside(sibling.parent / "two", planted_maps, clusterers=BOTH)
    then = harness.open_run(sibling).cells().set_index("cell")
    now = run.cells().set_index("cell").loc[then.index]

    assert now.seconds.equals(then.seconds)
    assert now.peak_memory.equals(then.peak_memory)


def test_a_session_records_what_came_from_where(sibling: Path, planted_maps: Path) -> None:
    run, _ = run_beside(sibling.parent / "two", planted_maps, clusterers=BOTH)
    (session,), (source,) = run.sessions(), harness.open_run(sibling).sessions()
    (taken,) = session["taken_over"]

    assert taken["run"] == str(sibling)
    assert taken["cells"] == len(harness.open_run(sibling).cells())
    assert taken["maps"] == 3
    (described,) = taken["sessions"]
    assert described == {name: source[name] for name in described}
    assert described["environment"]["harness"] == harness.__version__
    assert session["source"]["digest"] == source["source"]["digest"]


def test_one_more_selector_computes_no_cell_of_a_profile(
    sibling: Path, planted_maps: Path, tmp_path: Path
) -> None:
    selectors = f"{CHANGES['selectors']},max-modularity"
    run, said = run_beside(sibling.parent / "two", planted_maps, selectors=selectors)
    other = small_run(tmp_path / "alone", planted_maps, **{**CHANGES, "selectors": selectors})

    assert said[0].startswith("took over 6 of 6 cells")
    assert_same(run, other)


def test_more_maps_compute_their_own_cells_only(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for seed in range(2):
        np.save(maps / f"{seed}.npy", planted_weights(seed))
    changes = {"pooling": "image"}
    run_beside(tmp_path / "results" / "two", maps, **changes)
    np.save(maps / "2.npy", planted_weights(2))
    run, said = run_beside(tmp_path / "results" / "three", maps, **changes)

    assert said[0] == "took over 8 of 12 cells and 6 maps from two"
    assert_same(run, small_run(tmp_path / "alone", maps, **{**CHANGES, **changes}))


def test_a_run_of_the_same_settings_elsewhere_computes_nothing(
    sibling: Path, planted_maps: Path
) -> None:
    run, said = run_beside(sibling.parent / "again", planted_maps)
    session = run.sessions()[-1]

    assert said[0] == "took over 6 of 6 cells and 3 maps from one"
    assert not session["computed"]
    assert_same(run, harness.open_run(sibling))
    third, said = run_beside(sibling.parent / "third", planted_maps)
    assert said[0] == "took over 6 of 6 cells and 3 maps from again"
    assert_same(third, run)


def test_cells_of_a_plugin_that_was_edited_are_computed_anew(
    planted_maps: Path, tmp_path: Path
) -> None:
    plugin = tmp_path / "mine.py"
    source = (
        "import dataclasses, harness, numpy\n"
        "@dataclasses.dataclass(frozen=True)\n"
        "class Mine(harness.Clusterer):\n"
        '    """Halves."""\n'
        "    name = 'mine'\n"
        "    def cluster(self, graph, *, seed):\n"
        "        return numpy.arange(graph.n) % 2\n"
        "@harness.hookimpl\n"
        "def harness_clusterers():\n"
        "    return [Mine]\n"
    )
    plugin.write_text(source)
    changes = {"clusterers": "louvain,mine", "plugins": [plugin]}
    run_beside(tmp_path / "results" / "before", planted_maps, **changes)
    plugin.write_text(source.replace("% 2", "% 3"))
    run, said = run_beside(tmp_path / "results" / "after", planted_maps, **changes)

    assert said[0] == "took over 6 of 12 cells and 3 maps from before"
    mine = run.points().query("clusterer == 'mine'")
    assert set(mine.n_clusters) == {3}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("json_set(value, '$.source.digest', 'other')", "other source of the harness"),
        ("json_remove(value, '$.source.digest')", "other source of the harness"),
        (
            "json_set(value, '$.environment.libraries.numpy', '1.0')",
            f"numpy 1.0 there, {np.__version__} now",
        ),
        (
            "json_remove(value, '$.environment.libraries.numpy')",
            f"numpy none there, {np.__version__} now",
        ),
        ("json_set(value, '$.environment.threads.extraction', 2)", "extraction 2 there, 1 now"),
        ("json_set(value, '$.mixed', json('true'))", "other machines may have had other versions"),
    ],
)
def test_nothing_is_taken_from_what_other_code_or_versions_computed(
    sibling: Path, planted_maps: Path, expression: str, reason: str
) -> None:
    change_session(sibling, expression)
    run, said = run_beside(sibling.parent / "two", planted_maps)

    assert said == [f"passed over 1 run of other code or versions: one ({reason})"]
    assert "taken_over" not in run.sessions()[-1]


def test_an_execution_that_computed_nothing_does_not_count(
    sibling: Path, planted_maps: Path
) -> None:
    small_run(sibling, planted_maps, **CHANGES)
    with open_for_writing(sibling) as store:
        source = {"digest": "other"}
        store.change_session({"source": source})
        assert not store.sessions()[-1]["computed"]
    _, said = run_beside(sibling.parent / "two", planted_maps)

    assert said[0].startswith("took over 6 of 6 cells")


def test_versions_of_packages_that_no_shared_component_uses_do_not_count(
    sibling: Path, planted_maps: Path
) -> None:
    change_session(sibling, "json_set(value, '$.environment.libraries.torch', '1.0')")
    _, said = run_beside(sibling.parent / "two", planted_maps)

    assert said[0].startswith("took over 6 of 6 cells")


def test_what_a_forced_component_took_part_in_is_computed_anew(
    sibling: Path, planted_maps: Path, both_clusterers: harness.Run
) -> None:
    run_beside(sibling.parent / "two", planted_maps, clusterers=BOTH)
    run, said = run_beside(sibling.parent / "three", planted_maps, clusterers=BOTH, force="louvain")
    cells = run.cells().query("role == 'perturbation'").clusterer.value_counts()

    assert said == [
        "took over 6 of 12 cells and 3 maps from two",
        f"took over {cells['label-propagation']} of {cells.sum()} perturbed cells from two",
    ]
    assert_same(run, both_clusterers)
    _, said = run_beside(sibling.parent / "four", planted_maps, force="permuted-rows")
    assert said[0] == "took over 3 of 6 cells from three"


def test_cells_that_failed_are_tried_again(
    planted_maps: Path, tmp_path: Path, hostile: Path
) -> None:
    changes = {"clusterers": "louvain,raising", "plugins": [hostile]}
    run_beside(tmp_path / "results" / "one", planted_maps, **changes)
    run, said = run_beside(tmp_path / "results" / "two", planted_maps, **changes)

    assert said[0] == "took over 6 of 12 cells and 3 maps from one"
    assert run.statuses()["failed"] == 3


@pytest.mark.parametrize("retry_failed", [False, True])
def test_a_cell_that_failed_here_is_taken_over_if_it_is_to_be_tried_again(
    sibling: Path, planted_maps: Path, retry_failed: bool
) -> None:
    out = sibling.parent / "two"
    small_run(out, planted_maps, **CHANGES)
    with open_for_writing(out) as store, store.connection as connection:
        connection.execute(
            "UPDATE cells SET status = 'timed out' WHERE cell = "
            "(SELECT cell FROM planned WHERE point IS NULL LIMIT 1)"
        )
    _, said = run_beside(out, planted_maps, retry_failed=retry_failed)

    assert said == (["took over 1 of 6 cells from one"] if retry_failed else [])


def test_runs_elsewhere_are_named(
    sibling: Path, planted_maps: Path, tmp_path: Path, both_clusterers: harness.Run
) -> None:
    for number, cache in enumerate([sibling, sibling.parent, [tmp_path, sibling]]):
        out = tmp_path / f"elsewhere-{number}" / "two"
        if cache == [tmp_path, sibling]:
            with pytest.raises(HarnessError, match=r"cache: .*: no run is there"):
                run_beside(out, planted_maps, clusterers=BOTH, cache=cache)
            continue
        run, said = run_beside(out, planted_maps, clusterers=BOTH, cache=cache)
        assert said[0] == f"took over 6 of 12 cells and 3 maps from {sibling}"
        assert_same(run, both_clusterers)


def test_none_takes_over_nothing(sibling: Path, planted_maps: Path) -> None:
    run, said = run_beside(sibling.parent / "two", planted_maps, cache="none")

    assert said == []
    assert "taken_over" not in run.sessions()[-1]
    with pytest.raises(HarnessError, match="cache: none stands alone"):
        run_beside(sibling.parent / "three", planted_maps, cache=["none", sibling])


def test_runs_of_other_users_have_to_be_named(
    sibling: Path, planted_maps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    _, unnamed = run_beside(sibling.parent / "two", planted_maps)
    monkeypatch.setattr(os, "getuid", lambda: user + 2)
    _, named = run_beside(sibling.parent / "three", planted_maps, cache=sibling)

    assert unnamed == []
    assert named[0] == "took over 6 of 6 cells and 3 maps from one"


def test_a_run_written_in_scratch_takes_over_too(
    sibling: Path, planted_maps: Path, both_clusterers: harness.Run, tmp_path: Path
) -> None:
    run, said = run_beside(
        sibling.parent / "two", planted_maps, clusterers=BOTH, scratch=tmp_path / "scratch"
    )

    assert "took over 6 of 12 cells and 3 maps from one" in said
    assert_same(run, both_clusterers)


def test_an_estimate_counts_what_would_be_taken_over(
    harness_command: Command, sibling: Path, planted_maps: Path
) -> None:
    options = {**CHANGES, "clusterers": BOTH, "cache": sibling, "out": "results/two"}
    finished = harness_command(*small_command(planted_maps, "--dry-run", "--json", **options))
    estimate = json.loads(finished.stdout)

    assert (estimate["cells"], estimate["cached"], estimate["new"]) == (12, 6, 6)
    assert estimate["taken_over"] == {str(sibling): 6}
    assert f"results/two: would take over 6 of 12 cells from {sibling}\n" in finished.stderr
    assert not (sibling.parent / "two").exists()
    harness_command(*small_command(planted_maps, **options))
    finished = harness_command(*small_command(planted_maps, "--dry-run", "--json", **options))
    assert json.loads(finished.stdout)["taken_over"] == {}


def test_a_leaderboard_says_that_cells_came_from_a_run_without_isolation(
    harness_command: Command, sibling: Path, planted_maps: Path
) -> None:
    run_beside(sibling.parent / "two", planted_maps, isolation="process")
    finished = harness_command("leaderboard", sibling.parent / "two")

    assert "without isolation" in " ".join(finished.stdout.split())
