from pathlib import Path

import numpy as np
import pandas
import pytest

import harness
from harness.api import prepare
from harness.engine import worker
from harness.planning.progress import SILENT
from support.maps import planted_weights
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
