from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.store import open_for_writing
from support.plans import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_for_writing(tmp_path) as store:
        yield Bench(store)
