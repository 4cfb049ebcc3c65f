"""What the pages link to and show exists, and habits that files share stay the same."""

import ast
import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.analysis.limits import read_limit
from harness.analysis.partitions import parse_reference
from harness.cli.main import OWN, main
from harness.cli.parsing import Parser, command_parser
from harness.planning.settings import SETTINGS
from harness.planning.suites import resolve_run
from harness.plugin import registry
from harness.plugin.commands import find_commands
from harness.plugin.descriptions import describe_all
from support import REPOSITORY

PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "results/*/README.md", "changelog.d/*.md")
    for path in REPOSITORY.glob(pattern)
)
# The changelog also names what no longer exists.
CURRENT = [page for page in PAGES if not page.lower().startswith("changelog")]
FILES = [
    f"/{path.relative_to(REPOSITORY).as_posix()}"
    for folder in ("harness", "plugins", "benchmarks", "tests")
    for path in (REPOSITORY / folder).rglob("*.*")
]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
INLINE = re.compile(r"`harness ([a-z][a-z-]+)( [^`]*)?`")


def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text("utf-8")


def commands_of(page: str) -> Iterator[str]:
    """The arguments of every `harness` that a block of a page calls."""
    text = text_of(page)
    blocks = [block for language, block in FENCED.findall(text) if language in ("sh", "")]
    blocks += INDENTED.findall(FENCED.sub("", text))
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        for command in re.split(r" && ", line):
            called = re.match(r" *(?:\S+/)?harness(?: (.*))?$", command)
            if called:
                yield called[1] or ""


def parser_of(verb: str) -> Parser:
    _, known = command_parser(find_commands(OWN), [verb])
    return known[verb]


COMMANDS = [(page, arguments) for page in CURRENT for arguments in dict.fromkeys(commands_of(page))]
SNIPPETS = [
    (page, block)
    for page in CURRENT
    for language, block in FENCED.findall(text_of(page))
    if language == "python"
]


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_of_a_page_leads_to_a_file(page: str) -> None:
    path = REPOSITORY / page
    links = {link for link in LINK.findall(path.read_text("utf-8")) if "://" not in link}

    assert {link for link in links if not (path.parent / link).exists()} == set()


@pytest.mark.parametrize("page", CURRENT)
def test_every_source_file_that_a_page_names_exists(page: str) -> None:
    named = set(re.findall(r"`([\w/]+\.(?:py|toml))`", text_of(page)))

    found = {name for name in named if any(file.endswith(f"/{name}") for file in FILES)}
    assert named - found <= {"pyproject.toml", "random.py", "strongest/strongest.py"}


@pytest.mark.parametrize("page", CURRENT)
def test_every_test_that_a_page_names_exists(page: str) -> None:
    tests = "".join(path.read_text("utf-8") for path in (REPOSITORY / "tests").rglob("*.py"))
    named = set(re.findall(r"`(test_\w+)[…`\[]", text_of(page)))

    assert {name for name in named if f"def {name}" not in tests} == set()


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The pages' examples of plugins and suites, as files of the working folder."""
    monkeypatch.chdir(tmp_path)
    for page, block in SNIPPETS:
        if "hookimpl" in block or "def make_model" in block:
            for file in re.findall(r"--plugin (\S+\.py)", text_of(page)):
                Path(file).write_text(block, "utf-8")
    for page in CURRENT:
        for kind, name in re.findall(r"^harness new (\S+) (\S+)", text_of(page), re.MULTILINE):
            main(["new", kind, name])
    Path("benchmarks").symlink_to(REPOSITORY / "benchmarks")
    Path("my-suite.toml").touch()


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(("page", "arguments"), COMMANDS)
def test_every_command_that_a_page_shows_parses_and_names_what_exists(
    page: str, arguments: str
) -> None:
    verb, *words = shlex.split(arguments.partition(" > ")[0], comments=True) or ["run"]

    given = vars(parser_of(verb).parse_args(words))

    if verb == "run":
        resolve_run(given["suite"], {key: given[key] for key in SETTINGS})
    elif verb == "select":
        registry.load(()).make("selector", given["selectors"])
    elif verb == "score":
        registry.load(()).make("score", given["scores"])
    elif given.get("images") and verb in ("evaluate", "reproduce", "train"):
        registry.load(()).make("image set", given["images"])
    for reference in (given.get("of"), given.get("with")):
        if isinstance(reference, str):
            parse_reference(reference)
    for limit in given.get("fail_on", ()):
        read_limit(limit)


@pytest.mark.parametrize("page", CURRENT)
def test_every_command_in_the_text_of_a_page_exists_with_its_options(page: str) -> None:
    for verb, words in INLINE.findall(text_of(page)):
        named = set(re.findall(r"--[a-z-]+", words))

        assert named <= set(re.findall(r"--[a-z-]+", parser_of(verb).format_help()))


@pytest.mark.parametrize(("page", "snippet"), SNIPPETS)
def test_every_python_snippet_of_a_page_compiles_and_uses_names_that_exist(
    page: str, snippet: str
) -> None:
    tree = ast.parse(snippet, page)

    missing = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("harness"):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                # A submodule is no attribute before it is imported.
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = {"harness": harness, "run": harness.Run}.get(node.value.id)
            if owner is not None and not hasattr(owner, node.attr):
                missing.add(f"{node.value.id}.{node.attr}")
    assert missing == set()


@pytest.mark.parametrize("page", CURRENT)
def test_every_name_of_harness_in_the_text_of_a_page_exists(page: str) -> None:
    text = FENCED.sub("", text_of(page))
    public = set(re.findall(r"`harness\.([A-Za-z]\w*)[`(]", text))
    methods = set(re.findall(r"`[Rr]un\.(\w+)[`(]", text))

    rooms = {"command", "commands", "functions", "suites", "testing"}
    assert public - {*dir(harness), *rooms} == set()
    assert methods - {*dir(harness.Run), "sqlite"} == set()


def test_the_pages_on_settings_and_runs_name_every_shipped_component() -> None:
    shipped = {each.name for each in describe_all(registry.load(()))}
    pages = text_of("docs/compare.md") + text_of("docs/runs.md")

    assert shipped - set(re.findall(r"`([\w-]+)`", pages)) == set()


def test_the_readme_is_at_most_900_words() -> None:
    assert len(text_of("README.md").split()) <= 900


def test_the_citation_names_the_version_and_the_thesis() -> None:
    citation = text_of("CITATION.cff")
    project = tomllib.loads(text_of("pyproject.toml"))["project"]

    assert re.findall(r"^version: (.*)$", citation, re.M) == [project["version"]]
    assert re.findall(r"^ +url: (.*)$", citation, re.M) == [project["urls"]["Thesis"]]


def test_pre_commit_and_the_constraints_have_the_same_ruff() -> None:
    hooks = re.findall(r"ruff==([\d.]+)", (REPOSITORY / ".pre-commit-config.yaml").read_text())
    (pinned,) = re.findall(r"^ruff==([\d.]+)$", (REPOSITORY / "constraints.txt").read_text(), re.M)

    assert set(hooks) == {pinned}


def test_fragments_of_the_changelog_are_of_a_kind_that_the_changelog_has() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]
    kinds = {kind["directory"] for kind in settings["towncrier"]["type"]}
    names = {path.name for path in (REPOSITORY / "changelog.d").glob("*.md")} - {"README.md"}

    assert {name for name in names if name.split(".")[-2] not in kinds} == set()
