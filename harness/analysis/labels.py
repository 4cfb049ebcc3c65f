"""Short labels of specs: what tells them apart, and paths by their last parts.

Tables show labels; users may give them wherever they name a component of a run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.method import MethodKey, differing_fields, grouped
from harness.errors import HarnessError
from harness.plugin.spec import component_name, parse

# Fewer parts are a name, such as that of a model on a hub.
FEWEST_PARTS = 3


@dataclass(frozen=True)
class Labels:
    """A label for each spec, and what specs of one component share, as specs."""

    of: Mapping[str, str]
    common: Sequence[str]


def spec_labels(specs: Iterable[str]) -> Labels:
    """Label specs by what differs between those of one component.

    >>> found = spec_labels(["hf[model=/data/a/vit,size=9]", "hf[model=/data/a/dino,size=9]"])
    >>> list(found.of.values()), found.common
    (['hf[model=vit]', 'hf[model=dino]'], ['hf[size=9]'])
    """
    of: dict[str, str] = {}
    common: list[str] = []
    for name, texts in grouped(dict.fromkeys(specs), component_name).items():
        parameters = {text: _parameters(text) for text in texts}
        keys = dict.fromkeys(key for each in parameters.values() for key in each)
        values = {key: [each.get(key, "") for each in parameters.values()] for key in keys}
        shared = [key for key in keys if len(texts) > 1 and len(set(values[key])) == 1]
        short = {key: dict(zip(values[key], last_parts(values[key]), strict=True)) for key in keys}
        for text, own in parameters.items():
            told = {key: short[key][value] for key, value in own.items() if key not in shared}
            of[text] = _spec(name, told) if own else text
        if shared:
            common.append(_spec(name, {key: short[key][values[key][0]] for key in shared}))
    return Labels(of, common)


def method_labels(methods: Sequence[MethodKey]) -> list[str]:
    """Each method in one line: the labels of the fields that tell the methods apart."""
    names = differing_fields(methods)
    labels = {name: spec_labels(getattr(method, name) for method in methods).of for name in names}
    return [" ".join(labels[name][getattr(each, name)] for name in names) for each in methods]


def last_parts(values: Sequence[str]) -> list[str]:
    """Paths among the values by their last part, and by another one if that is shared.

    >>> last_parts(["/a/x/deep/maps", "/a/y/deep/maps", "facebook/dinov2-small"])
    ['x/…/maps', 'y/…/maps', 'facebook/dinov2-small']
    """
    paths = {value: value.strip("\"'").rstrip("/").split("/") for value in values}
    paths = {value: parts for value, parts in paths.items() if len(parts) >= FEWEST_PARTS}
    deepest = max(map(len, paths.values()), default=0)
    for depth in range(1, deepest + 1):
        short = {value: _ending(parts, depth) for value, parts in paths.items()}
        if len(set(short.values())) == len(short):
            return [short.get(value, value) for value in values]
    return list(values)


def _ending(parts: Sequence[str], depth: int) -> str:
    end = parts[-depth:]
    return "/".join(end) if len(end) < FEWEST_PARTS else f"{end[0]}/…/{end[-1]}"


def _parameters(text: str) -> Mapping[str, str]:
    """The parameters of a spec; none for other text."""
    try:
        return next((spec.parameters for spec in parse(text)), {})
    except HarnessError:
        return {}


def _spec(name: str, parameters: Mapping[str, str]) -> str:
    written = ",".join(f"{key}={value}" for key, value in parameters.items())
    return f"{name}[{written}]" if written else name
