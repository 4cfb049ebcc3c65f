"""Paired differences of modularity, on selections made by hand."""

import pandas
import pytest
from flowers_embedding import differences, modularities


def test_a_level_that_is_not_accepted_counts_zero_in_the_paired_difference() -> None:
    rows = [
        ("a", "louvain", 0.3, True), ("a", "infomap", 0.1, True), ("a", "sdp", 0.2, True),
        ("b", "louvain", 0.5, True), ("b", "infomap", 0.4, False), ("b", "sdp", 0.2, True),
    ]  # fmt: skip
    selections = pandas.DataFrame(rows, columns=["image", "clusterer", "modularity", "accepted"])
    found = differences(modularities(selections.assign(selector="max-modularity")))
    found = found.set_index("method")

    assert list(found["difference"]) == pytest.approx([0.2, -0.15])
    assert list(found["above"]) == [2, 0]
    assert list(found["below"]) == [0, 2]
