"""An exhibit: one table or figure of the thesis, and what is made for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness_plugins.thesis.reproduction.study import Study

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Made:
    """Tables and figures by name, a figure's numbers being the table of its name, and remarks."""

    tables: "Mapping[str, pandas.DataFrame]" = field(default_factory=dict)
    figures: "Mapping[str, Figure]" = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exhibit:
    """Its name, as `--only` spells it; what it shows; and the function that makes it.

    `make` raises MissingRequirementError where something is needed that is not there.
    """

    name: str
    title: str
    make: Callable[[Study], Made]
