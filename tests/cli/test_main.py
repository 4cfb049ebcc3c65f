import subprocess
import sys
from pathlib import Path

import pytest

from support.runs import Command, small_command

LONG = "a" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "out", "--method", "louvain", "planted-0"),
        ("show", "--method", "louvain", "out", "planted-0"),
        ("show", "out", "planted-0", "--method", "louvain"),
        ("show", "--method", "louvain", "--", "out", "planted-0"),
        ("show", "--", "out", "planted-0"),
    ],
)
def test_options_may_stand_anywhere_among_positional_arguments(
    harness_command: Command, finished: Path, arguments: tuple[str, ...]
) -> None:
    shown = harness_command(*arguments)

    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("planted-0")


def test_options_may_stand_between_arguments_of_verbs_of_verbs(harness_command: Command) -> None:
    fetched = harness_command("data", "fetch", "--to", "there", "tf-flower")

    assert "invalid choice: 'tf-flower'" in fetched.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "out", "planted-0", "planted-1"),
        ("show", "out", "--unknown", "planted-0"),
        ("show", "--method", "louvain"),
        ("leaderboard", "--json", "--csv", "out"),
    ],
)
def test_a_wrong_argument_is_one_line(
    harness_command: Command, finished: Path, arguments: tuple[str, ...]
) -> None:
    refused = harness_command(*arguments)

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "(see harness" in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", f"{LONG}.toml"),
        ("run", "--plugin", f"{LONG}.py"),
        small_command(None, extractors="planted[count=1,n=16,k=2]", out=LONG),
        small_command(None, extractors=f"arrays[path={LONG}]", out="new"),
        small_command(None, extractors="one-layer-vit", images=f"folder[path={LONG}]", out="new"),
        ("select", LONG, "--selectors", "max-modularity"),
        ("leaderboard", LONG),
        ("leaderboard", "out", LONG),
        ("compare", "out", LONG),
        ("compare-partitions", f"{LONG}.npy", f"{LONG}.npy"),
        ("show", LONG),
        ("show", "out", "planted-0", "--out", LONG),
        ("layers", LONG),
        ("ablate", LONG),
        ("foreground", LONG, "--above", "1"),
        ("export", "out", "--out", LONG),
        ("plugins", "--plugin", LONG),
        ("doctor", "--plugin", LONG),
        ("data", "verify", "tf-flowers", "--path", LONG),
        ("evaluate", f"{LONG}.safetensors", "--images", "fashion-mnist-sample"),
        ("train", f"{LONG}.toml", "--out", "new"),
        ("train", "--images", "fashion-mnist-sample", "--out", f"{LONG}.safetensors"),
    ],
    ids=lambda arguments: " ".join(arguments).replace(LONG, "LONG")[:60],
)
def test_a_name_that_no_file_can_have_is_one_line(
    harness_command: Command, finished: Path, arguments: tuple[str, ...]
) -> None:
    refused = harness_command(*arguments)

    assert refused.returncode == 1
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("harness: ")
    assert "aaaa" in last
    assert "Traceback" not in refused.stderr


def test_a_line_break_in_a_name_forges_no_line(harness_command: Command) -> None:
    refused = harness_command("show", "nowhere\nharness: all is well")

    assert refused.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "suite.toml"),
        small_command(None, extractors="planted[count=1,n=16,k=2]", out="out"),
        ("show", "out"),
        ("export", "RUN", "--out", "tables"),
        ("plugins", "--plugin", "mine.py"),
        ("doctor",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_relative_path_in_a_folder_that_is_gone_is_one_line(
    finished: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "gone").mkdir()
    words = [str(finished) if word == "RUN" else word for word in arguments]

    refused = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", sys.executable, "-m", "harness", *words],
        cwd=tmp_path / "gone",
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("harness: ")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("depth", [100, 3000])
@pytest.mark.parametrize(
    ("name", "before", "after", "command"),
    [
        ("suite.toml", "clusterers = {}", "", ("run", "FILE", "--dry-run")),
        ("suite.toml", "a = {}", "", ("run", "FILE", "--dry-run")),
        ("suite.toml", "levels = {}", "", ("run", "FILE", "--dry-run")),
        ("study.toml", "epochs = {}", "", ("train", "FILE", "--out", "models")),
        ("study.toml", "variant = {}", "", ("train", "FILE", "--out", "models")),
    ],
)
def test_deep_nesting_in_a_file_is_one_line(
    harness_command: Command,
    tmp_path: Path,
    depth: int,
    name: str,
    before: str,
    after: str,
    command: tuple[str, ...],
) -> None:
    (tmp_path / name).write_text(before.format("[" * depth + "]" * depth) + after)

    refused = harness_command(*(name if word == "FILE" else word for word in command))

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert len(refused.stderr) < 1000


@pytest.mark.parametrize("depth", [20, 3000])
def test_deep_nesting_in_a_spec_is_one_line(harness_command: Command, depth: int) -> None:
    spec = "louvain[resolution=" + "[" * depth + "1" + "]" * depth + "]"

    refused = harness_command("run", "--clusterers", spec, "--dry-run")

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert len(refused.stderr) < 1000


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("leaderbord", "out"), "'leaderboard'"),
        (("shwo", "out"), "'show'"),
        (("compare-partition", "a", "b"), "'compare-partitions'"),
        (("data", "lst"), "'list'"),
        (("data", "fetch", "cifar"), "'cifar10'"),
        (("leaderboard", "out", "--stabilty"), "'--stability'"),
        (("leaderboard", "out", "--per", "hed"), "'head'"),
        (("run", "--extractor", "planted"), "'--extractors'"),
        (("run", "--clusterer=louvain"), "'--clusterers'"),
    ],
)
def test_a_misspelt_verb_option_or_choice_is_answered_with_what_may_be_meant(
    harness_command: Command, arguments: tuple[str, ...], meant: str
) -> None:
    refused = harness_command(*arguments)

    assert refused.returncode == 1
    assert f"did you mean {meant}?" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_an_option_before_the_verb_is_asked_for_behind_it(harness_command: Command) -> None:
    refused = harness_command("--json", "leaderboard", "out").stderr

    assert refused.endswith("it follows the command (see harness leaderboard --help)\n")


def test_a_verb_like_no_other_is_answered_with_all(harness_command: Command) -> None:
    assert "there are run, runs, select, " in harness_command("frobnicate").stderr
