import pytest

from harness.cli.output import exit_status, table_console


@pytest.mark.parametrize(
    ("failures", "status", "line"),
    [
        ({}, 0, ""),
        ({"exhibit failed": 1}, 2, "exit status 2: 1 exhibit failed\n"),
        (
            {"image could not be read": 2, "cell timed out": 1, "selection failed": 3},
            2,
            "exit status 2: 2 images could not be read; 1 cell timed out; 3 selections failed\n",
        ),
    ],
)
def test_the_exit_status_has_its_reason(
    failures: dict[str, int], status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(failures) == status
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("term", ["xterm-256color", "dumb", "unknown", ""])
@pytest.mark.parametrize("columns", [20, 60, 100])
def test_tables_have_the_width_of_the_terminal_whatever_it_can_do(
    monkeypatch: pytest.MonkeyPatch, term: str, columns: int
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))

    assert table_console().width == columns
