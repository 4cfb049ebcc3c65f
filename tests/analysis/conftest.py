from pathlib import Path

import pytest

from harness.store import open_for_writing
from support.leaderboards import Bench


@pytest.fixture
def bench(tmp_path: Path):  # type: ignore[no-untyped-def]
    with open_for_writing(tmp_path) as store:
        yield Bench(store)
