"""Deterministic splits of labelled images into training, validation and test images."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from harness import Split

# The halves in which many sets are published.
Half = Literal["train", "test"]

# Changing this changes every split.
SALT = "attention-harness splits 1"


def stratified(
    labels: Mapping[str, int], fractions: Mapping[Split, float], last: Collection[str] = ()
) -> dict[str, Split]:
    """Assign every key to a split, each class's keys in the given fractions.

    Within a class, keys are assigned in the order of `rank`, those in `last` after all others, so
    that a split depends on keys and classes only, not on the order of files or on a random
    generator. Fractions of a class are rounded to whole images. Raises ValueError if the fractions
    do not sum to 1.
    """
    if abs(sum(fractions.values()) - 1) > 1e-9:
        raise ValueError(f"fractions must sum to 1, not {sum(fractions.values())}")
    by_class: dict[int, list[str]] = {}
    for key, label in labels.items():
        by_class.setdefault(label, []).append(key)
    split_of: dict[str, Split] = {}
    for keys in by_class.values():
        keys.sort(key=lambda key: (key in last, rank(key)))
        start, total = 0, 0.0
        for split, fraction in fractions.items():
            total += fraction
            end = round(total * len(keys))
            split_of.update(dict.fromkeys(keys[start:end], split))
            start = end
    return split_of


def rank(key: str) -> bytes:
    """SHA-256 of a fixed salt and the key: an order that is independent of the images."""
    return hashlib.sha256(f"{SALT} {key}".encode()).digest()


def in_turn(labels: Mapping[str, int]) -> list[str]:
    """The keys with the classes in turn: the first of each class, the second of each, …"""
    seen: dict[int, int] = {}
    ranks = {}
    for key, label in labels.items():
        seen[label] = seen.get(label, -1) + 1
        ranks[key] = (seen[label], label)
    return sorted(labels, key=ranks.__getitem__)


def digest_of(keys: Iterable[str]) -> str:
    """A SHA-256 that identifies the keys of a split, independent of their order."""
    return hashlib.sha256(json.dumps(sorted(keys)).encode()).hexdigest()
