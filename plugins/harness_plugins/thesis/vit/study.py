"""A study: many trainings of one-layer ViTs, every combination that a TOML file lists.

    images = "fashion-mnist"
    patch = 4
    seed = [0, 1, 2]

    [[variant]]
    heads = [1, 12]

    [[variant]]
    attention = false

Settings at the top hold for all variants; a list is a sweep. Settings are called as the flags of
`harness train`.
"""

import hashlib
import itertools
import json
import math
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from harness import HarnessError
from harness.command import did_you_mean
from harness_plugins.parameters import check_value
from harness_plugins.thesis.vit.splits import Splits
from harness_plugins.thesis.vit.training import RECIPES, TrainingSettings

Size = tuple[int, int]


@dataclass(frozen=True)
class Training:
    """One model to train: its images, its shape, and how it is trained.

    Images are converted to size (height, width) and channels, if given.
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
    **dict.fromkeys(("learning_rate", "momentum", "weight_decay", "crop", "colour"), (int, float)),
    **dict.fromkeys(("augmentation", "seed"), (int,)),
}
CHOICES = {"recipe": tuple(RECIPES), "optimiser": ("adamw", "sgd")}
HOW = tuple(field.name for field in fields(TrainingSettings))
# More than any training needs: its history is kept in memory and written after every epoch.
MOST_EPOCHS = 1_000_000
BOUNDS: Mapping[str, Mapping[str, float]] = {
    **{key: {"least": 1} for key in COUNTS},
    "epochs": {"least": 1, "most": MOST_EPOCHS},
    **{key: {"least": 0} for key in ("momentum", "weight_decay", "augmentation")},
    "learning_rate": {"above": 0},
    "crop": {"above": 0, "most": 1},
    "colour": {"above": 0, "most": 1},
    "seed": {"least": 0, "most": 2**31 - 1},
}
# Parts of every training's name, even where trainings do not differ in them.
ALWAYS_NAMED = ("attention", "mlp", "heads", "seed")
ELSEWHERE = "move the file away, or choose another --out"
# Letters of a name; file systems allow 255 bytes with all suffixes.
LONGEST = 200


def training(values: Mapping[str, Any]) -> Training:
    """The training with these settings; the missing ones take the defaults of the recipe."""
    given = {name: value for name, value in values.items() if value is not None}
    for name, value in given.items():
        _check(name, value)
    if "images" not in given:
        raise HarnessError("no images are given: name a labelled image set to learn from")
    recipe = RECIPES[given.setdefault("recipe", "modern")]
    how = replace(recipe, **{name: given.pop(name) for name in HOW if name in given})
    if "size" in given:
        given["size"] = read_size(given["size"])
    if not given.get("attention", True):
        # Without attention, models do not differ by heads.
        given["heads"] = 1
    return Training(**given, how=how)


def settings_of(one: Training) -> dict[str, Any]:
    """What a checkpoint records of the settings that its weights depend on, as values of JSON."""
    values = asdict(one)
    how, size = values.pop("how"), one.size and "x".join(map(str, one.size))
    # The recipe's name stands for settings that are all there.
    del values["recipe"]
    return {**values, "size": size, **how}


def check_settings(path: Path, record: Mapping[str, Any], one: Training) -> None:
    """Raise HarnessError, with what differs, if a checkpoint was trained with other settings."""
    trained, asked = record.get("settings"), settings_of(one)
    if not isinstance(trained, dict):
        raise HarnessError(f"{path}: does not record all settings of its training; {ELSEWHERE}")
    differing = [name for name in asked if trained.get(name) != asked[name]]
    if differing:
        was, now = (
            ", ".join(f"{name} {values.get(name)}" for name in differing)
            for values in (trained, asked)
        )
        raise HarnessError(f"{path}: was trained with {was}, not with {now}; {ELSEWHERE}")


def check_images(path: Path, record: Mapping[str, Any], splits: Splits) -> None:
    """Raise HarnessError, naming the splits, if a checkpoint was trained with other images."""
    trained = record.get("splits", {})
    changed = [name for name, now in splits.identity.items() if trained.get(name) != now]
    if changed:
        raise HarnessError(
            f"{path}: was trained with other images than there are now "
            f"({', '.join(changed)}); {ELSEWHERE}"
        )


def read_size(size: int | str) -> Size:
    """The height and width that `28` or `28x32` stand for."""
    parts = str(size).lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(
        part.isdecimal() and len(part) < 10 and int(part) > 0 for part in parts
    ):
        raise HarnessError(f"size {size}: expected a number of pixels, or HEIGHTxWIDTH")
    return int(parts[0]), int(parts[-1])


def _check(name: str, value: Any) -> None:
    if name not in TYPES:
        raise HarnessError(f"{name}: no such setting{did_you_mean(name, TYPES)}")
    types = TYPES[name]
    # In Python, True is an integer.
    fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    if not fits:
        expected = " or ".join(one.__name__ for one in types)
        raise HarnessError(f"{name} {value!r}: must be of type {expected}")
    if name in BOUNDS:
        # Integers have no upper limit of their own.
        is_huge = value > sys.float_info.max
        check_value("train", name, math.inf if is_huge else value, **BOUNDS[name])
    if name == "channels" and value not in (1, 3):
        raise HarnessError(f"channels {value}: must be 1 for grey or 3 for RGB")
    if value not in CHOICES.get(name, (value,)):
        raise HarnessError(f"{name} {value!r}: must be one of {', '.join(CHOICES[name])}")


def read_study(path: Path) -> dict[str, Training]:
    """Every training of a study, by a name made of the settings in which trainings differ."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # of TOML, UTF-8, or a number of 4,300 digits
        raise HarnessError(f"{path}: not valid TOML: {error}") from error
    variants = values.pop("variant", [{}])
    if not isinstance(variants, list) or not all(isinstance(one, dict) for one in variants):
        raise HarnessError(f"{path}: variants must be tables: [[variant]]")
    try:
        # Equal variants are trained once.
        found = list(
            dict.fromkeys(
                training(each) for one in variants for each in _combinations({**values, **one})
            )
        )
    except HarnessError as error:
        raise HarnessError(f"{path}: {error}") from error
    if not found:
        raise HarnessError(f"{path}: asks for no training, because it has no variant")
    return dict(zip(_names(found), found, strict=True))


