"""A run remembers its plugin files, and no other file is ever executed in their place."""

import shutil
from pathlib import Path

import pytest

import harness
from support import PLUGINS
from support.runs import Command, small_run

MARK = "\nimport pathlib; pathlib.Path(__file__).with_name('executed').touch()\n"


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    return Path(shutil.copy(PLUGINS / "choosy.py", tmp_path / "mine.py"))


@pytest.fixture
def finished(planted: Path, plugin: Path, tmp_path: Path) -> harness.Run:
    return small_run(tmp_path / "out", planted, clusterers="choosy", plugins=plugin)


def resumed(finished: harness.Run, planted: Path, **changes: object) -> harness.Run:
    chosen = {"clusterers": "choosy,choosy[refused=3]", "overwrite": True}
    return small_run(finished.folder, planted, **chosen, **changes)


def test_a_run_is_resumed_without_naming_its_plugins_again(
    finished: harness.Run, planted: Path
) -> None:
    assert resumed(finished, planted).statuses() == {"ok": 6}


def test_a_selection_remembers_its_plugin_too(
    planted_maps: Path, plugin: Path, tmp_path: Path
) -> None:
    selector = plugin.with_name("selector.py")
    selector.write_text((PLUGINS / "unruly.py").read_text())
    run = small_run(tmp_path / "out", planted_maps)

    assert run.select("unruly-selector[mode=good]", plugins=[selector]).failures() == {}
    assert run.select("unruly-selector[mode=other]").failures() == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("edit", "it has changed since the run; plugins {path} takes it as it is now"),
        ("move", "it is no longer there; plugins takes it from another place"),
    ],
)
def test_a_file_that_was_edited_or_moved_is_not_executed_but_asked_for(
    finished: harness.Run, planted: Path, plugin: Path, change: str, reason: str
) -> None:
    if change == "move":
        plugin.rename(plugin.with_name("other.py"))
    else:
        plugin.write_text(plugin.read_text() + MARK)

    with pytest.raises(harness.HarnessError) as raised:
        resumed(finished, planted)

    message = str(raised.value)
    assert message.endswith(f"mine ({plugin}): {reason.format(path=plugin)}")
    assert "\n" not in message
    assert not plugin.with_name("executed").exists()


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_plugin_in_the_folder_of_the_run_is_not_executed_unless_it_is_given(
    finished: harness.Run, planted: Path, plugin: Path, is_linked: bool
) -> None:
    inside = finished.folder / "mine.py"
    shutil.copy(plugin, inside)
    if is_linked:
        plugin.unlink()
        plugin.symlink_to(inside)
    else:
        resumed(finished, planted, plugins=inside)
        plugin.unlink()

    with pytest.raises(harness.HarnessError, match="it lies in the run's own folder; plugins"):
        resumed(finished, planted)


def test_a_given_plugin_stands_for_the_recorded_one_of_its_name(
    finished: harness.Run, planted: Path, plugin: Path, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    moved = Path(shutil.copy(plugin, tmp_path / "new"))

    assert resumed(finished, planted, plugins=moved).statuses() == {"ok": 6}


def test_a_folder_counts_as_changed_when_any_python_file_in_it_is(
    planted: Path, plugin: Path, tmp_path: Path
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    shutil.copy(plugin, package / "__init__.py")
    (package / "helper.py").write_text("VALUE = 1\n")
    run = small_run(tmp_path / "out", planted, clusterers="choosy", plugins=package)
    (package / "notes.txt").write_text("no code")
    assert resumed(run, planted).statuses() == {"ok": 6}

    (package / "helper.py").write_text("VALUE = 2\n")

    with pytest.raises(harness.HarnessError, match="it has changed since the run"):
        resumed(run, planted)


def test_commands_that_need_nothing_of_a_lost_plugin_do_not_mind(
    finished: harness.Run, plugin: Path, harness_command: Command
) -> None:
    plugin.unlink()

    shown = [
        harness_command("leaderboard", finished.folder),
        harness_command("select", finished.folder, "--selectors", "fixed[level=0.5]"),
        harness_command("show", finished.folder, "planted-0"),
    ]

    assert [each.returncode for each in shown] == [0, 0, 0], shown[-1].stderr
