"""Many trainings of one-layer ViTs, told by a TOML file: every combination of what it lists.

    images = "fashion-mnist"
    patch = 4
    seed = [0, 1, 2]

    [[variant]]
    heads = [1, 12]

    [[variant]]
    attention = false

What stands at the top holds for all variants; a list is a sweep. Names are those of the flags of
`harness train`.
"""

import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from harness import HarnessError
from harness.command import did_you_mean
from harness_plugins.thesis.vit.training import RECIPES, TrainingSettings

Size = tuple[int, int]


@dataclass(frozen=True)
class Training:
    """One model to be trained: on which images, of which shape, and how.

    size (height, width) and channels are what images are made to fit, if told.
    """

    images: str
    size: Size | None = None
    channels: int | None = None
    patch: int = 2
    dimension: int = 48
    heads: int = 1
    attention: bool = True
    mlp: bool = True
    recipe: str = "modern"
    how: TrainingSettings = RECIPES["modern"]


COUNTS = ("channels", "patch", "dimension", "heads", "epochs", "batch")
TYPES: Mapping[str, tuple[type, ...]] = {
    "images": (str,),
    "size": (int, str),
    **dict.fromkeys(COUNTS, (int,)),
    **dict.fromkeys(("attention", "mlp"), (bool,)),
    **dict.fromkeys(("recipe", "optimiser"), (str,)),
    **dict.fromkeys(("learning_rate", "momentum", "weight_decay"), (int, float)),
    **dict.fromkeys(("augmentation", "seed"), (int,)),
}
CHOICES = {"recipe": tuple(RECIPES), "optimiser": ("adamw", "sgd")}
HOW = tuple(field.name for field in fields(TrainingSettings))
SEEDS = 2**31
# What every name of a training says, whether trainings differ in it or not.
ALWAYS_SAID = ("attention", "mlp", "heads", "seed")


def training(values: Mapping[str, Any]) -> Training:
    """The training that flags or a study's values tell; what is None or missing is the default's.

    `recipe` names the settings that others are laid over. Raises HarnessError for what is wrong.
    """
    told = {name: value for name, value in values.items() if value is not None}
    for name in told:
        _check(name, told[name])
    if "images" not in told:
        raise HarnessError("no images are named: say which labelled image set to learn from")
    recipe = RECIPES[told.setdefault("recipe", "modern")]
    how = replace(recipe, **{name: told.pop(name) for name in HOW if name in told})
    if "size" in told:
        told["size"] = read_size(told["size"])
    if not told.get("attention", True):
        # Without attention there are no heads to tell models apart.
        told["heads"] = 1
    return Training(**told, how=how)


def read_size(size: int | str) -> Size:
    """`28` or `28x32` as height and width."""
    parts = str(size).lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise HarnessError(f"size {size}: expected a number of pixels, or HEIGHTxWIDTH")
    return int(parts[0]), int(parts[-1])


def _check(name: str, value: Any) -> None:
    if name not in TYPES:
        raise HarnessError(f"{name}: no such setting{did_you_mean(name, TYPES)}")
    types = TYPES[name]
    if not _is_one_of(types, value):
        expected = " or ".join(one.__name__ for one in types)
        raise HarnessError(f"{name} {value!r}: must be of type {expected}")
    if name in COUNTS and value < 1:
        raise HarnessError(f"{name} {value}: must be at least 1")
    if name == "channels" and value not in (1, 3):
        raise HarnessError(f"channels {value}: must be 1 for grey or 3 for RGB")
    if name == "learning_rate" and not 0 < value < float("inf"):
        raise HarnessError(f"{name} {value}: must be a positive number")
    if name in ("momentum", "weight_decay", "augmentation") and not 0 <= value < float("inf"):
        raise HarnessError(f"{name} {value}: must be a number of at least 0")
    if name == "seed" and not 0 <= value < SEEDS:
        raise HarnessError(f"seed {value}: must be a number in 0 … {SEEDS - 1}")
    if value not in CHOICES.get(name, (value,)):
        raise HarnessError(f"{name} {value!r}: must be one of {', '.join(CHOICES[name])}")


def _is_one_of(types: tuple[type, ...], value: Any) -> bool:
    # To Python True is an integer.
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


def read_study(path: Path) -> dict[str, Training]:
    """Every training of a study, by a name that says what it differs from the others in.

    Raises HarnessError if the file is missing or wrong.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HarnessError(f"{path}: not valid TOML: {error}") from error
    variants = values.pop("variant", [{}])
    if not isinstance(variants, list) or not all(isinstance(one, dict) for one in variants):
        raise HarnessError(f"{path}: variants are written as tables: [[variant]]")
    try:
        # Variants that come to the same are trained once.
        found = list(
            dict.fromkeys(
                training(each) for one in variants for each in _combinations({**values, **one})
            )
        )
    except HarnessError as error:
        raise HarnessError(f"{path}: {error}") from error
    return dict(zip(_names(found), found, strict=True))


def _combinations(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    sweeps = [value if isinstance(value, list) else [value] for value in values.values()]
    for chosen in itertools.product(*sweeps):
        yield dict(zip(values, chosen, strict=True))


def _names(trainings: Sequence[Training]) -> list[str]:
    differing = [
        name
        for name in (*(field.name for field in fields(Training) if field.name != "how"), *HOW)
        if len({_figure(one, name) for one in trainings}) > 1 and name not in ALWAYS_SAID
    ]
    return ["_".join(_name(one, differing)) for one in trainings]


def _name(one: Training, differing: Iterable[str]) -> Iterator[str]:
    heads = "1-head" if one.heads == 1 else f"{one.heads}-heads"
    yield heads if one.attention else "no-attention"
    if not one.mlp:
        yield "no-mlp"
    for name in differing:
        figure = _figure(one, name)
        # What the recipe's name says already is not said again.
        if name not in HOW or figure != str(getattr(RECIPES[one.recipe], name)):
            yield f"{name.replace('_', '-')}-{figure}"
    yield f"seed-{one.how.seed}"


def _figure(one: Training, name: str) -> str:
    value = getattr(one.how if name in HOW else one, name)
    text = "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return "".join(letter if letter.isalnum() or letter in ".x" else "-" for letter in text)
