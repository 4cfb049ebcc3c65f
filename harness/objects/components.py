"""What callers give instead of a spec, as a component: one place for every kind."""

from typing import Any

from harness.errors import WrongValueError
from harness.objects.adapter import Adapter
from harness.objects.arrays import array_images
from harness.objects.estimators import estimator_clusterer, is_estimator
from harness.objects.functions import FUNCTIONS, function_component
from harness.objects.tensors import is_array
from harness.plugin.arguments import shown
from harness.plugin.component import Component
from harness.plugin.installed import BrokenPluginError
from harness.plugin.registry import HOOKS, checked_component

HOOK_OF = {bases[0].kind: hook for hook, bases in HOOKS.items()}


def component_of(kind: str, given: Any) -> Component:
    """Return the component of a kind that an object is or stands for.

    Parameters
    ----------
    kind
        Such as "clusterer".
    given
        A component, or its class if it needs no parameters; for a clusterer, control or
        perturbation, a function; for a clusterer, an estimator; for images, arrays.

    Raises
    ------
    HarnessError
        If it is something else, or breaks the rules of components.
    """
    if isinstance(given, Component) or (isinstance(given, type) and issubclass(given, Component)):
        return _component(kind, given)
    if kind == "clusterer" and is_estimator(given):
        return estimator_clusterer(given)
    if kind == "image set" and is_pixels(given):
        return array_images(given)
    if callable(given):
        return function_component(kind, given)
    raise WrongValueError(f"expected {_expected(kind)}, not {shown(given)}")


def is_pixels(given: Any) -> bool:
    """Whether a value is an array of numbers, or a list of such."""
    if isinstance(given, list | tuple):
        return bool(given) and all(map(is_pixels, given))
    # Names may come in arrays, too.
    return is_array(given) and getattr(getattr(given, "dtype", None), "kind", "u") not in "OUST"


def _component(kind: str, given: Component | type[Component]) -> Component:
    owner = given if isinstance(given, type) else type(given)
    if owner.kind != kind:
        raise WrongValueError(f"{owner.__name__} is no {kind} but a {owner.kind}")
    if isinstance(given, Adapter):
        return given
    try:
        checked_component(owner, HOOK_OF[kind])
    except BrokenPluginError as error:
        raise WrongValueError(str(error)) from None
    if isinstance(given, Component):
        return given
    try:
        return given()
    except TypeError as error:
        raise WrongValueError(
            f"{owner.__name__}: give a component with its parameters, not the class: {error}"
        ) from None


def _expected(kind: str) -> str:
    """What a setting of a kind takes, in words."""
    words = ["text", f"a component such as harness.{HOOKS[HOOK_OF[kind]][0].__name__}"]
    if kind in FUNCTIONS:
        words.append("a function (weights, seed)")
    if kind == "clusterer":
        words.append("an estimator with fit_predict")
    if kind == "image set":
        words.append("an array of pixels")
    return " or ".join([", ".join(words[:-1]), words[-1]])
