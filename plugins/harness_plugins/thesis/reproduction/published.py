"""The values that the thesis itself gives, as it prints them, from published.csv.

"On the Role of Attention Maps in Visual Transformers — A Clustering Perspective", Chalmers
University of Technology, 2024. Where the thesis gives two values for one quantity, both are here.
"""

from functools import cache
from importlib.resources import files

import pandas

from harness_plugins.datasets.tf_flowers import THESIS_PICTURES

# The thesis' names of its pictures, in its order.
PICTURES = dict(zip(THESIS_PICTURES, ("Sunflower", "Tulips", "Rose 1", "Rose 2"), strict=True))


@cache
def everything() -> pandas.DataFrame:
    """All values as text: `exhibit`, `subject`, `case`, `quantity`, `thesis` and `source`."""
    with files(__package__).joinpath("published.csv").open(encoding="utf-8") as file:
        return pandas.read_csv(file, dtype=str, keep_default_na=False)


def published(exhibit: str) -> pandas.DataFrame:
    """The thesis' values for an exhibit, one per row; columns without a value are left out."""
    table = everything()
    table = table[table["exhibit"] == exhibit].drop(columns="exhibit").reset_index(drop=True)
    return table[[name for name in table if (table[name] != "").any()]]


def cases(exhibit: str, subject: str) -> list[str]:
    """The cases for which an exhibit gives values of a subject, in the thesis' order."""
    table = everything()
    chosen = (table["exhibit"] == exhibit) & (table["subject"] == subject)
    return list(dict.fromkeys(table[chosen]["case"]))


def printed(exhibit: str, subject: str, case: str = "") -> dict[str, str]:
    """The values of a subject by quantity; of two values, the second comes with its source.

    >>> printed("table-4.3", "Tulips", "Infomap")["threshold"]
    '0.003 (text: 0.015)'
    """
    table = everything()
    is_of = (table["exhibit"] == exhibit) & (table["subject"] == subject) & (table["case"] == case)
    values: dict[str, str] = {}
    for quantity, thesis, source in table[is_of][["quantity", "thesis", "source"]].to_numpy(str):
        if quantity in values:
            values[quantity] += f" ({source}: {thesis})"
        else:
            values[quantity] = thesis
    return values


def subjects(exhibit: str) -> list[str]:
    """What an exhibit gives values of, such as images, in the thesis' order."""
    table = everything()
    return list(dict.fromkeys(table[table["exhibit"] == exhibit]["subject"]))
