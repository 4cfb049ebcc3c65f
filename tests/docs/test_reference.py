"""The reference of the site has all that the code has."""

import re

import pytest

import harness
from harness.cli.main import OWN
from harness.planning.settings import SETTINGS
from harness.plugin import registry
from harness.plugin.commands import find_commands
from harness.plugin.descriptions import describe_all
from harness_site.commands import commands_reference
from harness_site.components import components_reference
from harness_site.markdown import escaped, table


@pytest.fixture(scope="module")
def commands() -> str:
    return commands_reference()


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its depth."""
    depth = heading.partition(" ")[0]
    return f"\n{text}".split(f"\n{heading}\n", 1)[1].split(f"\n{depth} ", 1)[0]


def test_every_command_has_a_section_in_the_order_of_the_help(commands: str) -> None:
    headings = re.findall(r"^## harness (\S+)$", commands, re.M)

    assert headings == list(find_commands(OWN))


def test_the_commands_of_a_command_have_sections_below_it(commands: str) -> None:
    assert "### harness data fetch" in section(commands, "## harness data")


def test_every_flag_of_a_run_is_in_its_section(commands: str) -> None:
    run = section(commands, "## harness run")
    flags = {f"--{key.replace('_', '-')}" for key in SETTINGS} - {"--plugins"} | {"--plugin"}

    assert {flag for flag in flags if f"{flag} " not in run and f"{flag}`" not in run} == set()


def test_examples_below_the_help_are_blocks_of_code(commands: str) -> None:
    found = section(commands, "## harness foreground")

    assert re.search(r"^```sh\nharness foreground \S+ --above 0\n", found, re.M)


def test_help_is_filled_in_as_argparse_does(commands: str) -> None:
    assert "%(" not in commands
    assert "(default 600)" in section(commands, "## harness run")


def test_every_component_has_a_section_with_its_parameters() -> None:
    text = components_reference()

    for each in describe_all(registry.load(())):
        found = section(text, f"### {each.name}")
        assert all(f"| `{parameter.name}` |" in found for parameter in each.parameters)


def test_a_component_that_needs_an_extra_says_how_to_install_it() -> None:
    found = section(components_reference(), "### infomap")

    assert "pip install 'attention-harness[infomap]'" in found


def test_every_public_name_is_in_the_reference() -> None:
    pytest.importorskip("sphinx")
    from harness_site.names import names_reference

    named = set(re.findall(r"^\.\. [\w:]+:: harness\.(\w+)$", names_reference(), re.M))

    assert set(harness.__all__) - named == set()


def test_text_is_escaped_but_for_code() -> None:
    assert escaped("a|b *c* [d] `e*|f`") == r"a\|b \*c\* \[d\] `e*\|f`"


def test_a_backquote_without_a_partner_is_no_code() -> None:
    assert escaped("one ` alone") == r"one \` alone"


def test_a_table_without_rows_is_nothing() -> None:
    assert table(("a", "b"), []) == ""
