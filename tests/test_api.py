from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from support.runs import small_run


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="no run is there"):
        harness.open_run(tmp_path)


def test_components_made_by_hand_take_arrays() -> None:
    weights = np.kron(np.eye(2), np.ones((5, 5))) + 0.01
    builder = harness.make("graph builder", "threshold")

    levels = builder.levels(weights, 3)
    graphs = list(builder.build(weights, levels))
    labels = harness.make("clusterer", "louvain").cluster(weights, seed=0)
    (attention,) = harness.make("extractor", "one-layer-vit").extract(
        [np.zeros((28, 28), dtype=np.uint8)]
    )

    assert [graph.level for graph in graphs] == levels.tolist()
    assert labels.tolist() == [labels[0]] * 5 + [labels[5]] * 5
    assert harness.modularity(weights, labels) > 0.4
    assert attention.weights.shape == (196, 196)


@pytest.mark.parametrize("kind", ["graph_builder", "graph builder", "graph-builder"])
def test_kinds_may_be_written_with_underscores(kind: str) -> None:
    assert harness.make(kind, "threshold").name == "threshold"


@pytest.mark.parametrize(
    ("kind", "spec", "reason"),
    [
        ("cluster", "louvain", "there is no kind 'cluster'"),
        ("clusterer", "louvain,infomap", "describes 2 components"),
        ("clusterer", "louvain[resolution=[1,2]]", "describes 2 components"),
        ("clusterer", "", "describes 0 components"),
    ],
)
def test_make_takes_one_component_of_a_known_kind(kind: str, spec: str, reason: str) -> None:
    with pytest.raises(harness.HarnessError, match=reason):
        harness.make(kind, spec)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"clusterer": "louvain"}, "has no keyword 'clusterer'; did you mean 'clusterers'?"),
        ({"progres": True}, "has no keyword 'progres'; did you mean 'progress'?"),
        ({"retry_failed": "no"}, "retry_failed: expected true or false, not 'no'"),
        ({"levels": "8"}, "levels: expected a whole number from 1 to 10000, not '8'"),
        ({"force": "louvian"}, "force: this run has no component 'louvian'"),
        ({"suite": 3}, "suite: expected a path, not 3"),
    ],
)
def test_a_wrong_keyword_is_refused_in_words_of_keywords(
    keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(harness.HarnessError) as refused:
        harness.run(**keywords)

    assert message in str(refused.value)
    assert "--" not in str(refused.value)


def test_failures_are_computed_again_if_the_keyword_asks_for_it(
    planted: Path, hostile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def phases(**keywords: Any) -> str:
        small_run(
            tmp_path / "out", planted, clusterers="raising", levels=2, plugins=hostile, **keywords
        )
        return capsys.readouterr().err

    assert phases() == ""
    assert "clustering" not in phases(progress=True)
    assert "clustering: 3" in phases(progress=True, retry_failed=True)
    assert "clustering: 3" in phases(progress=True, force=["raising"])
