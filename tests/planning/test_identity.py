import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.planning.content import code_digest
from harness.planning.identity import SEEDS, identify, key_of, seed_of, source_files
from harness.plugin.component import Component
from harness.plugin.registry import load

PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
import harness

@dataclass(frozen=True)
class Mine(harness.Clusterer):
    '''Mine.'''
    name: ClassVar[str] = "mine"
    size: int = 2
    def cluster(self, graph, *, seed):
        IMPORT
        return np.zeros(graph.n, dtype=int)
"""
PACKAGE = "package_under_test"
Writer = Callable[[str, str], None]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    """Writes modules of a package that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / PACKAGE).mkdir()

    def written(name: str, source: str) -> None:
        path = tmp_path / PACKAGE / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)

    written("__init__", "")
    yield written
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def component() -> type[Component]:
    imported: type[Component] = importlib.import_module(f"{PACKAGE}.plugin").Mine
    return imported


@pytest.mark.parametrize(
    "statement",
    [
        f"import {PACKAGE}.helper",
        f"import {PACKAGE}.helper as other",
        f"from {PACKAGE} import helper",
        f"from {PACKAGE}.helper import VALUE",
        "from . import helper",
        "from .helper import VALUE",
        "from .inner import deeper",
        "from .inner.deeper import VALUE",
    ],
)
def test_a_change_in_a_helper_that_is_imported_changes_the_code(
    write: Writer, statement: str
) -> None:
    write("plugin", PLUGIN.replace("IMPORT", statement))
    write("helper", "VALUE = 1")
    write("inner/__init__", "")
    write("inner/deeper", "from ..helper import VALUE")
    before = code_digest(component()())

    write("helper", "VALUE = 2")

    assert code_digest(component()()) != before


def test_a_change_in_a_neighbour_does_not_change_the_code(write: Writer) -> None:
    write("plugin", PLUGIN.replace("IMPORT", "from .helper import VALUE"))
    write("helper", "VALUE = 1")
    write("neighbour", "VALUE = 1")
    before = code_digest(component()())

    write("neighbour", "VALUE = 2")

    assert code_digest(component()()) == before


def test_a_change_in_the_plugin_itself_changes_the_code(write: Writer) -> None:
    write("plugin", PLUGIN.replace("IMPORT", ""))
    before = code_digest(component()())

    write("plugin", PLUGIN.replace("IMPORT", "pass"))

    assert code_digest(component()()) != before


def test_helpers_that_import_each_other_are_followed_once(write: Writer) -> None:
    write("plugin", PLUGIN.replace("IMPORT", "from .helper import VALUE"))
    write("helper", "from . import plugin\nVALUE = 1")

    assert {f"{PACKAGE}.plugin", f"{PACKAGE}.helper"} <= set(source_files(component()))


def test_the_code_of_a_base_class_counts(write: Writer) -> None:
    write("base", PLUGIN.replace("IMPORT", "pass"))
    # Imported in a way that no reader of the source can follow.
    write(
        "plugin",
        "import dataclasses, importlib\n"
        "Base = importlib.import_module(__package__ + '.base').Mine\n"
        "@dataclasses.dataclass(frozen=True)\n"
        "class Mine(Base):\n    'Mine.'\n",
    )

    assert f"{PACKAGE}.base" in source_files(component())


def test_no_helper_is_imported_for_its_digest(write: Writer) -> None:
    write("plugin", PLUGIN.replace("IMPORT", "from .helper import VALUE"))
    write("helper", "raise RuntimeError('imported')")

    code_digest(component()())

    assert f"{PACKAGE}.helper" not in sys.modules


def test_a_helper_that_cannot_be_parsed_counts_by_its_bytes(write: Writer) -> None:
    write("plugin", PLUGIN.replace("IMPORT", "from .helper import VALUE"))
    write("helper", "def (")
    before = code_digest(component()())

    write("helper", "def ((")

    assert code_digest(component()()) != before


def test_the_code_of_a_plugin_file_and_of_a_folders_helper_counts(tmp_path: Path) -> None:
    folder = tmp_path / "folder_plugin"
    folder.mkdir()
    hook = "@harness.hookimpl\ndef harness_clusterers():\n    return [Mine]\n"
    (folder / "__init__.py").write_text(
        PLUGIN.replace("IMPORT", "from .helper import VALUE") + hook
    )
    (folder / "helper.py").write_text("VALUE = 1")
    found = load([folder]).find("clusterer", "mine")
    before = code_digest(found())

    (folder / "helper.py").write_text("VALUE = 2")

    assert code_digest(found()) != before


def test_an_identity_has_the_short_and_the_full_spec(write: Writer) -> None:
    write("plugin", PLUGIN.replace("IMPORT", ""))

    identity = identify(component()(), "code")

    assert (identity.name, identity.spec, identity.full_spec) == ("mine", "mine", "mine[size=2]")
    assert identity.parts == [identity.full_spec, "code"]


@settings(max_examples=100, deadline=None)
@given(st.lists(values, max_size=4))
def test_keys_and_seeds_depend_on_content_only_and_stay_in_range(parts: list[object]) -> None:
    again = json.loads(json.dumps(parts))

    assert key_of(*parts) == key_of(*again)
    assert len(key_of(*parts)) == 32
    assert 0 <= seed_of(*parts) < SEEDS
    assert seed_of(*parts) == seed_of(*again)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text() | st.integers(), max_size=4), st.lists(st.text() | st.integers()))
def test_different_parts_have_different_keys(one: list[object], other: list[object]) -> None:
    assert (key_of(*one) == key_of(*other)) == (one == other)


def test_the_order_of_a_mapping_does_not_matter() -> None:
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})


def test_keys_and_seeds_are_the_same_in_another_process() -> None:
    source = (
        "from harness.planning.identity import key_of, seed_of\n"
        "print(key_of('a', 1, {'ü': [None, 0.1]}), seed_of('a', 1))"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", source],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]

    here = f"{key_of('a', 1, {'ü': [None, 0.1]})} {seed_of('a', 1)}\n"
    assert printed == [here, here]


def test_the_shipped_model_is_part_of_its_extractors_code() -> None:
    files = source_files(load().find("extractor", "one-layer-vit"))

    assert {
        "harness_plugins.thesis.vit.model",
        "harness_plugins.thesis.vit.checkpoint",
        "harness_plugins.thesis.vit.files",
    } <= set(files)
    assert "harness" not in files
    assert not [name for name in files if name.startswith("harness_plugins.clusterers")]
