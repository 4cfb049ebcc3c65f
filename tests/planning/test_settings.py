"""A setting is declared once: all that mentions settings follows from the declaration."""

import argparse
import dataclasses
import inspect
import re

import pytest

import harness
from harness.cli.run import add_arguments
from harness.planning.settings import SETTINGS, Execution, Settings
from harness.planning.suites import KEYS
from support import REPOSITORY

# It shows every setting with its default.
PAGE = REPOSITORY / "docs" / "compare.md"


def flags(key: str) -> set[str]:
    return set(SETTINGS[key].flags) or {f"--{key.replace('_', '-')}"}


def test_every_field_of_the_settings_is_declared_with_a_help_text() -> None:
    fields = [*dataclasses.fields(Settings), *dataclasses.fields(Execution)]

    assert list(SETTINGS) == [field.name for field in fields]
    assert all(setting.help for setting in SETTINGS.values())


def test_suites_may_contain_all_settings_but_those_of_one_execution() -> None:
    assert set(SETTINGS) - set(KEYS) == {
        "overwrite",
        "retry_failed",
        "force",
        "any_environment",
    }


def test_the_keywords_of_run_are_the_settings() -> None:
    parameters = inspect.signature(harness.run).parameters

    own = ["suite", "maps", "prefix", "grid", "names", "progress"]
    assert list(parameters) == [*own, *SETTINGS]
    for key, setting in SETTINGS.items():
        assert f"{key} : {setting.type_name}" in (harness.run.__doc__ or "")


@pytest.mark.parametrize("key", [key for key, setting in SETTINGS.items() if setting.default])
def test_a_default_is_accepted_by_its_own_setting(key: str) -> None:
    assert SETTINGS[key].check(key, SETTINGS[key].default) is not None


def test_every_setting_is_a_flag_whose_help_shows_the_default() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = {option: action for action in parser._actions for option in action.option_strings}

    for key, setting in SETTINGS.items():
        (action,) = {id(options[flag]): options[flag] for flag in flags(key)}.values()
        assert action.dest == key
        assert action.default is None
        if setting.default and key in KEYS:
            assert f"(default {setting.default}".removesuffix(".0") in str(action.help)


def test_the_page_on_settings_lists_the_flag_of_every_setting_and_no_other() -> None:
    table = re.findall(r"^\| (`-.*?) \|", PAGE.read_text("utf-8"), re.M)
    listed = {flag for cell in table for flag in re.findall(r"`(-[^`]+)`", cell)}

    assert listed == set().union(*map(flags, SETTINGS))


def test_the_page_on_settings_says_the_defaults_that_the_settings_have() -> None:
    rows = re.findall(r"^\| (`-.*?) \|.*\| (.*?) \|$", PAGE.read_text("utf-8"), re.M)

    for cell, defaults in rows:
        for key, setting in SETTINGS.items():
            if setting.default and flags(key) & set(re.findall(r"`(-[^`]+)`", cell)):
                shown = setting.default
                text = f"{shown:g}" if isinstance(shown, float) else str(shown)
                assert text in re.split(r"[,; ]+", defaults), key
