import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harness.engine.host import Host, JobFailed, in_order
from harness.engine.kept_maps import keep
from harness.engine.messages import Message
from harness.values import AttentionMap

HOSTILE = Path(__file__).parents[1] / "hostile" / "misbehaving.py"


@pytest.fixture
def host() -> Iterator[Host]:
    with Host([HOSTILE]) as running:
        yield running


@pytest.fixture
def cell(tmp_path: Path) -> dict[str, object]:
    weights = np.random.default_rng(0).random((12, 12))
    kept = keep(AttentionMap(weights), tmp_path)
    return {
        "folder": str(tmp_path),
        "map": kept["digest"],
        "grid": None,
        "image": "a",
        "layer": 0,
        "head": 0,
        "role": "observed",
        "control": "",
        "draw": 0,
        "graph": "threshold",
        "levels": 4,
        "seed": 1,
        "resolution": 1.0,
    }


def replies(host: Host, cell: dict[str, object], clusterer: str, limit: float = 60.0) -> list[str]:
    calls = host.call("cell", limit, **cell, clusterer=clusterer)
    return [message.header["reply"] for message in calls]


def members(group: int) -> list[str]:
    """What runs in a process group, zombies left out."""
    listed = subprocess.run(
        ["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return [args for number, state, args in rows if int(number) == group and "Z" not in state]


def test_a_cell_answers_with_its_points_and_an_end(host: Host, cell: dict[str, object]) -> None:
    assert replies(host, cell, "printing") == ["point"] * 4 + ["done"]


@pytest.mark.parametrize(
    ("clusterer", "status", "reason"),
    [
        ("raising", "failed", "RuntimeError: first line second line"),
        ("exiting", "killed", "the process exited with code 0"),
        ("killed", "killed", "the process died of SIGSEGV"),
        ("fractional", "invalid", "at level 0: labels must be integers, not float64"),
    ],
)
def test_each_way_to_fail_has_its_status_and_reason(
    host: Host, cell: dict[str, object], clusterer: str, status: str, reason: str
) -> None:
    with pytest.raises(JobFailed) as failure:
        replies(host, cell, clusterer)

    assert failure.value.status == status
    assert failure.value.reason == reason


def test_a_dead_process_leaves_its_last_words(host: Host, cell: dict[str, object]) -> None:
    with pytest.raises(JobFailed) as failure:
        replies(host, cell, "killed")

    assert "last words" in failure.value.detail


def test_a_job_past_its_limit_is_killed_with_its_children(
    host: Host, cell: dict[str, object]
) -> None:
    call = host.call("cell", 3.0, **cell, clusterer="sleeping")

    assert next(call).header["reply"] == "point"
    group = host._process.pid  # type: ignore[union-attr]
    with pytest.raises(JobFailed) as failure:
        next(call)

    assert failure.value.status == "timed out"
    assert members(group) == []


def test_a_host_that_reads_no_more_times_out_too(host: Host, cell: dict[str, object]) -> None:
    replies(host, cell, "printing")
    os.kill(host._process.pid, signal.SIGSTOP)  # type: ignore[union-attr]

    with pytest.raises(JobFailed) as failure:
        list(host.call("cell", 1.0, **cell, clusterer="printing", padding="x" * 1_000_000))

    assert failure.value.status == "timed out"
    assert replies(host, cell, "printing")[-1] == "done"


def test_a_host_works_on_after_a_death(host: Host, cell: dict[str, object]) -> None:
    with pytest.raises(JobFailed):
        replies(host, cell, "exiting")

    assert replies(host, cell, "printing")[-1] == "done"


def test_no_host_outlives_a_killed_coordinator(tmp_path: Path, cell: dict[str, object]) -> None:
    script = (
        "import sys, json, harness.engine.host as h\n"
        "from pathlib import Path\n"
        f"host = h.Host([Path({str(HOSTILE)!r})])\n"
        f"calls = host.call('cell', 600.0, clusterer='sleeping', **json.loads({_json(cell)!r}))\n"
        "next(calls)\n"
        "print(host._process.pid, flush=True)\n"
        "next(calls)\n"
    )
    coordinator = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    )
    assert coordinator.stdout is not None
    host = int(coordinator.stdout.readline())

    coordinator.send_signal(signal.SIGKILL)
    coordinator.wait()
    coordinator.stdout.close()

    deadline = time.monotonic() + 5
    while _alive(host) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(host)


def _json(cell: dict[str, object]) -> str:
    import json

    return json.dumps(cell)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_where_answers_keep_their_order_the_next_question_is_to_blame() -> None:
    questions = ["a", "dies", "b", "dies", "c"]

    def ask(first: int) -> Iterator[Message]:
        for question in questions[first:]:
            if question == "dies":
                raise JobFailed("killed", "no more", "last words")
            yield Message({"reply": "answer", "to": question})
        yield Message({"reply": "done"})

    found = [answer.get("to", answer.get("reason")) for answer in in_order(ask, len(questions))]

    assert found == ["a", "no more", "b", "no more", "c"]
