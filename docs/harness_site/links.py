"""Checks the links of a built site without the network."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements that a browser loads when it opens a page, which are to come with the site.
LOADED = ("link", "script", "img", "source", "iframe")


class _Page(HTMLParser):
    """The links of a page, and what others can link to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the links and the anchors of an element."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append((tag, value))
            elif name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value or "")


def wrong_links(site: Path) -> list[str]:
    """Describe each link of the site's pages that leads to no file or to no anchor of a page.

    Pages of other sites are not asked for, but nothing may be loaded from them.
    """
    return [
        f"{page.relative_to(site)}: {link}"
        for page in sorted(site.rglob("*.html"))
        for tag, link in dict.fromkeys(_read(page).links)
        if _is_wrong(site, page, tag, link)
    ]


@cache
def _read(page: Path) -> _Page:
    parser = _Page()
    parser.feed(page.read_text("utf-8"))
    return parser


def _is_wrong(site: Path, page: Path, tag: str, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        # A page may name where it is published, and data that it holds itself.
        return tag in LOADED and parts.scheme != "data"
    base = site if parts.path.startswith("/") else page.parent
    target = (base / unquote(parts.path).lstrip("/")).resolve() if parts.path else page
    if not target.is_file():
        return True
    anchor = unquote(parts.fragment)
    return bool(anchor) and target.suffix == ".html" and anchor not in _read(target).anchors
