"""The SDP relaxation of community detection: its solver, its yardstick and the clusterer."""

import harness
from harness_plugins.clusterers.sdp.clusterer import Sdp
from harness_plugins.clusterers.sdp.embedding import embed
from harness_plugins.clusterers.sdp.reference import solve_reference
from harness_plugins.clusterers.sdp.spins import SpinSolution, solve_spins

__all__ = ["Sdp", "SpinSolution", "embed", "solve_reference", "solve_spins"]


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    """This package's clusterers."""
    return [Sdp]
