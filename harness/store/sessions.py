"""What the descriptions of a run's executions say of its results."""

from collections.abc import Iterable, Mapping
from typing import Any

from harness.store.tables import Store


def ran_inline(session: Mapping[str, Any]) -> bool:
    """Whether an execution, or one from which it took over cells, had no isolation."""
    return any(
        each.get("isolation") == "none" for each in (session, *session.get("taken_over", ()))
    )


def caveats(store: Store, controls: Iterable[str]) -> dict[str, str]:
    """Why a small p under some controls, given by specs, may not be evidence."""
    latest: Mapping[str, Any] = next(reversed(store.sessions()), {})
    known = latest.get("caveats", {})
    return {control: known[control] for control in controls if control in known}
