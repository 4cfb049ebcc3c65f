"""Every public name and hook has a numpydoc docstring, whose examples run."""

import ast
import dataclasses
import doctest
import inspect
import itertools
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from harness.plugin import hooks

# The names that examples may use without importing them.
GLOBALS = {
    "harness": harness,
    "np": np,
    "dataclass": dataclasses.dataclass,
    "replace": dataclasses.replace,
}
HOME_OF = {name: home for home, names in harness.HOMES.items() for name in names.split()}
HOOKS = {name: vars(hooks)[name] for name in dir(hooks) if name.startswith("harness_")}
PUBLIC = {**{name: getattr(harness, name) for name in harness.__all__}, **HOOKS}

every_public_name = pytest.mark.parametrize("name", PUBLIC)


def has_signature(value: Any) -> bool:
    return inspect.isfunction(value) or (inspect.isclass(value) and dataclasses.is_dataclass(value))


def is_called(value: Any) -> bool:
    return inspect.isfunction(value) or inspect.isclass(value) or value is harness.hookimpl


def docstring(name: str) -> str:
    value = PUBLIC[name]
    if not (inspect.isfunction(value) or inspect.isclass(value)):
        return docstring_of_assignment(HOME_OF[name], name)
    written = inspect.cleandoc(value.__doc__ or "")
    # A dataclass without a docstring is given its signature as one.
    return "" if written.startswith(f"{name}(") else written


def docstring_of_assignment(home: str, name: str) -> str:
    """The literal that follows the assignment of a constant, an alias or a marker."""
    body = ast.parse(Path(str(import_module(home).__file__)).read_text(encoding="utf-8")).body
    for statement, following in itertools.pairwise(body):
        match statement, following:
            case ast.Assign([ast.Name(found)]), ast.Expr(ast.Constant(str(text))) if found == name:
                return inspect.cleandoc(text)
    return ""


def section(written: str, title: str) -> str:
    """The lines of a section of a docstring."""
    found = re.search(rf"^{title}\n-+\n(.*?)(?=^\w+\n---|\Z)", written, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def names_in(lines: str) -> set[str]:
    """The names that a Parameters or Attributes section documents: `first, second : type`."""
    titles = re.findall(r"^(?=\S)([^:\n]*[^:\s])", lines, re.MULTILINE)
    return {name.strip().lstrip("*") for title in titles for name in title.split(",")}


@every_public_name
def test_a_public_name_has_a_docstring_that_begins_with_a_sentence(name: str) -> None:
    assert docstring(name).partition("\n\n")[0].endswith(".")


@pytest.mark.parametrize("name", [name for name in PUBLIC if is_called(PUBLIC[name])])
def test_what_can_be_called_has_examples_that_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    value, globs = PUBLIC[name], dict(GLOBALS)
    if inspect.isfunction(value) or inspect.isclass(value):
        tests = doctest.DocTestFinder().find(value, name, globs=globs)
    else:
        tests = [doctest.DocTestParser().get_doctest(docstring(name), globs, name, None, None)]
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in tests:
        runner.run(test, out=report.append)

    assert section(docstring(name), "Examples")
    assert runner.tries > 0
    assert runner.failures == 0, "".join(report)


@pytest.mark.parametrize("name", [name for name in PUBLIC if has_signature(PUBLIC[name])])
def test_every_parameter_is_documented(name: str) -> None:
    parameters = set(inspect.signature(PUBLIC[name]).parameters)
    written = docstring(name)

    documented = names_in(section(written, "Parameters")) | names_in(section(written, "Attributes"))
    assert parameters <= documented
