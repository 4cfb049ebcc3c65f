from collections.abc import Callable

import pytest

import harness
from harness.plugin.values import Integers
from harness.testing import planted_graph

Planted = tuple[harness.Graph, Integers]


@pytest.fixture
def planted() -> Callable[..., Planted]:
    """Makes directed graphs with planted blocks, and their true labels."""
    return planted_graph
