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


def test_the_packages_behind_modules_are_those_that_the_standard_library_finds() -> None:
    found = environments._installed()
    for module, names in importlib.metadata.packages_distributions().items():
        assert set(names) <= set(found[module])
