from pathlib import Path

import pytest

import harness
from harness_plugins.datasets.folders import fetched, find


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder, without HARNESS_DATA."""
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "attention-harness"


def test_a_set_goes_where_the_variable_says_and_else_into_the_cache(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fetched("cifar10") == cache / "cifar10"

    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))

    assert fetched("cifar10") == tmp_path / "data" / "cifar10"


def test_a_given_folder_is_the_only_one_looked_into(cache: Path, tmp_path: Path) -> None:
    (cache / "cifar10").mkdir(parents=True)

    assert find("cifar10", tmp_path) == tmp_path
    with pytest.raises(harness.HarnessError, match="nowhere: no such folder; it should contain"):
        find("cifar10", tmp_path / "nowhere")


def test_the_variables_folder_comes_before_the_cache(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    (cache / "cifar10").mkdir(parents=True)
    assert find("cifar10") == cache / "cifar10"

    (tmp_path / "data" / "cifar10").mkdir(parents=True)
    assert find("cifar10") == tmp_path / "data" / "cifar10"


def test_a_missing_set_is_refused_with_all_folders_and_the_command(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))

    with pytest.raises(harness.HarnessError) as raised:
        find("cifar10")

    for text in (
        str(tmp_path / "data" / "cifar10"),
        str(cache / "cifar10"),
        "`harness data fetch cifar10`",
    ):
        assert text in str(raised.value)
