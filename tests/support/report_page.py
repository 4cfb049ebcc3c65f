"""What a reader of the report's page sees."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# Opens a report in a browser, in a context with these options.
Opener = Callable[..., "Page"]


def column(page: "Page", name: str, table: str = "Methods") -> list[str]:
    """The texts of a column, from the top."""
    found = page.get_by_role("region", name=table, exact=True)
    keys = found.locator("thead button").evaluate_all("all => all.map(each => each.dataset.key)")
    at = keys.index(f"sort {name}") + 1
    return found.locator(f"tbody td:nth-child({at})").all_inner_texts()


def heading_of(page: "Page", name: str) -> "Locator":
    """The button above a column of the leaderboard."""
    return page.locator(
        f'#leaderboard .table:has(caption:text-is("Methods")) [data-key="sort {name}"]'
    )


def figure(dialog: "Locator", name: str, panel: int = 0) -> str:
    """A figure of a panel at its level."""
    rows = dialog.locator(".panel").nth(panel).locator(".figures > div")
    row = rows.filter(has=dialog.page.locator("dt", has_text=re.compile(f"^{name}$")))
    return row.locator("dd").inner_text()
