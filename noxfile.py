"""`nox` runs all checks in environments of their own; `nox -l` lists the sessions."""

import itertools
import json
import re
import sys
import tomllib
from pathlib import Path

import nox

PYPROJECT = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
REQUIREMENTS = [
    *PYPROJECT["project"]["dependencies"],
    *itertools.chain(*PYPROJECT["project"]["optional-dependencies"].values()),
]
CONSTRAINTS = Path("constraints.txt")
HEADER = """\
# Exact versions that the README's commands and continuous integration install.
# pyproject.toml has the ranges that the harness works with. Written by `nox -s constraints`.
"""
# Has a build for processors alone on every platform that the harness is tested on.
TORCH = "torch==2.13.0"
# Dependencies that are quick to install in their lowest supported version.
SMALL = ("platformdirs", "pluggy", "requests", "rich", "threadpoolctl")

nox.options.sessions = ["lint", "types", "core", "tests", "docs", "site"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Style, format and the direction of imports."""
    session.install("-c", str(CONSTRAINTS), "-e", ".[development]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session(python="3.11")
def types(session: nox.Session) -> None:
    """mypy --strict."""
    session.install("-c", str(CONSTRAINTS), "-e", ".[development]")
    session.run("mypy")


# scikit-network has no wheel for later versions.
@nox.session(python=["3.11", "3.12", "3.13"])
def core(session: nox.Session) -> None:
    """What needs no extra, on every installed Python that has wheels of all that is required."""
    session.install("-c", str(CONSTRAINTS), ".")
    session.run(".ci/core", external=True)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """The test suite, on every supported Python that is installed."""
    session.install("-c", str(CONSTRAINTS), "-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """The test suite with the lowest supported versions of small dependencies."""
    lowest_versions = dict(
        match.groups()
        for requirement in REQUIREMENTS
        if (match := re.match(r"([\w-]+)>=([\d.]+)", requirement)) and match[1] in SMALL
    )
    pinned = [
        line
        for line in CONSTRAINTS.read_text("utf-8").splitlines()
        if line.partition("==")[0] not in lowest_versions
    ]
    pinned += [f"{name}=={version}" for name, version in lowest_versions.items()]
    path = Path(session.create_tmp(), "lowest.txt")
    path.write_text("\n".join(pinned) + "\n", "utf-8")
    session.install("-c", str(path), "-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session(python="3.11")
def docs(session: nox.Session) -> None:
    """Docstrings, the pages' commands and links, and the fragments of the changelog."""
    session.install("-c", str(CONSTRAINTS), "-e", ".[development]")
    pages = ("tests/test_docs.py", "tests/test_docstrings.py", "tests/test_readme.py")
    session.run("pytest", *pages)
    session.run("towncrier", "build", "--draft", "--version", "next")


@nox.session(venv_backend="none")
def page(session: nox.Session) -> None:
    """The bundle of the report's page: checked, built anew, and as it is committed."""
    folder = Path("harness/views/report")
    with session.chdir(folder / "web"):
        session.run("npm", "ci", "--no-audit", "--no-fund", external=True)
        session.run("npm", "run", "check", external=True)
        session.run("npm", "run", "build", external=True)
    built = [str(folder / name) for name in ("report.js", "report.css", "report.js.LICENSES.txt")]
    session.run("git", "diff", "--exit-code", "--stat", *built, external=True)


@nox.session(python="3.11")
def site(session: nox.Session) -> None:
    """The documentation as a site, in site/; a warning or a link that leads nowhere fails."""
    session.install("-c", str(CONSTRAINTS), "-e", ".[docs]")
    session.run("sphinx-build", "-W", "--keep-going", "-E", "-q", "-c", "docs", ".", "site")


@nox.session(python="3.11")
def constraints(session: nox.Session) -> None:
    """Resolve every dependency anew and write constraints.txt."""
    report = Path(session.create_tmp(), "report.json").resolve()
    session.run(
        "python", "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
        "--report", str(report), TORCH, "-e", ".[development,docs,all]", silent=True,
    )  # fmt: skip
    resolved = {
        entry["metadata"]["name"]: entry["metadata"]["version"]
        for entry in json.loads(report.read_text("utf-8"))["install"]
    }
    resolved.pop(PYPROJECT["project"]["name"])
    # The public part of a version: a local build tag is one machine's.
    lines = sorted(
        (f"{name}=={version.partition('+')[0]}" for name, version in resolved.items()),
        key=str.lower,
    )
    CONSTRAINTS.write_text(HEADER + "\n".join(lines) + "\n", "utf-8")
    session.log(f"{len(lines)} versions, resolved by Python {sys.version.split()[0]}")
