import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plugin.patches import Patches, checked_region, crop, lies_within

LENGTHS = st.floats(0.1, 1000)
REGIONS = st.tuples(st.floats(0, 1000), st.floats(0, 1000), LENGTHS, LENGTHS)


@given(st.tuples(st.integers(1, 20), st.integers(1, 20)), REGIONS)
def test_patches_follow_each_other_row_by_row_and_divide_the_region(
    grid: tuple[int, int], region: tuple[float, float, float, float]
) -> None:
    patches = Patches.on((2000, 2000), grid, region)
    regions = [patches.region_of(patch) for patch in range(grid[0] * grid[1])]

    for patch, (top, left, height, width) in enumerate(regions):
        if (patch + 1) % grid[1]:
            assert regions[patch + 1][:2] == pytest.approx((top, left + width))
        if patch + grid[1] < len(regions):
            assert regions[patch + grid[1]][:2] == pytest.approx((top + height, left))
    top, left, height, width = regions[-1]
    assert regions[0][:2] == region[:2]
    assert (top + height, left + width) == pytest.approx(
        (region[0] + region[2], region[1] + region[3])
    )


def test_without_a_region_patches_divide_the_whole_image() -> None:
    assert Patches.on((427, 640), (4, 8), None).region_of(9) == (427 / 4, 80.0, 427 / 4, 80.0)


def test_regions_are_plain_floats() -> None:
    found = checked_region([np.float32(1), 2, np.int64(3), 4.5])

    assert found == (1.0, 2.0, 3.0, 4.5)
    assert {type(number) for number in found} == {float}


@pytest.mark.parametrize(
    ("region", "line"),
    [
        ((0.0, 0.0, 0.0, 4.0), "its height and width more than 0, not 0×4 pixels from"),
        ((0.0, 0.0, 4.0, -1.0), "its height and width more than 0, not 4×-1 pixels"),
        ((math.nan, 0.0, 4.0, 4.0), r"must be finite.*from \(nan, 0\)"),
        ((0.0, 0.0, 4.0, math.inf), "must be finite"),
        ((0.0, 0.0, 4.0), r"a region is \(top, left, height, width\), not \(0.0"),
        (("a", 0.0, 4.0, 4.0), r"a region is \(top, left, height, width\)"),
    ],
)
def test_an_invalid_region_is_refused(region: tuple[float, ...], line: str) -> None:
    with pytest.raises(ValueError, match=line):
        checked_region(region)


@pytest.mark.parametrize(
    ("region", "within"),
    [
        ((0.0, 0.0, 10.0, 20.0), True),
        ((1 / 3, 0.5, 10 - 1 / 3, 19.5 + 1e-9), True),
        ((-1.0, 0.0, 5.0, 5.0), False),
        ((0.0, -0.5, 5.0, 5.0), False),
        ((0.0, 0.0, 10.5, 20.0), False),
        ((0.0, 15.0, 5.0, 5.5), False),
    ],
)
def test_a_region_lies_within_its_image_up_to_rounding(
    region: tuple[float, float, float, float], within: bool
) -> None:
    assert lies_within(region, 10, 20) == within


def test_a_crop_has_the_pixels_whose_centre_is_in_the_region() -> None:
    pixels = np.arange(10 * 8).reshape(10, 8)

    assert np.array_equal(crop(pixels, (1.4, 2.6, 3.0, 4.0)), pixels[1:4, 3:7])
    assert np.array_equal(crop(pixels, (0.0, 0.0, 10.0, 8.0)), pixels)


def test_a_crop_is_never_empty() -> None:
    assert crop(np.zeros((1, 4)), (0.6, 3.6, 0.3, 0.4)).shape == (1, 1)
