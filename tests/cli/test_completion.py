"""The script of `harness completion` completes in a real shell."""

import shlex
import subprocess
from pathlib import Path

import pytest

from harness.cli.completion import SHELLS, script
from support.runs import Command

# Lets bash complete the last of some words, and prints what it offers.
COMPLETE = """
source {script}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_shtab_harness
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("shtab")
    path = tmp_path_factory.mktemp("completion") / "harness.bash"
    path.write_text(script("bash"))
    return path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["comp"], {"compare", "compare-partitions", "completion"}),
        (["run", "--clus"], {"--clusterers"}),
        (["run", "--clusterers", "lou"], {"louvain", "louvain-networkx"}),
        (["run", "--clusterers", "louvain,inf"], {"louvain,infomap"}),
        (["run", "--clusterers", "louvain[resolution=2],inf"], {"louvain[resolution=2],infomap"}),
        (["run", "--clusterers", "louvain[res"], set()),
        (["run", "--isolation", "n"], {"none"}),
        (["select", "results", "--selectors", "ex"], {"excess-modularity"}),
        (
            ["score", "results", "--scores", "silhouette,con"],
            {"silhouette,conductance", "silhouette,contiguity"},
        ),
        (["plugins", "tf"], {"tf-flowers"}),
        (["new", "score", "cont"], set()),
        (["data", "fetch", "ci"], {"cifar10", "cinic10"}),
        (["data", "list", "--l"], {"--log"}),
    ],
)
def test_bash_completes(bash_script: Path, words: list[str], offered: set[str]) -> None:
    typed = shlex.join(["harness", *words])

    finished = subprocess.run(
        ["bash", "-c", COMPLETE.format(script=bash_script, words=typed)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert set(finished.stdout.split()) == offered


def test_bash_completes_the_folder_of_a_run(bash_script: Path) -> None:
    folder = bash_script.parent
    words = f"harness show {shlex.quote(str(folder)[:-2])}"

    finished = subprocess.run(
        ["bash", "-c", COMPLETE.format(script=bash_script, words=words)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert str(folder) in finished.stdout.split()


@pytest.mark.parametrize("shell", SHELLS)
def test_every_script_names_the_components(shell: str) -> None:
    pytest.importorskip("shtab")

    lines = [line for line in script(shell).splitlines() if "label-propagation" in line]

    assert any("infomap" in line for line in lines)


def test_another_shell_is_refused(harness_command: Command) -> None:
    finished = harness_command("completion", "tcsh")

    assert finished.returncode == 1
    assert "invalid choice: 'tcsh'; there are bash, zsh, fish" in finished.stderr
