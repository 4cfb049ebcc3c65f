from pathlib import Path

import numpy as np
import pandas
import pytest

import harness
from harness.api import prepare
from harness.engine import selecting, worker
from harness.engine.selecting import own_draws
from harness.planning.progress import SILENT
from harness.store import open_for_reading
from harness.store.selections import Group
from support import PLUGINS
from support.maps import planted_weights
from support.progress import Listener
from support.runs import SMALL, small_run


def test_questions_that_do_not_fit_one_message_are_asked_in_the_next(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(name: str) -> harness.Run:
        return small_run(
            tmp_path / name,
            planted,
            controls="permuted-rows",
            selectors="max-modularity,stable-phase",
            nulls=3,
            levels=4,
        )

    together = run("together")
    monkeypatch.setattr(worker, "MOST_QUESTIONS", 4)
    apart = run("apart")

    assert len(together.selections()) == 6
    pandas.testing.assert_frame_equal(apart.selections(), together.selections())
    pandas.testing.assert_frame_equal(apart.tests(), together.tests())


def test_extractors_with_equal_maps_share_what_is_selected_and_tested(tmp_path: Path) -> None:
    maps = {"a": 0, "b": 0, "c": 1, "d": 0}
    for folder, names in {"one": "ab", "two": "bc", "three": "d"}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            np.save(tmp_path / folder / f"{name}.npy", planted_weights(maps[name], n=16))
    settings = {
        **SMALL,
        "extractors": [f"arrays[path={tmp_path / name}]" for name in ("one", "two", "three")],
        "controls": "permuted-rows",
        "selectors": "max-modularity,fixed[level=0.5]",
        "perturbations": "seeds",
        "nulls": 6,
        "out": tmp_path / "out",
    }
    expected = prepare(None, settings).estimate_cost(SILENT).tests
    run = harness.run(**settings)

    assert [each.reach for each in run.verdicts()] == [*expected.values()] * 2
    for selected in run, run.select("max-modularity"):
        found = selected.selections()
        of_extractors = found[found.selector == "max-modularity"]
        assert of_extractors["status"].eq("ok").all()
        assert (len(of_extractors), of_extractors["cell"].nunique()) == (5, 2)


@pytest.mark.parametrize("pooling", ["group", "image"])
@pytest.mark.parametrize("rescore", [False, True])
def test_effects_are_those_of_brute_force(
    planted: Path, tmp_path: Path, pooling: str, rescore: bool
) -> None:
    spec = "excess-modularity[alpha=0.4]"
    run = small_run(
        tmp_path / "out",
        planted,
        controls="permuted-rows,preserved-strengths",
        selectors=spec,
        pooling=pooling,
        rescore=rescore,
        nulls=6,
        levels=5,
    )
    selector = harness.make("selector", spec)
    cells = run.cells()
    draws = cells[cells.control == "permuted-rows"]
    maps = cells[cells.role == "observed"]
    with open_for_reading(run.folder) as store:
        profiles = {cell: store.profile(cell) for cell in cells.cell}
    effects, biases, singles = [], [], []
    for image, cell in zip(maps.image, maps.cell, strict=True):
        of_image = draws.cell[draws.image == image].tolist()
        pool = [cell, *(draws.cell if pooling == "group" else of_image)]

        def excess(one: str, others: list[str], pool: list[str] = pool) -> float:
            nulls = [profiles[each] for each in pool if each != one]
            chosen = selector.select(profiles[one], nulls)
            above = [
                profiles[one].modularity[chosen.candidate]
                - profiles[other].modularity[chosen.candidate]
                for other in others
            ]
            return float(np.mean(above)) if chosen.accepted else 0.0

        of_draws = [excess(one, [each for each in of_image if each != one]) for one in of_image]
        biases.append(np.mean(of_draws))
        singles.append(of_draws[0])
        effects.append(excess(cell, of_image) - biases[-1])

    tests = run.tests()
    tests = tests[tests.control == "permuted-rows"]
    assert tests.bias.tolist() == pytest.approx(biases)
    assert tests.single_bias.tolist() == pytest.approx(singles)
    (row,) = run.leaderboard()
    assert row.effect == pytest.approx(np.mean(effects))
    assert row.effect_low is not None
    assert row.effect_low < row.effect


def test_a_map_without_draws_takes_those_of_others_in_turn() -> None:
    observed = {f"cell-{name}": name for name in "abcde"}
    drawn = {"one": "b", "two": "d", "three": "b"}

    group = Group(observed, {"noise": drawn})

    assert own_draws(group, "noise", is_pooled=True) == {
        "cell-b": [0, 2],
        "cell-d": [1],
        "cell-a": [0, 2],
        "cell-c": [1],
        "cell-e": [0, 2],
    }
    turned = Group(dict(reversed(observed.items())), {"noise": drawn})
    assert own_draws(turned, "noise", is_pooled=True) == own_draws(group, "noise", is_pooled=True)


def test_with_pools_of_images_all_draws_of_a_pool_are_its_own() -> None:
    group = Group({"cell-a": "a", "cell-b": "b"}, {"noise": {"one": "a", "two": "a"}})

    assert own_draws(group, "noise", is_pooled=False) == {"cell-a": [0, 1], "cell-b": []}


def test_a_single_draw_gives_no_effect(planted: Path, tmp_path: Path) -> None:
    run = small_run(tmp_path / "out", planted / "planted-0.npy", controls="permuted-rows")

    (row,) = run.leaderboard()
    assert (row.excess is None, row.effect, row.effect_low) == (False, None, None)


def test_a_level_that_is_fixed_has_no_bias_also_if_it_is_selected_later(
    planted: Path, tmp_path: Path
) -> None:
    run = small_run(tmp_path / "out", planted, controls="permuted-rows", nulls=6)

    later = run.select("fixed[level=0.49]")

    assert later.tests().bias.tolist() == pytest.approx([0, 0, 0])
    (row,) = later.leaderboard()
    assert row.excess is not None
    assert row.effect == pytest.approx(row.excess)


def test_what_other_selectors_selected_is_deleted_if_the_run_changes(
    planted: Path, tmp_path: Path
) -> None:
    heard = Listener()
    run = small_run(tmp_path / "out", planted)
    run.select("fixed[level=0.49]")

    small_run(tmp_path / "out", planted, selectors="fixed[level=0]", overwrite=True, progress=heard)

    (note,) = (each for each in heard.notes if "is deleted" in each)
    assert note.endswith(
        "what fixed[level=0.49], max-modularity selected is deleted, as the run changes; harness "
        "select applies them again"
    )
    assert set(run.selections().selector) == {"fixed[level=0.0]"}


def test_several_workers_select_what_one_does_even_if_a_selector_kills_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More questions than it takes to stop the selector that kills its worker.
    for number in range(7):
        np.save(tmp_path / f"{number}.npy", planted_weights(number, n=12))

    def run(name: str) -> harness.Run:
        return small_run(
            tmp_path / name,
            tmp_path,
            controls="permuted-rows",
            selectors="unruly-selector[mode=exit],stable-phase,max-modularity",
            plugins=[PLUGINS / "unruly.py"],
            nulls=2,
            isolation="process",
            workers=2,
        )

    one = run("one")
    monkeypatch.setattr(selecting, "MANY_QUESTIONS", 1)
    monkeypatch.setattr(selecting, "PIECE", 3)
    several = run("several")

    assert one.selections()["status"].value_counts().to_dict() == {"failed": 7, "ok": 14}
    pandas.testing.assert_frame_equal(several.selections(), one.selections())
    pandas.testing.assert_frame_equal(several.tests(), one.tests())
