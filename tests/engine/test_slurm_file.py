"""The TOML file of `--slurm`."""

from pathlib import Path

import pytest

from harness.errors import HarnessError
from support.runs import Command, small_command

pytest.importorskip("submitit")
from harness.engine.slurm_file import read_slurm_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "jobs.toml"


def test_parameters_of_submitit_are_passed_on(file: Path) -> None:
    file.write_text('partition = "short"\ntime = 90\ncpus_per_task = 8\nchunk = 64\nmem = 40')

    found = read_slurm_file(file)

    assert (found.chunk, found.minutes, found.workers) == (64, 90, 8)
    assert found.parameters == {
        "partition": "short", "time": 90, "cpus_per_task": 8, "mem": "40960M",
        "array_parallelism": 256,
    }  # fmt: skip


def test_an_empty_file_has_defaults(file: Path) -> None:
    file.touch()

    found = read_slurm_file(file)

    assert (found.cluster, found.chunk, found.minutes, found.jobs) == ("slurm", 32, 60, 256)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('partiton = "short"', "there is no key 'partiton'; did you mean 'partition'?"),
        ("nodes = 2", "there is no key 'nodes'"),
        ("chunk = 0", "chunk: expected a whole number from 1 on, not 0"),
        ('time = "04:00:00"', "time: expected a whole number from 1 on, not '04:00:00'"),
        ('mem = "40GB"', "mem: expected a number of GB, not '40GB'"),
        ('cluster = "pbs"', "cluster: expected slurm or local, not 'pbs'"),
        ("chunk = ", "not TOML: Invalid value"),
        (f"chunk = {'[' * 5000}", "not TOML: its lists or tables are nested too deeply"),
    ],
)
def test_what_is_wrong_is_named(file: Path, content: str, message: str) -> None:
    file.write_text(content)

    with pytest.raises(HarnessError) as refused:
        read_slurm_file(file)

    assert str(refused.value).startswith(f"{file}: {message}")


def test_a_missing_file_is_refused_before_the_run_begins(
    harness_command: Command, planted_maps: Path, tmp_path: Path
) -> None:
    finished = harness_command(
        *small_command(planted_maps, slurm="jobs.toml", isolation="process", out="out")
    )

    assert finished.returncode == 1
    assert finished.stderr == "harness: jobs.toml: No such file or directory\n"
    assert not (tmp_path / "out").exists()


def test_without_slurm_a_run_is_refused(
    harness_command: Command, planted_maps: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    file.touch()

    finished = harness_command(
        *small_command(planted_maps, slurm=file, isolation="process", out="out")
    )

    assert finished.returncode == 1
    assert "slurm: there is no srun here; start the run on a machine that" in finished.stderr


def test_dask_and_slurm_are_refused_together(
    harness_command: Command, planted_maps: Path, file: Path
) -> None:
    file.touch()

    finished = harness_command(
        *small_command(planted_maps, slurm=file, dask="local", isolation="process")
    )

    assert finished.returncode == 1
    assert finished.stderr == (
        "harness: components run either in this process, on Dask or on Slurm; leave out --dask or "
        "--slurm\n"
    )
