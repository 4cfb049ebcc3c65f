"""The links of a site are checked without the network."""

from pathlib import Path

import pytest

from harness_site.links import wrong_links


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with a page in a folder, which has an anchor, and a file."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "page.html").write_text('<h1 id="part">Part</h1>')
    (tmp_path / "table 1.csv").write_text("a,b")
    return tmp_path


@pytest.mark.parametrize(
    "element",
    [
        '<a href="folder/page.html">a page</a>',
        '<a href="folder/page.html#part">a part of it</a>',
        '<a href="#here" id="here">itself</a>',
        '<a href="table%201.csv">a file</a>',
        '<a href="https://example.org/page.html#part">another site</a>',
        '<img src="data:image/png;base64,AAAA">',
    ],
)
def test_a_link_that_leads_somewhere_is_right(site: Path, element: str) -> None:
    (site / "index.html").write_text(element)

    assert wrong_links(site) == []


@pytest.mark.parametrize(
    ("element", "link"),
    [
        ('<a href="missing.html">nothing</a>', "missing.html"),
        ('<a href="folder/page.html#other">no such part</a>', "folder/page.html#other"),
        ('<a href="#other">no such part</a>', "#other"),
        ('<a href="folder">no page</a>', "folder"),
        ('<img src="missing.png">', "missing.png"),
        ('<script src="https://example.org/x.js"></script>', "https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "//example.org/x.css"),
    ],
)
def test_a_link_that_leads_nowhere_or_loads_from_elsewhere_is_named_with_its_page(
    site: Path, element: str, link: str
) -> None:
    (site / "index.html").write_text(element)

    assert wrong_links(site) == [f"index.html: {link}"]
