"""A Sphinx extension: the site's reference, made from the code, and its links, checked offline.

A page asks for a part of the reference by a comment, `<!-- reference: commands -->` in Markdown and
`.. reference: python` in reST, which other readers of the page do not see.
"""

import re
from collections.abc import Callable

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from harness_site.commands import commands_reference
from harness_site.components import components_reference
from harness_site.links import wrong_links
from harness_site.names import names_reference

PLACE = re.compile(r"^(?:<!--|\.\.) reference: (\w+)(?: -->)?$", re.MULTILINE)
PARTS: dict[str, Callable[[], str]] = {
    "commands": commands_reference,
    "components": components_reference,
    "python": names_reference,
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("source-read", _fill_in)
    app.connect("build-finished", _check_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fill_in(app: Sphinx, name: str, source: list[str]) -> None:
    source[0] = PLACE.sub(lambda place: PARTS[place[1]](), source[0])


def _check_links(app: Sphinx, exception: Exception | None) -> None:
    is_site = exception is None and app.builder.format == "html"
    if is_site and (wrong := wrong_links(app.outdir)):
        raise ExtensionError("\n".join(["links of the site lead nowhere:", *wrong]))
