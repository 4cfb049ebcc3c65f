import importlib.metadata
from pathlib import Path

import pytest

from harness.engine import environment as environments
from harness.engine.environment import difference, environment, packages_used
from harness.plugin import registry


def test_an_installed_extra_that_computes_is_part_of_the_environment() -> None:
    libraries = environment(1)["libraries"]
    for name in ("numpy", "transformers", "leidenalg"):
        assert libraries[name] == importlib.metadata.version(name)


def test_what_is_absent_is_named_and_only_where_all_packages_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        environments, "version_of", lambda name: None if name in ("torch", "cdlib") else "1"
    )

    assert environment(1)["absent"] == ["cdlib", "torch"]
    assert "absent" not in environment(1, {"torch", "numpy"})


def test_packages_for_tests_and_for_dask_are_not_part_of_the_environment() -> None:
    assert environment(1)["libraries"].keys().isdisjoint({"pytest", "captum", "distributed"})


def test_another_version_is_reported_as_the_difference() -> None:
    before, now = environment(1), environment(1)
    now["libraries"]["transformers"] = "4.0"
    version = importlib.metadata.version("transformers")
    assert difference(before, now) == f"transformers {version} then, 4.0 now"
    assert difference(before, before) == ""


@pytest.mark.parametrize(
    ("kind", "name", "used", "unused"),
    [
        ("clusterer", "louvain", {"numpy", "scipy", "scikit-network"}, {"igraph", "torch"}),
        ("clusterer", "leiden", {"igraph", "leidenalg"}, {"scikit-network", "torch"}),
        ("clusterer", "label-propagation", {"networkx", "numpy"}, {"scikit-network", "torch"}),
        ("extractor", "hf", {"torch", "transformers", "pillow"}, {"leidenalg", "infomap"}),
        ("extractor", "one-layer-vit", {"torch", "safetensors"}, {"transformers"}),
    ],
)
def test_a_run_uses_the_packages_that_its_components_import_at_any_time(
    kind: str, name: str, used: set[str], unused: set[str]
) -> None:
    found = packages_used([registry.load([]).find(kind, name)])

    assert found >= used | {"attention-harness"}
    assert not found & (unused | {"distributed", "pluggy", "pytest", "pandas"})
    assert ("networkx" in found) == (name == "label-propagation")
    assert environment(1, found)["libraries"].keys() == found - {"attention-harness"}


@pytest.mark.parametrize(
    "line",
    [
        "import requests",
        "from requests import adapters",
        "importlib.import_module('requests')",
        "import_module('requests')",
    ],
)
def test_a_plugin_files_imports_in_functions_count(tmp_path: Path, line: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "import importlib\nfrom dataclasses import dataclass\nfrom importlib import import_module\n"
        "import harness\n\n\n@dataclass(frozen=True)\nclass Mine(harness.Clusterer):\n"
        "    name = 'mine'\n\n"
        f"    def cluster(self, graph, *, seed):\n        {line}\n\n\n"
        "@harness.hookimpl\ndef harness_clusterers():\n    return [Mine]\n"
    )
    mine = registry.load([path]).find("clusterer", "mine")

    assert "requests" in packages_used([mine])


def test_what_a_component_requires_is_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from dataclasses import dataclass\nimport harness\n\n\n@dataclass(frozen=True)\n"
        "class Mine(harness.Clusterer):\n    name = 'mine'\n    requires = harness.NETWORKX\n\n"
        "    def cluster(self, graph, *, seed):\n        return graph.to_networkx()\n\n\n"
        "@harness.hookimpl\ndef harness_clusterers():\n    return [Mine]\n"
    )

    assert "networkx" in packages_used([registry.load([path]).find("clusterer", "mine")])


def test_the_packages_behind_modules_are_those_that_the_standard_library_finds() -> None:
    found = environments._installed()
    for module, names in importlib.metadata.packages_distributions().items():
        assert set(names) <= set(found[module])
