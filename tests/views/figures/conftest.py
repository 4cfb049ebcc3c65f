from typing import Any

import numpy as np
import pytest


@pytest.fixture(params=[1, 3])
def pixels(request: pytest.FixtureRequest) -> Any:
    """Pixels (12, 20, channels) of a random image."""
    return np.random.default_rng(0).integers(0, 256, (12, 20, request.param), dtype=np.uint8)
