"""The SDP relaxation of community detection: solver, reference solver and two clusterers."""

import harness
from harness_plugins.clusterers.sdp.clusterer import Sdp
from harness_plugins.clusterers.sdp.embedding import embed
from harness_plugins.clusterers.sdp.modularity_clusterer import SdpModularity
from harness_plugins.clusterers.sdp.reference import solve_reference
from harness_plugins.clusterers.sdp.spins import SpinSolution, solve_spins
from harness_plugins.clusterers.sdp.weights import DegreeCorrected

__all__ = [
    "DegreeCorrected",
    "Sdp",
    "SdpModularity",
    "SpinSolution",
    "embed",
    "solve_reference",
    "solve_spins",
]


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Sdp, SdpModularity]
