"""Parting labelled images for training, validation and testing: the same way on every machine."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from harness.errors import HarnessError
from harness.spelling import did_you_mean

Split = Literal["train", "validation", "test"]
# Changing this changes every split.
SALT = "attention-harness splits 1"


def stratified(labels: Mapping[str, int], shares: Mapping[Split, float]) -> dict[str, Split]:
    """The split of every key: each class's keys are dealt out in the given shares.

    Within a class keys go in the order of a hash of theirs, so that neither the order of the
    files nor a library's generator matters; shares of a class are rounded to whole images. Raises
    ValueError if shares do not sum to 1.
    """
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"shares must sum to 1, not {sum(shares.values())}")
    classes: defaultdict[int, list[str]] = defaultdict(list)
    for key, label in labels.items():
        classes[label].append(key)
    found: dict[str, Split] = {}
    for keys in classes.values():
        keys.sort(key=_place)
        dealt, share = 0, 0.0
        for split, part in shares.items():
            share += part
            until = round(share * len(keys))
            found.update(dict.fromkeys(keys[dealt:until], split))
            dealt = until
    return found


def in_turn(keys: Iterable[str], labels: Mapping[str, int]) -> list[str]:
    """The keys in an order that takes a key of each class in turn, as long as a class has any.

    Of a class the first key comes first; classes go by number.
    """
    met: defaultdict[int, int] = defaultdict(int)
    turns: list[tuple[int, int, str]] = []
    for key in keys:
        label = labels[key]
        turns.append((met[label], label, key))
        met[label] += 1
    return [key for _, _, key in sorted(turns, key=lambda turn: turn[:2])]


def chosen(
    name: str, labels: Mapping[str, int], count: int | None, only: Sequence[str] | None
) -> list[str]:
    """Of a split's keys with their labels: those in `only` if given, the first `count` in turn.

    Raises HarnessError naming the image set if it lacks a key of `only`, or any image at all.
    """
    keys = list(labels)
    if only is not None:
        for key in only:
            if key not in labels:
                raise HarnessError(f"{name}: there is no image {key!r}{did_you_mean(key, keys)}")
        keys = list(dict.fromkeys(only))
    return keys if count is None else in_turn(keys, labels)[:count]


def _place(key: str) -> bytes:
    return hashlib.sha256(f"{SALT} {key}".encode()).digest()
