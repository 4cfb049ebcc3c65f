import numpy as np
import pytest

import harness
from harness.plugin.values import Floats
from harness_plugins.clusterers.sdp import embed


def points_with_variances(variances: list[float]) -> Floats:
    """Balanced points whose covariance has the given eigenvalues along random axes."""
    generator = np.random.default_rng(0)
    m = len(variances)
    points, _ = np.linalg.qr(np.column_stack([np.ones(50), generator.normal(size=(50, m))]))
    rotation, _ = np.linalg.qr(generator.normal(size=(m, m)))
    return np.asarray(points[:, 1:] * np.sqrt(50 * np.array(variances)) @ rotation)


@pytest.mark.parametrize(
    ("variance", "dimensions"), [(0.4, 2), (0.75, 2), (0.85, 3), (0.97, 4), (1.0, 4)]
)
def test_as_few_dimensions_as_explain_the_variance_but_at_least_two(
    variance: float, dimensions: int
) -> None:
    spins = points_with_variances([0.5, 0.3, 0.15, 0.05])
    assert embed(spins, variance=variance).shape == (50, dimensions)


def test_the_embedding_has_the_leading_axes() -> None:
    points = embed(points_with_variances([0.1, 0.6, 0.05, 0.25]), variance=0.8)
    assert points.var(axis=0) == pytest.approx([0.6, 0.25])


def test_all_variance_keeps_all_distances() -> None:
    spins = points_with_variances([0.4, 0.3, 0.2, 0.1])
    points = embed(spins, variance=1.0)
    assert points @ points.T == pytest.approx(spins @ spins.T)


@pytest.mark.parametrize("variance", [0.0, 1.1, float("nan")])
def test_a_fraction_of_variance_out_of_range_is_refused(variance: float) -> None:
    with pytest.raises(harness.HarnessError, match="variance"):
        embed(np.eye(4), variance=variance)
