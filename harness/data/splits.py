"""Deterministic splits of labelled images into what a model learns from and is judged on."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Literal

from harness.components import Split

# What the files of many sets are parted into.
Half = Literal["train", "test"]

# Part of every split that was made; another one is another split.
SALT = "attention-harness split 1"


def stratified(
    labels: Mapping[str, int], held_out: Mapping[Split, float]
) -> dict[Split, list[str]]:
    """Keys by split: of every class its share to each split held out, the rest to "train".

    Within a class the keys are ordered by `rank`, and the splits held out take
    round(share · size of the class) of them in turn: which images a split holds depends on keys
    and classes alone, never on an order or a generator. Each split keeps the order of `labels`.
    """
    by_class: dict[int, list[str]] = {}
    for key, label in labels.items():
        by_class.setdefault(label, []).append(key)
    split_of: dict[str, Split] = {}
    for keys in by_class.values():
        ranked = sorted(keys, key=rank)
        start = 0
        for split, share in held_out.items():
            end = start + round(share * len(keys))
            split_of.update(dict.fromkeys(ranked[start:end], split))
            start = end
    splits: dict[Split, list[str]] = {split: [] for split in ("train", *held_out)}
    for key in labels:
        splits[split_of.get(key, "train")].append(key)
    return splits


def rank(key: str) -> bytes:
    """SHA-256 of a fixed salt and the key: an order that has nothing to do with the images."""
    return hashlib.sha256(f"{SALT}\n{key}".encode()).digest()


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
