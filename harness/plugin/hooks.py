"""The hooks that a plugin may implement; each returns component classes."""

from collections.abc import Sequence

import pluggy

from harness.plugin.base import (
    Clusterer,
    Extractor,
    GraphBuilder,
    ImageControl,
    ImageSet,
    MapControl,
    MapSet,
    Perturbation,
    Selector,
)

PROJECT = "harness"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def harness_image_sets() -> Sequence[type[ImageSet]]:
    """Sets of images to look at."""


@hookspec
def harness_extractors() -> Sequence[type[Extractor] | type[MapSet]]:
    """Models that give attention maps, and sets of maps that need no images."""


@hookspec
def harness_graph_builders() -> Sequence[type[GraphBuilder]]:
    """Ways to turn an attention map into a family of graphs."""


@hookspec
def harness_clusterers() -> Sequence[type[Clusterer]]:
    """Methods that part a graph's nodes."""


@hookspec
def harness_selectors() -> Sequence[type[Selector]]:
    """Rules that choose a level of a profile."""


@hookspec
def harness_controls() -> Sequence[type[ImageControl] | type[MapControl]]:
    """Things to compare an image or a map with."""


@hookspec
def harness_perturbations() -> Sequence[type[Perturbation]]:
    """Small changes of a map that clusters should survive."""
