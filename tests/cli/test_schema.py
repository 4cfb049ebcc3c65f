import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.planning.suites import KEYS, default_suite
from support import PLUGINS, REPOSITORY
from support.runs import Command

SUITES = sorted(
    path
    for pattern in ("benchmarks/*.toml", "plugins/**/*.toml")
    for path in REPOSITORY.glob(pattern)
    if not path.name.startswith("train_")
)


@pytest.fixture
def schema(harness_command: Command) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(harness_command("schema").stdout)
    return document


def is_valid(schema: dict[str, Any], suite: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(suite))


def test_the_schema_describes_every_key_of_a_suite(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)

    assert list(schema["properties"]) == list(KEYS)
    assert all(each["description"] for each in schema["properties"].values())
    assert schema["properties"]["levels"] == {
        "description": "levels of pruning",
        "type": "integer",
        "minimum": 1,
        "maximum": 10_000,
        "default": 32,
    }
    assert schema["properties"]["clusterers"]["default"] == default_suite()["clusterers"]


def test_components_are_listed_with_their_parameters(schema: dict[str, Any]) -> None:
    specs = schema["$defs"]["clusterer"]["anyOf"]
    louvain = next(each for each in specs if each.get("const") == "louvain")

    assert "resolution (float, default 1.0)" in louvain["description"]
    assert any(example.startswith("louvain[resolution=1.0") for example in specs[-1]["examples"])


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.name)
def test_the_suites_of_this_repository_are_valid(schema: dict[str, Any], path: Path) -> None:
    suite = tomllib.loads(path.read_text("utf-8"))

    assert list(jsonschema.Draft202012Validator(schema).iter_errors(suite)) == []


@pytest.mark.parametrize(
    "suite",
    [
        {"clusterers": "louvain[resolution=[0.5,1]], infomap"},
        {"clusterers": ["louvain", "\n  infomap,\n  sdp[clusterer=kmeans]\n"]},
        {"extractors": 'arrays[path="a]\'b"],hf[model=m,layers=[[1,2],[3]]]'},
        {"controls": "none", "perturbations": []},
        {"timeout": "600, infomap=1e3"},
        {"timeout": 90, "memory": 0.5, "plugins": "mine.py", "isolation": "none"},
    ],
)
def test_a_right_suite_is_valid(schema: dict[str, Any], suite: dict[str, Any]) -> None:
    assert is_valid(schema, suite)


@pytest.mark.parametrize(
    "suite",
    [
        {"clusterer": "louvain"},
        {"retry_failed": True},
        {"clusterers": "louvian"},
        {"clusterers": "louvain[resolution=1],infomp[trials=2]"},
        {"clusterers": "louvain[resolutoin=1]"},
        {"clusterers": "louvain[resolution=1,trials=2]"},
        {"clusterers": "louvain[resolution]"},
        {"clusterers": "none"},
        {"clusterers": []},
        {"levels": "many"},
        {"levels": 0},
        {"pooling": "all"},
        {"timeout": "soon"},
        {"memory": 0},
        {"out": ""},
    ],
)
def test_a_suite_with_a_mistake_is_not_valid(schema: dict[str, Any], suite: dict[str, Any]) -> None:
    assert not is_valid(schema, suite)


def test_components_of_a_given_plugin_are_in_the_schema(
    schema: dict[str, Any], harness_command: Command
) -> None:
    extended = json.loads(harness_command("schema", "--plugin", PLUGINS / "slow.py").stdout)

    assert not is_valid(schema, {"clusterers": "louvain,slow"})
    assert is_valid(extended, {"clusterers": "louvain,slow"})
