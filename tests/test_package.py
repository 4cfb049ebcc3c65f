import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import harness
import harness.command
import harness.testing
from support import REPOSITORY
from support.extras import packages

FACADES = pytest.mark.parametrize(
    "facade", [harness, harness.command, harness.testing], ids=lambda facade: facade.__name__
)


def seen_by_type_checkers(facade: ModuleType) -> set[tuple[str, str]]:
    """Module and name of every import that exports its name, as in `from m import x as x`."""
    tree = ast.parse(Path(str(facade.__file__)).read_text(encoding="utf-8"))
    return {
        (str(node.module), name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name == name.asname
    }


@FACADES
def test_every_public_name_is_there(facade: ModuleType) -> None:
    for name in facade.__all__:
        assert getattr(facade, name) is not None


@FACADES
def test_type_checkers_see_the_names_that_are_found_at_run_time(facade: ModuleType) -> None:
    found = {(home, name) for home, names in facade.HOMES.items() for name in names.split()}

    assert seen_by_type_checkers(facade) == found
    assert sorted(name for _, name in found) == facade.__all__ == dir(facade)
    for home, name in found:
        assert getattr(facade, name) is getattr(import_module(home), name)


@FACADES
def test_an_unknown_name_is_an_attribute_error(facade: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"'{facade.__name__}' has no attribute 'Clusterers'"):
        facade.Clusterers  # noqa: B018


def test_importing_the_package_imports_no_library() -> None:
    script = "import sys, harness; assert not {'numpy', 'torch', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_importing_the_package_imports_no_module_that_a_users_file_could_shadow() -> None:
    """`python -m` imports the package while the working folder is first on the path."""
    script = (
        "import runpy, sys; before = set(sys.modules); import harness; "
        "assert set(sys.modules) - before == {'harness', 'harness.lazy'}"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_no_module_needs_an_extra_unless_it_draws_uses_dask_or_runs_a_model() -> None:
    needy = ("harness/views/figures", "harness/engine/dask_", "thesis/reproduction", "thesis/vit/")
    needy += ("extractors/pretrained/", "harness/templates/")
    folders = (REPOSITORY, "harness"), (REPOSITORY / "plugins", "harness_plugins")
    paths = [
        str(path.relative_to(root).with_suffix("")).removesuffix("/__init__")
        for root, folder in folders
        for path in sorted((root / folder).rglob("*.py"))
    ]
    modules = [path.replace("/", ".") for path in paths if not any(each in path for each in needy)]
    script = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({sorted(packages('all'))}))\n"
        f"for name in {modules}: importlib.import_module(name)\n"
        "from harness.plugin import registry\n"
        "assert not registry.load().broken, registry.load().broken\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)
