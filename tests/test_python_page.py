"""The Python of docs/python.md works as it stands."""

import re
from pathlib import Path
from typing import Any

import pytest

from support import REPOSITORY

pytestmark = pytest.mark.slow

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_the_blocks_of_the_page_work_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    session: dict[str, Any] = {"__name__": "__main__"}

    for block in BLOCK.findall((REPOSITORY / "docs/python.md").read_text("utf-8")):
        exec(compile(block, "docs/python.md", "exec"), session)

    assert "strongest" in capsys.readouterr().out
    assert session["run"].statuses().keys() == {"ok"}
