"""What the pages link to is there, and habits that files share stay the same."""

import re
import tomllib

import pytest

from support import REPOSITORY

PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "docs/*.md", "results/*/README.md", "changelog.d/*.md")
    for path in REPOSITORY.glob(pattern)
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_of_a_page_leads_to_a_file(page: str) -> None:
    path = REPOSITORY / page
    links = {link for link in LINK.findall(path.read_text("utf-8")) if "://" not in link}

    assert {link for link in links if not (path.parent / link).exists()} == set()


def test_pre_commit_and_the_constraints_have_the_same_ruff() -> None:
    hooks = re.findall(r"ruff==([\d.]+)", (REPOSITORY / ".pre-commit-config.yaml").read_text())
    (pinned,) = re.findall(r"^ruff==([\d.]+)$", (REPOSITORY / "constraints.txt").read_text(), re.M)

    assert set(hooks) == {pinned}


def test_fragments_of_the_changelog_are_of_a_kind_that_the_changelog_has() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]
    kinds = {kind["directory"] for kind in settings["towncrier"]["type"]}
    names = {path.name for path in (REPOSITORY / "changelog.d").glob("*.md")} - {"README.md"}

    assert {name for name in names if name.split(".")[-2] not in kinds} == set()
