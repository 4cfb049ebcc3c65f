import pytest

import harness
from harness_plugins.clusterers.louvain_networkx import LouvainNetworkx


@pytest.mark.parametrize("threshold", [-1e-9, float("nan")])
def test_a_negative_threshold_is_refused(threshold: float) -> None:
    with pytest.raises(harness.HarnessError, match="threshold"):
        LouvainNetworkx(threshold=threshold)
