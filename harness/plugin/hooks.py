"""The hooks that a plugin may implement; each returns component classes.

A plugin is a module with functions of these names, marked with `harness.hookimpl`: a file given by
`--plugin`, or an installed module under the entry point group `harness`. The fields of a component
class are its parameters; `harness.plugin.component.Component` lists the types that they may have.
"""

from collections.abc import Sequence

import pluggy

from harness.plugin import base, draws, sources
from harness.plugin.score import Score

PROJECT = "harness"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Mark a function of a plugin as the implementation of the hook with the same name.

Examples
--------
>>> @harness.hookimpl
... def harness_clusterers():
...     return [MyClusterer]
"""


@hookspec
def harness_image_sets() -> Sequence[type[sources.ImageSet]]:
    """Return subclasses of `harness.ImageSet`.

    Examples
    --------
    >>> @harness.hookimpl
    ... def harness_image_sets():
    ...     return [MyImageSet]
    """


@hookspec
def harness_extractors() -> Sequence[type[sources.Extractor] | type[sources.MapSet]]:
    """Return subclasses of `harness.Extractor` or `harness.MapSet`.

    Examples
    --------
    >>> @harness.hookimpl
    ... def harness_extractors():
    ...     return [MyExtractor]
    """


@hookspec
def harness_graph_builders() -> Sequence[type[base.GraphBuilder]]:
    """Return subclasses of `harness.GraphBuilder`.

    Examples
    --------
    >>> @harness.hookimpl
    ... def harness_graph_builders():
    ...     return [MyGraphBuilder]
    """


@hookspec
def harness_clusterers() -> Sequence[type[base.Clusterer]]:
    """Return subclasses of `harness.Clusterer`.

    Examples
    --------
    >>> @harness.hookimpl
    ... def harness_clusterers():
    ...     return [MyClusterer]
    """


@hookspec
def harness_selectors() -> Sequence[type[base.Selector]]:
    """Return subclasses of `harness.Selector`.

    Examples
    --------
    >>> @harness.hookimpl
    ... def harness_selectors():
    ...     return [MySelector]
    """


@hookspec
def harness_controls() -> Sequence[type[draws.ImageControl] | type[draws.MapControl]]:
    """Return subclasses of `harness.ImageControl` or `harness.MapControl`.

    Examples
    --------
    >>> @harness.hookimpl
    ... def harness_controls():
    ...     return [MyImageControl]
    """


@hookspec
def harness_perturbations() -> Sequence[type[draws.Perturbation]]:
    """Return subclasses of `harness.Perturbation`.

    Examples
    --------
    >>> @harness.hookimpl
    ... def harness_perturbations():
    ...     return [MyPerturbation]
    """


@hookspec
def harness_scores() -> Sequence[type[Score]]:
    """Return subclasses of `harness.Score`.

    Examples
    --------
    >>> @harness.hookimpl
    ... def harness_scores():
    ...     return [MyScore]
    """
