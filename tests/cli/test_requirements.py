"""What needs an extra is refused, where the extra is missing, before anything is computed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.extras import packages
from support.runs import Command, small_command

Without = Callable[..., None]


def test_a_run_names_all_that_it_misses_in_one_line(
    harness_command: Command, without: Without, tmp_path: Path
) -> None:
    without("torch", "infomap", "hdbscan")

    finished = harness_command("run", "--out", "out")

    assert finished.returncode == 1
    assert finished.stderr == (
        "harness: one-layer-vit needs the package torch, infomap needs the package infomap and sdp "
        "needs the package hdbscan, which are not installed: "
        "pip install 'attention-harness[vit,infomap,sdp]'\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "module", "user", "install"),
    [
        ("train --images fashion-mnist-sample --out m", "torch", "train", "'…[vit]'"),
        (
            "evaluate fashion-mnist-one-head --images fashion-mnist-sample",
            "torch",
            "evaluate",
            "'…[vit]'",
        ),
        ("reproduce", "matplotlib", "reproduce", "'…[vit,infomap,networkx,figures]'"),
        ("data fetch fashion-mnist", "requests", "data fetch", "'…[data]'"),
        ("show nowhere image --out figures", "matplotlib", "show --out", "'…[figures]'"),
        ("layers nowhere --out figures", "matplotlib", "layers --out", "'…[figures]'"),
        (
            "export nowhere --out tables",
            "pyarrow",
            "export --format parquet",
            "'…[parquet]'; or choose --format csv",
        ),
        ("run --dask local", "distributed", "--dask", "'…[dask]'"),
        ("run --slurm jobs.toml", "submitit", "--slurm", "'…[slurm]'"),
        ("completion bash", "shtab", "completion", "'…[shell]'"),
    ],
)
def test_a_command_or_an_option_without_its_packages_is_refused(
    arguments: str,
    module: str,
    user: str,
    install: str,
    harness_command: Command,
    without: Without,
    tmp_path: Path,
) -> None:
    without(module)

    finished = harness_command(*arguments.split())

    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr == (
        f"harness: {user} needs the package {module}, which is not installed: "
        f"pip install {install.replace('…', 'attention-harness')}\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_tables_and_figures_in_the_terminal_need_no_extra(planted: Path, tmp_path: Path) -> None:
    commands = (
        small_command(planted, out="out"),
        ["show", "out", "planted-0"],
        ["leaderboard", "out"],
        ["export", "out", "--out", "tables", "--format", "csv"],
    )
    # In a process of its own: pandas uses pyarrow if that was there when it was imported.
    script = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({sorted(packages('all'))}))\n"
        "from harness.cli.main import main\n"
        f"assert not any(map(main, {[list(map(str, each)) for each in commands]}))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)
