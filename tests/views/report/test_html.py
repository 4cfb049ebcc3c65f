"""One file that asks for nothing, whatever names and words are in it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from harness.views.report.html import as_json, html
from support.runs import small_run

HOSTILE = "</script><img src=x onerror=alert(1)>"
SPOKEN = {"title": HOSTILE, "answer": [f"It says {HOSTILE}\u2028."]}


class Elements(HTMLParser):
    """The elements of a page, and the text of its data."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1] == ("script", {"type": "application/json", "id": "data"}):
            self.data += data


def elements(page: str) -> Elements:
    parser = Elements()
    parser.feed(page)
    return parser


def test_hostile_words_make_no_element() -> None:
    plain = elements(html({"title": "t", "answer": ["a"]}))
    hostile = elements(html(SPOKEN))

    assert [tag for tag, _ in hostile.found] == [tag for tag, _ in plain.found]
    assert json.loads(hostile.data) == SPOKEN


def test_no_element_names_a_file_or_an_address() -> None:
    for _, attributes in elements(html(SPOKEN)).found:
        assert not attributes.keys() & {"src", "href", "action", "srcset", "data"}


def test_the_policy_allows_no_request() -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html(SPOKEN))

    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy
    assert "connect-src" not in policy


@pytest.mark.parametrize("text", ["</script>", "<!--", "]]>", "\u2028", "\ud800"])
def test_data_is_the_same_json_without_what_could_end_a_script(text: str) -> None:
    written = as_json({"answer": [text]})

    assert json.loads(written) == {"answer": [text]}
    assert not set(written) & set("<>&\u2028\u2029")
    assert written.isascii()


def test_a_title_that_is_no_text_is_written(tmp_path: Path) -> None:
    html({"title": "a\udcff", "answer": []}).encode("utf-8")


def test_a_run_with_hostile_names_makes_no_element(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    np.save(maps / "<b onclick=alert(1)>.npy", np.random.default_rng(0).random((9, 9)))
    run = small_run(tmp_path / "<i>", maps)

    page = run.report(tmp_path / "page.html").read_text("utf-8")

    found = elements(page)
    assert not {tag for tag, _ in found.found} & {"b", "i", "img"}
    (image,) = json.loads(found.data)["gallery"]["images"]
    assert image["name"] == "<b onclick=alert(1)>"
