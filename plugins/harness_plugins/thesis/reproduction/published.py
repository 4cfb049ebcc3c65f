"""What the thesis itself gives, where we know it: the values that stand beside measured ones.

"On the Role of Attention Maps in Visual Transformers — A Clustering Perspective", Chalmers
University of Technology, 2024. Where it gives two values for one thing, both are here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One value of the thesis: which exhibit it belongs to, of what, and where it stands."""

    exhibit: str
    what: str
    value: float
    place: str


TULIPS = "tulips image of TF flowers, one head"
NOISE = "random image, one head"

PUBLISHED = (
    Published("table-4.1", "Fashion-MNIST without attention", 0.9008, "table 4.1"),
    Published("table-4.1", "Fashion-MNIST with 12 heads", 0.8920, "table 4.1"),
    Published("table-4.3", f"Louvain's modularity, {TULIPS}", 0.612, "one of two places"),
    Published("table-4.3", f"Louvain's modularity, {TULIPS}", 0.527, "the other place"),
    Published("table-4.3", f"Infomap's modularity, {TULIPS}", 0.505, "table 4.3"),
    Published("table-4.3", f"SDP's modularity, {TULIPS}", 0.357, "table 4.3"),
    Published("table-4.3", f"Infomap's threshold, {TULIPS}", 0.003, "one of two places"),
    Published("table-4.3", f"Infomap's threshold, {TULIPS}", 0.015, "the other place"),
    Published("figure-4.14", f"modularity at the chosen threshold, {NOISE}", 0.035, "section 4"),
    Published("figure-4.14", f"largest modularity, {NOISE}", 0.175, "figure 4.14"),
    Published("figure-4.12", "Jaccard index, k = 3 against k = 4, first cluster", 0.962, "4.12"),
    Published("figure-4.12", "Jaccard index, k = 3 against k = 4, second cluster", 0.966, "4.12"),
    Published("figure-4.12", "Jaccard index, k = 3 against k = 4, third cluster", 0.983, "4.12"),
)


def published(exhibit: str) -> tuple[Published, ...]:
    """The thesis' values for an exhibit."""
    return tuple(each for each in PUBLISHED if each.exhibit == exhibit)
