import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TABLE = '''
    """Documented as CDlib documents it.

    ========== ======== ========
    Undirected Directed Weighted
    ========== ======== ========
    Yes        {}       {}
    ========== ======== ========
    """
'''
SOURCE = f"""
import random
from types import SimpleNamespace

try:
    import graph_tool_that_is_missing as gt
except ModuleNotFoundError:
    gt = None

__all__ = ["given", "plain", "alias", "drawn", "overlaps", "local", "blocks", "halves"]

seen = SimpleNamespace()


def given(g_original: object, k: int, ratio: float = 0.5, weights: str = None, seed: int = None):
{TABLE.format("Yes", "Yes")}
    seen.graph, seen.arguments = g_original, dict(k=k, ratio=ratio, weights=weights, seed=seed)
    return SimpleNamespace(communities=[list(g_original)])


def plain(g_original: object):
{TABLE.format("No ", "No ")}
    print("working")
    seen.graph = g_original
    return SimpleNamespace(communities=[list(g_original)[1:]])


alias = plain


def drawn(g_original: object):
{TABLE.format("No ", "Yes")}
    seen.graph = g_original
    return SimpleNamespace(communities=[random.sample(range(len(g_original)), 2)])


def overlaps(g_original: object):
{TABLE.format("No ", "No ")}
    return SimpleNamespace(communities=[[0, 1], [1, 2]])


def local(g_original: object, query_node: object):
{TABLE.format("No ", "No ")}


def blocks(g_original: object):
{TABLE.format("No ", "No ")}
    return gt.minimize(g_original)


def halves(g_original: object, scaler: callable = None):
    return SimpleNamespace(communities=[[0, 1], [2]])
"""
OTHERS = {
    "overlapping_partition": "demon",
    "attribute_clustering": "eva",
    "bipartite_clustering": "bimlpa",
    "edge_clustering": "links",
    "temporal_partition": "tiles",
}


@pytest.fixture
def small_cdlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package of CDlib's layout, with a few functions, in place of the real one."""
    folder = tmp_path / "site" / "cdlib" / "algorithms"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("print('Note: some packages are missing')\n")
    (folder / "__init__.py").write_text("from .crisp_partition import *\n")
    (folder / "crisp_partition.py").write_text(SOURCE)
    for module, name in OTHERS.items():
        (folder / f"{module}.py").write_text(f"__all__ = [{name!r}]\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_cdlib(name)}
    yield
    for name in [*filter(_is_cdlib, sys.modules)]:
        del sys.modules[name]
    sys.modules.update(before)


def _is_cdlib(name: str) -> bool:
    return name.partition(".")[0] == "cdlib"
