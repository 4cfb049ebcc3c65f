"""The images of a run in the terminal, with what was found on each."""

from collections import Counter
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas

CAPTION = (
    "By method: on how many of the image's selections a level was accepted. "
    "`harness show RUN IMAGE` shows one image closely."
)


def show_images(
    cells: "pandas.DataFrame",
    images: "pandas.DataFrame",
    selections: "pandas.DataFrame",
    console: Console,
) -> None:
    """Print every image or map of the run, and which methods found clusters on it.

    The frames are those of `harness.store.frames`.
    """
    place = ["image_set", "image"]
    observed = cells[cells["role"] == "observed"]
    unreadable = images.set_index(place)["reason"].to_dict()
    made = Counter(selections[[*place, "clusterer"]].itertuples(index=False, name=None))
    holding = selections[selections["accepted"]]
    accepted = Counter(holding[[*place, "clusterer"]].itertuples(index=False, name=None))

    clusterers = [str(each) for each in observed["clusterer"].unique()]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0))
    table.add_column("image", overflow="fold")
    for clusterer in clusterers:
        table.add_column(Text(clusterer), justify="right", overflow="fold")
    for at in observed[place].drop_duplicates().itertuples(index=False, name=None):
        image = Text(str(at[1]))
        if reason := unreadable.get(at):
            image.append(f": {reason}", "red")
        found = [(accepted[*at, each], made[*at, each]) for each in clusterers]
        table.add_row(image, *(f"{some}/{of}" if of else "" for some, of in found))
    console.print(table)
    console.print(Text(CAPTION, "italic dim"))
