"""Every public name and hook has a numpydoc docstring; the examples of all docstrings run."""

import ast
import dataclasses
import doctest
import inspect
import itertools
import re
from collections.abc import Iterator
from doctest import DocTest
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
import harness.testing
from harness.plugin import hooks
from support import REPOSITORY

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


def examples() -> Iterator[Any]:
    """The examples of every docstring of the core, as a doctest named by what it documents."""
    for path in sorted((REPOSITORY / "harness").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if ">>> " not in source:
            continue
        module = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        names = {**vars(import_module(module)), **GLOBALS}
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Expr(ast.Constant(str(text))) if ">>> " in text:
                    name = f"{module}:{node.lineno}"
                    test = doctest.DocTestParser().get_doctest(text, dict(names), name, None, None)
                    yield pytest.param(test, id=name)


@every_public_name
def test_a_public_name_has_a_docstring_that_begins_with_a_sentence(name: str) -> None:
    assert docstring(name).partition("\n\n")[0].endswith(".")


@pytest.mark.parametrize("name", [name for name in PUBLIC if is_called(PUBLIC[name])])
def test_what_can_be_called_has_examples(name: str) -> None:
    assert ">>> " in section(docstring(name), "Examples")


@pytest.mark.parametrize("docstring", list(examples()))
def test_the_examples_of_a_docstring_give_what_they_show(
    docstring: DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report: list[str] = []

    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(docstring, out=report.append)

    assert report == []


@pytest.mark.parametrize("name", [name for name in PUBLIC if has_signature(PUBLIC[name])])
def test_every_parameter_is_documented(name: str) -> None:
    parameters = set(inspect.signature(PUBLIC[name]).parameters)
    written = docstring(name)

    documented = names_in(section(written, "Parameters")) | names_in(section(written, "Attributes"))
    assert parameters <= documented
