"""An exhibit: one table or figure of the thesis, and the function that makes it again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas

from harness_plugins.thesis.reproduction.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Finding = Literal["held", "not held", "not tested"]


@dataclass(frozen=True)
class Verdict:
    """Whether a claim of the thesis held, and the numbers, or what it takes to test it."""

    number: int
    claim: str
    finding: Finding
    numbers: str


@dataclass(frozen=True, eq=False)
class Output:
    """Tables and figures by name, and remarks; a figure's numbers are in the table of its name.

    subject: what the exhibit is about, such as the image, for its heading; verdicts: on the claims.
    """

    tables: Mapping[str, pandas.DataFrame] = field(default_factory=dict)
    figures: "Mapping[str, Figure]" = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    subject: str = ""
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class Exhibit:
    """A name for `--only`, a title, and the function that makes the exhibit.

    `make` raises MissingRequirementError if something that it needs is not available. about: what
    the exhibit is about as long as its output does not say so.
    """

    name: str
    title: str
    make: Callable[[Study], Output]
    about: str = ""


def patch_table(grid: tuple[int, int], values: Mapping[str, Any]) -> pandas.DataFrame:
    """One row per patch of a grid: its row and column, and the values (patches,) by name."""
    rows, columns = np.divmod(np.arange(grid[0] * grid[1]), grid[1])
    return pandas.DataFrame({"row": rows, "column": columns, **values})
