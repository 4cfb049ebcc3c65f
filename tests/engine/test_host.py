import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.engine.guardian import Guardian
from harness.engine.host import Host, JobFailed, Terms, in_order
from harness.engine.messages import Message
from harness.errors import RunStopped

Replies = Callable[..., list[str]]
WHOLE = ["point"] * 4 + ["done"]


def test_a_cell_answers_with_its_points_and_an_end(replies: Replies) -> None:
    assert replies("printing") == WHOLE


def test_a_host_that_reads_no_more_times_out_too(host: Host, replies: Replies) -> None:
    replies("printing")
    os.kill(host._process.pid, signal.SIGSTOP)  # type: ignore[union-attr]

    with pytest.raises(JobFailed) as failure:
        replies("printing", 1.0, padding="x" * 1_000_000)

    assert failure.value.status == "timed out"
    assert replies("printing") == WHOLE


def test_other_code_than_was_planned_stops_the_run(terms: Terms, cell: dict[str, Any]) -> None:
    other = replace(terms, codes={"clusterer printing": "another digest"})

    with (
        Guardian() as guardian,
        Host(other, guardian) as host,
        pytest.raises(RunStopped, match="clusterer printing: its code was changed"),
    ):
        list(host.call("cell", 60.0, **cell, clusterer="printing"))


def test_another_harness_stops_the_run(terms: Terms) -> None:
    other = replace(terms, source="another digest")

    with (
        Guardian() as guardian,
        Host(other, guardian) as host,
        pytest.raises(RunStopped, match="the harness' own source is not the same"),
    ):
        host.start()


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
