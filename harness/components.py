"""Components made by hand: one function for each base class, and one for any kind."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from harness.errors import WrongValueError, refuse_unknown
from harness.plugin import base, draws, registry, sources
from harness.plugin.arguments import checked
from harness.plugin.component import Component
from harness.plugin.registry import KINDS
from harness.plugin.score import Score

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=Component)
Plugins = Sequence[str | Path]

SECTIONS = """Parameters
    ----------{kind}
    spec : str
        Name and parameters: "louvain", "louvain[resolution=0.5]".
    plugins : list of paths, optional
        Files or package folders with more plugins.
    **parameters
        The component's parameters: resolution=0.5.

    Returns
    -------
    harness.{returned}
        The component. Methods that take a map, a graph or an image also take a numpy array.

    Raises
    ------
    HarnessError
        If the spec names no component of this kind, or several, or a parameter is wrong."""

KIND = """
    kind : str
        "image set", "extractor", "graph builder", "clusterer", "selector", "control",
        "perturbation" or "score"; underscores and hyphens stand for spaces."""

# The name of the function that makes the components of a base class.
_CONSTRUCTORS: dict[type[Component], str] = {}


def _documented(function: Callable[P, T], *, kind: str, returned: str) -> Callable[P, T]:
    """The function, with the sections of its docstring that all functions here share."""
    sections = SECTIONS.format(kind=kind, returned=returned)
    function.__doc__ = (function.__doc__ or "").replace("{sections}", sections)
    return function


@checked
@partial(_documented, kind=KIND, returned="Clusterer, harness.Selector, …")
def make(kind: str, spec: str, plugins: Plugins = (), **parameters: Any) -> Any:
    """Make a component of any kind.

    `harness.clusterer`, `harness.selector` and so on do the same for the kind in their name; type
    checkers then know the returned type.

    {sections}

    Examples
    --------
    >>> import harness
    >>> specs = {"clusterer": "louvain", "selector": "fixed[level=1]"}
    >>> [harness.make(kind, spec) for kind, spec in specs.items()]
    [Louvain(resolution=1.0), Fixed(level=1.0)]
    """
    kind = kind.replace("_", " ").replace("-", " ")
    refuse_unknown("there is no kind", [kind], KINDS, "there are")
    known = registry.load([Path(path) for path in plugins])
    made: list[Component] = known.make(kind, spec, parameters)
    if len(made) != 1:
        raise WrongValueError(f"{spec!r} describes {len(made)} components; one is wanted")
    return made[0]


def _constructor(function: Callable[P, T]) -> Callable[P, T]:
    """The function, checked, with the sections of its docstring that all constructors share."""
    returned = function.__annotations__["return"]
    _CONSTRUCTORS[returned] = function.__name__
    return checked(_documented(function, kind="", returned=returned.__name__))


def _made(wanted: type[C], spec: str, plugins: Plugins, parameters: Mapping[str, Any]) -> C:
    """One component of a base class; kinds have several of these."""
    component = make(wanted.kind, spec, plugins, **parameters)
    if isinstance(component, wanted):
        return component
    other, name = next(each for each in _CONSTRUCTORS.items() if isinstance(component, each[0]))
    raise WrongValueError(f"{spec!r} is a {other.__name__}, which harness.{name} makes")


@_constructor
def clusterer(spec: str, /, *, plugins: Plugins = (), **parameters: Any) -> base.Clusterer:
    """Make a clusterer, to call its methods by hand.

    {sections}

    Examples
    --------
    >>> import numpy as np
    >>> import harness
    >>> weights = np.kron(np.eye(2), np.ones((3, 3)))
    >>> harness.clusterer("louvain", resolution=0.5).cluster(weights, seed=0)
    array([0, 0, 0, 1, 1, 1])
    """
    return _made(base.Clusterer, spec, plugins, parameters)


@_constructor
def extractor(spec: str, /, *, plugins: Plugins = (), **parameters: Any) -> sources.Extractor:
    """Make an extractor, to call its methods by hand.

    {sections}

    Examples
    --------
    >>> import numpy as np
    >>> import harness
    >>> extractor = harness.extractor("one-layer-vit")
    >>> (attention,) = extractor.extract([np.zeros((28, 28), dtype=np.uint8)])
    >>> attention.weights.shape
    (196, 196)
    """
    return _made(sources.Extractor, spec, plugins, parameters)


@_constructor
def graph_builder(spec: str, /, *, plugins: Plugins = (), **parameters: Any) -> base.GraphBuilder:
    """Make a graph builder, to call its methods by hand.

    {sections}

    Examples
    --------
    >>> import numpy as np
    >>> import harness
    >>> builder = harness.graph_builder("threshold")
    >>> builder.levels(np.random.default_rng(0).random((8, 8)), 3).shape
    (3,)
    """
    return _made(base.GraphBuilder, spec, plugins, parameters)


@_constructor
def image_control(spec: str, /, *, plugins: Plugins = (), **parameters: Any) -> draws.ImageControl:
    """Make a control that draws images, to call its methods by hand.

    {sections}

    Examples
    --------
    >>> import numpy as np
    >>> import harness
    >>> noise = harness.image_control("uniform-noise")
    >>> noise.draw(np.zeros((4, 4), dtype=np.uint8), seed=0).pixels.shape
    (4, 4, 1)
    """
    return _made(draws.ImageControl, spec, plugins, parameters)


@_constructor
def image_set(spec: str, /, *, plugins: Plugins = (), **parameters: Any) -> sources.ImageSet:
    """Make an image set, to call its methods by hand.

    {sections}

    Examples
    --------
    >>> import harness
    >>> len(harness.image_set("noise", count=3).keys())
    3
    """
    return _made(sources.ImageSet, spec, plugins, parameters)


@_constructor
def map_control(spec: str, /, *, plugins: Plugins = (), **parameters: Any) -> draws.MapControl:
    """Make a control that draws maps, to call its methods by hand.

    {sections}

    Examples
    --------
    >>> import numpy as np
    >>> import harness
    >>> rows = harness.map_control("permuted-rows").draw(np.eye(3), seed=0)
    >>> rows.weights.sum(axis=1).tolist()
    [1.0, 1.0, 1.0]
    """
    return _made(draws.MapControl, spec, plugins, parameters)


@_constructor
def map_set(spec: str, /, *, plugins: Plugins = (), **parameters: Any) -> sources.MapSet:
    """Make a set of stored maps, to call its methods by hand.

    {sections}

    Examples
    --------
    >>> import harness
    >>> planted = harness.map_set("planted", count=2, n=36)
    >>> [planted.load(key).weights.shape for key in planted.keys()]
    [(36, 36), (36, 36)]
    """
    return _made(sources.MapSet, spec, plugins, parameters)


@_constructor
def perturbation(spec: str, /, *, plugins: Plugins = (), **parameters: Any) -> draws.Perturbation:
    """Make a perturbation, to call its methods by hand.

    {sections}

    Examples
    --------
    >>> import numpy as np
    >>> import harness
    >>> jitter = harness.perturbation("log-jitter")
    >>> jitter.draw(np.ones((3, 3)), seed=0).weights.shape
    (3, 3)
    """
    return _made(draws.Perturbation, spec, plugins, parameters)


@_constructor
def score(spec: str, /, *, plugins: Plugins = (), **parameters: Any) -> Score:
    """Make a score, to compute it by hand.

    {sections}

    Examples
    --------
    >>> import numpy as np
    >>> import harness
    >>> labelled = harness.LabelledGraph.from_weights(np.ones((4, 4)), [0, 0, 1, 1])
    >>> harness.score("conductance").score(labelled)
    0.6666666666666666
    """
    return _made(Score, spec, plugins, parameters)


@_constructor
def selector(spec: str, /, *, plugins: Plugins = (), **parameters: Any) -> base.Selector:
    """Make a selector, to call its methods by hand.

    {sections}

    Examples
    --------
    >>> import harness
    >>> harness.selector("fixed", level=0.5)
    Fixed(level=0.5)
    """
    return _made(base.Selector, spec, plugins, parameters)
