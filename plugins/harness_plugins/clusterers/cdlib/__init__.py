"""The algorithms of CDlib, by name (an optional extra)."""

import harness
from harness_plugins.clusterers.cdlib.clusterer import Cdlib


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Cdlib]
