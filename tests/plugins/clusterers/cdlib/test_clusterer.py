"""The real CDlib is an extra that is not installed for tests; whoever has it tests it too."""

import importlib
import importlib.util
import random
from collections.abc import Callable
from typing import Any

import networkx
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import harness
from harness.plugin.spec import format_spec
from harness_plugins.clusterers.cdlib.clusterer import Cdlib

PAIRS = harness.Graph.from_weights([[0, 0.9, 0.2, 0], [0.3, 0, 0, 0], [0, 0.2, 0, 0], [0, 0, 0, 0]])


def seen() -> Any:
    return importlib.import_module("cdlib.algorithms.crisp_partition").seen


def edges(graph: networkx.Graph) -> dict[tuple[int, int], Any]:
    return {(one, other): weight for one, other, weight in graph.edges(data="weight")}


@pytest.mark.usefixtures("small_cdlib")
def test_a_method_gets_directions_weights_arguments_and_the_seed_if_it_takes_them() -> None:
    clusterer = harness.make("clusterer", "cdlib[method=given,arguments=[k=3,ratio=1]]")
    labels = clusterer.cluster(PAIRS, seed=7)
    assert seen().graph.is_directed()
    assert edges(seen().graph) == {(0, 1): 0.9, (0, 2): 0.2, (1, 0): 0.3, (2, 1): 0.2}
    assert seen().arguments == {"k": 3, "ratio": 1, "weights": "weight", "seed": 7}
    assert labels.tolist() == [0, 0, 0, -1]
    assert clusterer.caveat() == ""


@pytest.mark.usefixtures("small_cdlib")
@pytest.mark.parametrize("name", ["plain", "alias"])
def test_what_a_method_does_not_use_is_left_out_and_said(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    clusterer = Cdlib(name)
    labels = clusterer.cluster(PAIRS, seed=0)
    assert not seen().graph.is_directed()
    assert edges(seen().graph) == {(0, 1): None, (0, 2): None, (1, 2): None}
    assert labels.tolist() == [-1, 0, 0, -1]
    assert clusterer.caveat() == f"CDlib's {name} uses no directions and no weights"
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("small_cdlib")
def test_a_method_without_directions_gets_the_mean_of_both() -> None:
    clusterer = Cdlib("drawn")
    assert clusterer.caveat() == "CDlib's drawn uses no directions"
    clusterer.cluster(PAIRS, seed=0)
    assert edges(seen().graph) == pytest.approx({(0, 1): 0.6, (0, 2): 0.1, (1, 2): 0.1})


@pytest.mark.usefixtures("small_cdlib")
def test_a_method_without_a_seed_draws_from_the_global_generators_which_are_put_back() -> None:
    state = random.getstate()
    drawn = [tuple(Cdlib("drawn").cluster(PAIRS, seed=seed)) for seed in (*range(10), *range(10))]
    assert drawn[:10] == drawn[10:]
    assert len(set(drawn)) > 1
    assert random.getstate() == state


@pytest.mark.usefixtures("small_cdlib")
def test_communities_that_overlap_are_refused() -> None:
    with pytest.raises(harness.HarnessError, match="cdlib: overlaps returned overlapping"):
        Cdlib("overlaps").cluster(PAIRS, seed=0)


@pytest.mark.usefixtures("small_cdlib")
def test_a_graph_without_edges_is_unassigned() -> None:
    graph = harness.Graph.from_weights(np.eye(3), self_loops=True)
    assert Cdlib("plain").cluster(graph, seed=0).tolist() == [-1, -1, -1]


@pytest.mark.usefixtures("small_cdlib")
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("method=plan", "there is no method 'plan'; did you mean 'plain'?"),
        (
            "method=x",
            "there is no method 'x'; there are given, plain, alias, drawn, overlaps, blocks, "
            "halves",
        ),
        ("method=demon", "demon finds communities that overlap, not one community for each node"),
        ("method=tiles", "tiles finds communities that change with time, not one community for"),
        ("method=local", "local finds the community of one node, not one for each"),
        ("method=blocks", "blocks needs the package graph_tool_that_is_missing, which is not"),
        ("method=given", "given needs arguments: cdlib[method=given,arguments=[k=…]]"),
        (
            "method=given,arguments=[k=3,seed=1]",
            "arguments of given are k=…, ratio=…, not 'seed=1'",
        ),
        ("method=plain,arguments=k=3", "arguments of plain are none, not 'k=3'"),
        ("method=halves,arguments=[scaler=1]", "arguments of halves are none, not 'scaler=1'"),
        ("method=given,arguments=3", "arguments of given are k=…, ratio=…, not '3'"),
        ("method=given,arguments=k=many", "arguments: k=many: expected number"),
        ("method=given,arguments=[k=1,k=2]", "arguments: k is given twice"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_would_be_right(spec: str, message: str) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        harness.make("clusterer", f"cdlib[{spec}]")
    assert str(raised.value).startswith(f"cdlib[{spec}]: {message}")


@pytest.mark.usefixtures("small_cdlib")
def test_arguments_are_kept_in_the_spec() -> None:
    clusterer = harness.make("clusterer", "cdlib[method=given,arguments=k=3]")
    assert harness.make("clusterer", format_spec(clusterer)) == clusterer


REAL = ("leiden", "rb_pots", "surprise_communities", "walktrap", "label_propagation", "louvain")
REAL += ("greedy_modularity", "paris", "infomap", "markov_clustering", "eigenvector", "spinglass")


@pytest.mark.parametrize("name", REAL)
def test_real_methods_find_clear_blocks_and_repeat_themselves(
    name: str, planted: Callable[..., Any]
) -> None:
    pytest.importorskip("cdlib")
    graph, truth = planted((20, 20), inside=0.7)
    weights = np.pad(graph.adjacency.toarray(), (0, 1))
    labels, again = (Cdlib(name).cluster(weights, seed=3) for _ in range(2))
    assert adjusted_rand_score(truth, labels[:40]) == 1
    assert labels[40] == -1
    assert labels.tolist() == again.tolist()


def test_real_methods_declare_what_they_take() -> None:
    pytest.importorskip("cdlib")
    assert Cdlib("rb_pots").caveat() == ""
    assert Cdlib("walktrap").caveat() == "CDlib's walktrap uses no directions"
    assert Cdlib("der").caveat() == "CDlib's der uses no directions and no weights"


def test_a_real_method_that_cdlib_does_not_bring_is_refused() -> None:
    pytest.importorskip("cdlib")
    if importlib.util.find_spec("graph_tool") is None:
        with pytest.raises(harness.HarnessError, match="sbm_dl needs the package graph_tool"):
            Cdlib("sbm_dl")
