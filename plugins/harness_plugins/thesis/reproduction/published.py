"""The values that the thesis itself gives, where known; they stand beside the measured ones.

"On the Role of Attention Maps in Visual Transformers — A Clustering Perspective", Chalmers
University of Technology, 2024. Where the thesis gives two values for one quantity, both are here.
"""

import pandas

TULIPS = "tulips image of TF flowers, one head"
NOISE = "random image, one head"

# Exhibit, quantity, value, and where the thesis gives it.
PUBLISHED = (
    ("table-4.1", "Fashion-MNIST without attention", 0.9008, "table 4.1"),
    ("table-4.1", "Fashion-MNIST with 12 heads", 0.8920, "table 4.1"),
    ("table-4.3", f"Louvain's modularity, {TULIPS}", 0.612, "one of two places"),
    ("table-4.3", f"Louvain's modularity, {TULIPS}", 0.527, "the other place"),
    ("table-4.3", f"Infomap's modularity, {TULIPS}", 0.505, "table 4.3"),
    ("table-4.3", f"SDP's modularity, {TULIPS}", 0.357, "table 4.3"),
    ("table-4.3", f"Infomap's threshold, {TULIPS}", 0.003, "one of two places"),
    ("table-4.3", f"Infomap's threshold, {TULIPS}", 0.015, "the other place"),
    ("figure-4.14", f"modularity at the chosen threshold, {NOISE}", 0.035, "section 4"),
    ("figure-4.14", f"largest modularity, {NOISE}", 0.175, "figure 4.14"),
    ("figure-4.12", "Jaccard index, k = 3 against k = 4, first cluster", 0.962, "4.12"),
    ("figure-4.12", "Jaccard index, k = 3 against k = 4, second cluster", 0.966, "4.12"),
    ("figure-4.12", "Jaccard index, k = 3 against k = 4, third cluster", 0.983, "4.12"),
)


def published(exhibit: str) -> pandas.DataFrame:
    """The thesis' values for an exhibit, one per row: `thesis`, `value` and `source`."""
    rows = [values for of, *values in PUBLISHED if of == exhibit]
    return pandas.DataFrame(rows, columns=["thesis", "value", "source"])
