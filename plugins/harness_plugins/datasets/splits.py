"""Deterministic splits of labelled images into what a model learns from and is judged on."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Literal

from harness import Split

# What the files of many sets are parted into.
Half = Literal["train", "test"]

# Changing this changes every split.
SALT = "attention-harness splits 1"


def stratified(labels: Mapping[str, int], shares: Mapping[Split, float]) -> dict[str, Split]:
    """The split of every key: each class's keys are dealt out in the given shares.

    Within a class they go in the order of `rank`, so that which images a split holds depends on
    keys and classes alone, on no order of files and no generator; shares of a class are rounded
    to whole images. Raises ValueError if the shares do not sum to 1.
    """
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"shares must sum to 1, not {sum(shares.values())}")
    by_class: dict[int, list[str]] = {}
    for key, label in labels.items():
        by_class.setdefault(label, []).append(key)
    split_of: dict[str, Split] = {}
    for keys in by_class.values():
        keys.sort(key=rank)
        dealt, share = 0, 0.0
        for split, part in shares.items():
            share += part
            until = round(share * len(keys))
            split_of.update(dict.fromkeys(keys[dealt:until], split))
            dealt = until
    return split_of


def rank(key: str) -> bytes:
    """SHA-256 of a fixed salt and the key: an order that has nothing to do with the images."""
    return hashlib.sha256(f"{SALT} {key}".encode()).digest()


def in_turn(labels: Mapping[str, int]) -> list[str]:
    """The keys in an order that takes the classes in turn: the first of each, the second, …

    Within a class they keep their order.
    """
    seen: dict[int, int] = {}
    places = {}
    for key, label in labels.items():
        seen[label] = seen.get(label, -1) + 1
        places[key] = (seen[label], label)
    return sorted(labels, key=places.__getitem__)


def digest_of(keys: Iterable[str]) -> str:
    """SHA-256 that records which keys a split holds, whatever their order."""
    return hashlib.sha256(json.dumps(sorted(keys)).encode()).hexdigest()
