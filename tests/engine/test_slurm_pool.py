"""Runs on submitit's local executor, which starts jobs as Slurm would, on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas
import pytest

import harness
from harness.engine.messages import record_message
from harness.engine.pool import CellJob
from harness.store.records import CellRecord
from support import PLUGINS
from support.runs import Command, small_command

pytest.importorskip("submitit")
from harness.engine.slurm_file import SlurmFile
from harness.engine.slurm_pool import SlurmPool

slow = pytest.mark.slow

WATCH = """
import sys
from pathlib import Path
from harness.engine import slurm_job
slurm_job.LOOK_INTERVAL, slurm_job.DEAD = 0.05, float(sys.argv[2])
slurm_job._watch(Path(sys.argv[1]))
"""


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """Small chunks in local jobs."""
    file = tmp_path / "jobs.toml"
    file.write_text('cluster = "local"\nchunk = 3\ncpus_per_task = 2\n')
    return file


def small(folder: Path, *more: object, **changes: object) -> list[str]:
    return small_command(
        folder, *more, isolation="process", controls="permuted-rows", nulls=3, **changes
    )


def points(folder: Path) -> pandas.DataFrame:
    return harness.open_run(folder).points().drop(columns="seconds")


def jobs_of(folder: Path) -> list[str]:
    """The command lines of all processes that mention a folder, except this one's children."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(os.fsencode(folder) in word for word in words) and b"submitit" in b" ".join(words):
            found.append(b" ".join(words).decode())
    return found


@slow
def test_jobs_compute_the_same_digits_as_two_workers(
    harness_command: Command, planted: Path, jobs: Path, tmp_path: Path
) -> None:
    run = small(planted, clusterers="louvain,infomap", perturbations="log-jitter")
    there = harness_command(*run, "--out", "there", "--slurm", jobs)
    here = harness_command(*run, "--out", "here", "-j", 2)

    assert (there.returncode, here.returncode) == (0, 0), there.stderr
    pandas.testing.assert_frame_equal(points(tmp_path / "there"), points(tmp_path / "here"))
    runs = [harness.open_run(tmp_path / name) for name in ("there", "here")]
    pandas.testing.assert_frame_equal(*(run.stabilities() for run in runs))
    assert not list((tmp_path / "there").glob("slurm-*"))


@slow
def test_a_cell_that_kills_its_jobs_is_reported_and_the_others_are_computed(
    harness_command: Command, planted: Path, jobs: Path, tmp_path: Path
) -> None:
    finished = harness_command(
        *small_command(planted, isolation="process", clusterers="louvain,parricide", out="out"),
        *("--plugin", PLUGINS / "parricide.py", "--slurm", jobs),
    )

    assert finished.returncode == 2, finished.stderr
    cells = harness.open_run(tmp_path / "out").cells()
    assert cells.groupby("clusterer")["status"].unique().map(list).to_dict() == {
        "louvain": ["ok"], "parricide": ["killed"],
    }  # fmt: skip
    reasons = cells[cells.clusterer == "parricide"].reason
    assert reasons.str.startswith("4 Slurm jobs in a row ended with it, the last as").all()


@slow
def test_an_interrupted_run_leaves_no_job_and_is_resumed(
    harness_command: Command, planted: Path, jobs: Path, tmp_path: Path
) -> None:
    words = small(planted, clusterers="slow", out=tmp_path / "out", slurm=jobs)
    words += ["--plugin", str(PLUGINS / "slow.py")]
    coordinator = subprocess.Popen(
        [sys.executable, "-m", "harness", *words], start_new_session=True
    )
    try:
        deadline = time.monotonic() + 120
        while not jobs_of(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.2)
        coordinator.send_signal(signal.SIGINT)
        assert coordinator.wait(60) == 130
    finally:
        coordinator.kill()

    deadline = time.monotonic() + 30
    while jobs_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not jobs_of(tmp_path)
    assert harness_command(*words).returncode == 0


class Restarting:
    """Stands for a cluster that starts each job twice: it dies first while it writes a record."""

    def map_array(self, function: object, texts: Sequence[str]) -> list["Restarting"]:
        for chunk in map(json.loads, texts):
            lines = [
                json.dumps({"record": record_message(CellRecord(cell["key"], "ok"))})
                for cell in chunk["cells"]
            ]
            died = [lines[0], lines[-1][:10]]
            Path(chunk["records"]).write_text("".join(f"{each}\n" for each in [*died, *lines]))
        return [self] * len(texts)

    def done(self) -> bool:
        return True


def test_a_job_that_is_started_again_gives_each_record_once(tmp_path: Path) -> None:
    file = SlurmFile("slurm", chunk=3, workers=1, jobs=1, minutes=1, parameters={})

    with SlurmPool(Restarting(), file, tmp_path, {}) as pool:
        found = [pool.submit(CellJob(key, "digest", 1.0, {})) for key in "abc"]
        records = [each.result(60) for each in found]

    assert [(record.key, record.status) for record in records] == [
        ("a", "ok"), ("b", "ok"), ("c", "ok"),
    ]  # fmt: skip


# Stands for a Slurm cluster: jobs of an array run at once, on this machine.
COMMANDS = {
    "sbatch": """
cp $1 $HERE/submitted
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\)%.*/\\1/p' $1)
export SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_NODEID=0 SLURM_PROCID=0 SLURM_LOCALID=0
export SLURM_JOB_NODELIST=here SLURM_ARRAY_JOB_ID=$$
(sleep 0.5; for index in $(seq 0 $last); do
    SLURM_JOB_ID=$$$index SLURM_ARRAY_TASK_ID=$index bash $1 &
done) > $HERE/log 2>&1 &
echo Submitted batch job $$
""",
    "srun": """
while [[ $1 == -* ]]; do case $1 in --output|--error) shift 2;; *) shift;; esac; done
exec "$@"
""",
    "sacct": "echo 'JobID|State|NodeList'",
    "scancel": "true",
}


@slow
def test_slurm_gets_arrays_of_jobs_with_the_parameters_of_the_file(
    harness_command: Command, planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, script in COMMANDS.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\nHERE={tmp_path}\n{script}")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "jobs.toml").write_text('partition = "short"\nchunk = 2\nmem = 4\ntime = 9')

    finished = harness_command(
        *small_command(planted, isolation="process", out="out", slurm=tmp_path / "jobs.toml"),
        *("--clusterers", "louvain,infomap"),
    )

    assert finished.returncode == 0, finished.stderr
    assert harness.open_run(tmp_path / "out").statuses() == {"ok": 6}
    lines = (tmp_path / "submitted").read_text().splitlines()
    for asked in ("partition=short", "mem=4096M", "time=9", "array=0-2%3", "job-name=harness"):
        assert f"#SBATCH --{asked}" in lines


def watching(lifeline: Path, dead: float) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", WATCH, str(lifeline), str(dead)])


def test_a_job_ends_when_its_coordinator_died(tmp_path: Path) -> None:
    lifeline = tmp_path / "lifeline"
    lifeline.touch()

    assert watching(lifeline, dead=0.2).wait(60) == 1


def test_a_job_ends_when_its_files_are_gone(tmp_path: Path) -> None:
    assert watching(tmp_path / "lifeline", dead=1e6).wait(60) == 1
