from typing import Any

import pytest

from harness.engine import checks
from harness.errors import InvalidResultError
from harness.plugin.values import HeadIndex


def test_a_map_is_located_by_its_image_layer_and_head() -> None:
    assert checks.location(("a", HeadIndex(3, 1)), "mine") == {"image": "a", "layer": 3, "head": 1}


@pytest.mark.parametrize(
    "returned", [None, "a", ("a",), ("a", 3), (1, HeadIndex(0, 0)), ("a", (0, 0))]
)
def test_an_invalid_location_is_refused(returned: Any) -> None:
    with pytest.raises(InvalidResultError, match=r"mine: locate\(\) returned .*, not a name and"):
        checks.location(returned, "mine")