def _combinations(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in values.items():
        if value == []:
            raise HarnessError(f"{name}: its list is empty")
    sweeps = [value if isinstance(value, list) else [value] for value in values.values()]
    for chosen in itertools.product(*sweeps):
        yield dict(zip(values, chosen, strict=True))


def _names(trainings: Sequence[Training]) -> list[str]:
    differing = [
        name
        for name in (*(field.name for field in fields(Training) if field.name != "how"), *HOW)
        if len({_setting(one, name) for one in trainings}) > 1 and name not in ALWAYS_NAMED
    ]
    names = ["_".join(_name(one, differing)) for one in trainings]
    # Some file systems do not tell capital letters from small ones.
    count = Counter(name.lower() for name in names)
    return [
        name if count[name.lower()] == 1 and len(name) <= LONGEST else _unique(name, one)
        for name, one in zip(names, trainings, strict=True)
    ]


def _unique(name: str, one: Training) -> str:
    digest = hashlib.sha256(json.dumps(settings_of(one), sort_keys=True).encode()).hexdigest()
    return f"{name[:LONGEST]}_{digest[:12]}"


def _name(one: Training, differing: Iterable[str]) -> Iterator[str]:
    heads = "1-head" if one.heads == 1 else f"{one.heads}-heads"
    yield heads if one.attention else "no-attention"
    if not one.mlp:
        yield "no-mlp"
    for name in differing:
        text = _setting(one, name)
        # The recipe's name stands for its own settings.
        if name not in HOW or text != str(getattr(RECIPES[one.recipe], name)):
            yield f"{name.replace('_', '-')}-{text}"
    yield f"seed-{one.how.seed}"


def _setting(one: Training, name: str) -> str:
    value = getattr(one.how if name in HOW else one, name)
    text = "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter == ".") else "-"
        for letter in text
    )
