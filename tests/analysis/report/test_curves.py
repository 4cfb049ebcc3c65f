"""Curves are those of the points, as pandas computes them."""

from pathlib import Path

import numpy as np
import pandas
import pytest

import harness
from harness.analysis.report.contents import RunReport
from harness.analysis.report.curves import Band, MethodCurves

FIGURES = {"modularity": "modularity", "clusters": "n_clusters"}


@pytest.fixture(scope="module")
def points(deep: Path) -> pandas.DataFrame:
    return harness.open_run(deep).points()


def test_each_method_has_curves_of_every_layer(deep_report: RunReport) -> None:
    found = [(each.method.clusterer, each.layer) for each in deep_report.curves]

    assert sorted(found) == [(name, layer) for name in ("infomap", "louvain") for layer in range(3)]
    assert {each.method.selector for each in deep_report.curves} == {""}


@pytest.mark.parametrize("figure", FIGURES)
def test_bands_are_over_images_of_their_means_over_heads_and_draws(
    deep_report: RunReport, points: pandas.DataFrame, figure: str
) -> None:
    for curves in deep_report.curves:
        for band in getattr(curves, figure):
            of = of_band(points, curves, band)
            means = of.groupby(["point", "image"])[FIGURES[figure]].mean().groupby("point")
            assert band.maps == of.groupby("point").size().max()
            assert np.allclose(band.mean, means.mean())
            assert np.allclose(band.low, means.quantile(0.1))
            assert np.allclose(band.high, means.quantile(0.9))


def of_band(points: pandas.DataFrame, curves: MethodCurves, band: Band) -> pandas.DataFrame:
    role = "control" if band.control else "observed"
    return points[
        (points["clusterer"] == curves.method.clusterer)
        & (points["layer"] == curves.layer)
        & (points["role"] == role)
        & (points["control"] == band.control)
    ]


def test_images_come_before_controls(deep_report: RunReport) -> None:
    for curves in deep_report.curves:
        assert [band.control for band in curves.modularity] == ["", "uniform-noise"]


def test_levels_that_selectors_accepted_are_counted(deep: Path, deep_report: RunReport) -> None:
    selections = harness.open_run(deep).selections().query("accepted and role == 'observed'")

    for curves in deep_report.curves:
        of = selections[
            (selections["clusterer"] == curves.method.clusterer)
            & (selections["layer"] == curves.layer)
        ]
        found = {
            (selector, point): count
            for selector, counts in curves.chosen.items()
            for point, count in counts.items()
        }
        assert found == of.groupby(["selector", "candidate"]).size().to_dict()
