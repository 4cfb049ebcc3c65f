"""The card of a published run, as hosts of data sets and readers of Markdown take it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import harness
from harness.store.publication import ALL, DATA, LEADERBOARD, SELECTED
from harness.views.card import Card, card_text
from support.runs import small_run


@pytest.fixture(scope="module")
def card(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> Card:
    out = tmp_path_factory.mktemp("card") / "mine"
    run = small_run(out, planted_maps, controls="permuted-rows", nulls=2)
    rows = dict.fromkeys((LEADERBOARD, *DATA), 3) | {"images": 0}
    board = replace(run.leaderboard(progress=False), run="mine")
    return Card("mine", "mit", board, {}, rows, SELECTED, [], run.sessions()[-1])


def front_matter(text: str) -> dict[str, object]:
    _, head, _ = text.split("---\n", 2)
    found = yaml.safe_load(head)
    assert isinstance(found, dict)
    return found


def test_the_head_names_license_and_every_table_that_has_rows(card: Card) -> None:
    found = front_matter(card_text(card))

    assert found["license"] == "mit"
    assert found["configs"] == [
        {
            "config_name": name,
            "data_files": f"tables/{name}.parquet",
            **({"default": True} if name == LEADERBOARD else {}),
        }
        for name in (LEADERBOARD, *DATA)
        if name != "images"
    ]


def test_the_python_of_the_card_reads_the_tables(
    planted_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = small_run(tmp_path / "run", planted_maps).publish(tmp_path / "out", progress=False)
    (block,) = re.findall(
        r"```python\n(.*?)```", (tmp_path / "out" / "README.md").read_text(), re.S
    )
    monkeypatch.chdir(published.folder)
    found: dict[str, object] = {}

    exec(block, found)

    assert len(found["methods"]) == 1  # type: ignore[arg-type]
    assert len(found["points"]) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a\nlicense: x", 'a"b: [', "--- x", "é\u202e"])
def test_a_name_cannot_change_the_head(card: Card, name: str) -> None:
    found = front_matter(card_text(replace(card, name=name)))

    assert found["license"] == "mit"
    assert found["pretty_name"] == harness.errors.escape_line(name)


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "a|b", "[x](javascript:y)", "`a`"]
)
def test_what_comes_from_outside_is_no_markup(card: Card, hostile: str) -> None:
    settings = {**card.board.settings, "clusterers": [hostile]}
    session = {**card.session, "fingerprints": {hostile: hostile}}
    board = replace(card.board, settings=settings)

    text = card_text(replace(card, name=hostile, board=board, session=session))

    # Neither the code of the sentences nor the leaderboard's block is markup.
    bare = re.sub(r"~~~text\n.*?\n~~~|(`+) ?.*?\1", "", text.split("---\n", 2)[2], flags=re.S)
    assert not re.search(r"(?<!\\)[<]|(?<!\\)\]\(javascript", bare)


def test_a_fence_is_longer_than_any_in_its_text(card: Card) -> None:
    text = card_text(replace(card, board=replace(card.board, run="~~~~")))

    assert "~~~~~text\n~~~~\n" in text


@pytest.mark.parametrize(("levels", "said"), [(SELECTED, True), (ALL, False)])
def test_what_was_left_out_is_said(card: Card, levels: str, said: bool) -> None:
    text = card_text(replace(card, levels=levels))

    assert ("labels of draws" in text) == said
    assert "no picture is here" in text


def test_what_failed_and_what_is_missing_is_said(card: Card) -> None:
    board = replace(card.board, unfinished="unfinished: 2 of 3 cells are computed")

    text = card_text(replace(card, board=board, failures={"cell timed out": 2}))

    assert "**The run is unfinished: 2 of 3 cells are computed.**" in text
    assert "Failures: cell timed out: 2." in text


def test_whose_pictures_are_in_is_said(card: Card) -> None:
    text = card_text(replace(card, pictured=["folder[path=photos]"]))

    assert "pictures of `folder[path=photos]` in `report.html`" in text
    assert "no picture is here" not in text
