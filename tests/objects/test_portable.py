import importlib
import json
import sys
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from sklearn.cluster import OPTICS, KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import harness
from harness.objects.components import component_of
from harness.objects.portable import NotPortableError, decode, decoded, encode
from harness.planning.content import code_digest
from harness.plugin.spec import format_spec

MODULE = """
    from dataclasses import dataclass
    from pathlib import Path
    import numpy as np
    import harness

    def halves(weights, seed, parts=2):
        return np.arange(len(weights)) % parts

    class Inner:
        @staticmethod
        def thirds(weights, seed):
            return np.arange(len(weights)) % 3

    @dataclass(frozen=True)
    class Mine(harness.Clusterer):
        name = "mine"
        clusters: int = 2
        file: Path = Path("none")
        def cluster(self, graph, *, seed):
            return np.arange(graph.n) % self.clusters
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A user's own module, imported from a folder of its own."""
    folder = tmp_path_factory.mktemp("methods")
    (folder / "methods_of_a_user.py").write_text(textwrap.dedent(MODULE))
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("methods_of_a_user")
    finally:
        sys.path.remove(str(folder))
        del sys.modules["methods_of_a_user"]


def given(module: Any) -> list[Any]:
    return [
        module.halves,
        partial(module.halves, parts=3),
        module.Inner.thirds,
        module.Mine(clusters=3, file=Path("/x")),
        KMeans(np.int64(3), n_init=1),
        OPTICS(min_samples=2),  # whose largest distance is infinite
        make_pipeline(StandardScaler(), KMeans(2, n_init=1)),
        harness.from_networkx(nx.community.louvain_communities, resolution=0.5),
    ]


def test_what_can_be_imported_is_the_same_after_a_way_through_json(module: Any) -> None:
    weights = np.random.default_rng(0).random((9, 9))
    for each in given(module):
        component: Any = component_of("clusterer", each)

        again = decode(json.loads(json.dumps(encode(component))))

        assert format_spec(again) == format_spec(component)
        assert code_digest(again) == code_digest(component)
        found = again.cluster(weights, seed=1), component.cluster(weights, seed=1)
        assert np.array_equal(*found)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (lambda weights, seed: weights, "no name in "),
        (KMeans(init=np.eye(3)), "it holds a value of type ndarray"),
        ({1: 2}, "it holds a value of type dict"),
    ],
)
def test_what_no_other_process_can_import_is_not_portable(value: Any, reason: str) -> None:
    with pytest.raises(NotPortableError, match=reason):
        encode(value)


def test_what_is_defined_in_a_session_is_not_portable(monkeypatch: pytest.MonkeyPatch) -> None:
    def defined(weights: Any, seed: int) -> Any:
        return weights

    defined.__module__ = "__main__"

    with pytest.raises(NotPortableError, match="defined in this session"):
        encode(defined)


def test_a_module_that_is_gone_is_named_in_one_line(module: Any) -> None:
    message = {**encode(module.halves), "module": "gone_since"}

    with pytest.raises(harness.HarnessError, match="No module named 'gone_since'"):
        decoded(message)
