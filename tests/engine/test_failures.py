import pytest

from harness.engine.failures import FIRST, MOST_REASONS, Failures
from harness.planning.progress import Progress
from support.progress import Listener


def test_warnings_that_differ_only_by_the_name_become_one_with_a_count(heard: Listener) -> None:
    with Failures(heard) as failures:
        for number in range(40):
            failures.warn(f"image-{number}", f"image-{number}: no pixels in image-{number}")
        failures.warn("image-7", "truncated", "noise of ")

    assert heard.warnings == [
        "image-0: no pixels in image-0 (and 39 more like it)",
        "noise of image-7: truncated",
    ]


def test_addresses_in_memory_make_no_other_reason(heard: Listener) -> None:
    with Failures(heard) as failures:
        for address in ("0x7f01", "0x7fb2"):
            failures.warn("a", f"<object at {address}>")

    assert heard.warnings == ["a: <object at 0x7f01> (and 1 more like it)"]


def test_of_many_reasons_the_first_are_shown_and_the_others_counted(heard: Listener) -> None:
    with Failures(heard) as failures:
        for number in range(MOST_REASONS + 3):
            failures.warn("a", f"reason number {number}")

    assert len(heard.warnings) == MOST_REASONS + 1
    assert heard.warnings[-1] == "3 more failed; `harness export` lists each with its reason"


@pytest.mark.parametrize(
    ("ended", "stopped"),
    [
        (["timed out"] * FIRST, True),
        (["died at 0x1", "died at 0x2", *["died at 0x3"] * (FIRST - 2)], True),
        (["timed out"] * (FIRST - 1), False),
        ([*["timed out"] * (FIRST - 1), "killed", *["timed out"] * FIRST], False),
        (["", *["timed out"] * FIRST], False),
        ([*["timed out"] * (FIRST - 1), "", *["timed out"] * FIRST], False),
    ],
)
def test_a_method_is_stopped_if_its_first_pieces_of_work_all_fail_alike(
    heard: Listener, ended: list[str], stopped: bool
) -> None:
    failures, patient = Failures(heard), Failures(Progress(), keep_going=True)
    for failure in ended:
        failures.record("m", "m", failure)
        patient.record("m", "m", failure)

    assert bool(failures.stopped("m")) == stopped == bool(heard.warnings)
    assert not failures.stopped("other")
    assert not patient.stopped("m")


@pytest.mark.parametrize("others", [0, 1, 3])
def test_the_warning_of_a_method_that_is_stopped_stands_for_those_of_its_failures(
    heard: Listener, others: int
) -> None:
    with Failures(heard) as failures:
        for number in range(others):
            failures.warn(f"before {number}", "slow", "m on ")
        for number in range(FIRST):
            failures.warn(f"image {number}", "slow", "m on ")
            failures.record("m", "m", "slow", "m on ")

    stopped, *rest = heard.warnings
    assert stopped.startswith("m: stopped, as its first 5 all failed alike: slow; ")
    more = f" (and {others - 1} more like it)" if others > 1 else ""
    assert rest == ([f"m on before 0: slow{more}"] if others else [])


def test_a_method_may_stop_while_the_first_pieces_of_its_work_are_under_way() -> None:
    failures = Failures(Progress())
    assert failures.may_stop("m", FIRST)
    assert not failures.may_stop("m", FIRST - 1)

    failures.record("m", "m", "timed out")
    assert failures.may_stop("m", FIRST - 1)

    failures.record("m", "m", "")
    assert not failures.may_stop("m", FIRST)
