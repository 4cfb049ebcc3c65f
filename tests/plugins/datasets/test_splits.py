import hashlib
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plugin.sources import Split
from harness_plugins.datasets.splits import digest_of, in_turn, rank, stratified

SHARES: dict[Split, float] = {"train": 0.7, "validation": 0.1, "test": 0.2}
LABELLED = st.dictionaries(st.text(max_size=8), st.integers(0, 3), max_size=60)


@given(LABELLED)
def test_each_class_is_dealt_out_in_its_shares(labels: dict[str, int]) -> None:
    split_of = stratified(labels, SHARES)

    assert split_of.keys() == labels.keys()
    for label, size in Counter(labels.values()).items():
        found = Counter(split_of[key] for key in labels if labels[key] == label)
        assert all(abs(found[split] - share * size) <= 1 for split, share in SHARES.items())


@given(LABELLED, st.randoms(use_true_random=False))
def test_the_order_of_the_keys_does_not_matter(
    labels: dict[str, int], generator: random.Random
) -> None:
    shuffled = dict(generator.sample(sorted(labels.items()), len(labels)))

    assert stratified(labels, SHARES) == stratified(shuffled, SHARES)


def test_the_split_of_a_class_does_not_depend_on_other_classes() -> None:
    one = {f"a{index}": 0 for index in range(50)}
    two = one | {f"b{index}": 1 for index in range(20)}

    assert stratified(one, SHARES).items() <= stratified(two, SHARES).items()


def test_keys_are_dealt_out_by_their_rank() -> None:
    labels = {f"{index:03d}": 0 for index in range(100)}

    split_of = stratified(labels, SHARES)

    ranked = sorted(labels, key=rank)
    assert [split_of[key] for key in ranked] == (
        ["train"] * 70 + ["validation"] * 10 + ["test"] * 20
    )


def test_keys_that_come_last_are_in_the_last_split_and_cost_it_no_other_place() -> None:
    labels = {f"{index:03d}": index % 2 for index in range(100)}
    last = sorted(labels, key=rank)[:5]

    split_of = stratified(labels, SHARES, last=last)

    assert {split_of[key] for key in last} == {"test"}
    assert Counter(split_of.values()) == {"train": 70, "validation": 10, "test": 20}
    assert [key for key in sorted(labels, key=rank) if split_of[key] == "test"][:5] == last


def test_a_rank_is_the_hash_of_salt_and_key() -> None:
    expected = hashlib.sha256(b"attention-harness splits 1 tulips/1.jpg")

    assert rank("tulips/1.jpg") == expected.digest()


def test_fractions_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match=r"fractions must sum to 1, not 0\.5"):
        stratified({"a": 0}, {"train": 0.5})


@given(LABELLED)
def test_the_first_of_each_class_come_before_the_second(labels: dict[str, int]) -> None:
    order = in_turn(labels)

    assert sorted(order) == sorted(labels)
    seen: Counter[int] = Counter()
    turns = []
    for key in order:
        turns.append((seen[labels[key]], labels[key]))
        seen[labels[key]] += 1
    assert turns == sorted(turns)
    for label in seen:
        of_class = [key for key in order if labels[key] == label]
        assert of_class == [key for key in labels if labels[key] == label]


def test_a_digest_differs_between_splits_and_ignores_order() -> None:
    assert digest_of(["a", "b"]) == digest_of(["b", "a"])
    assert digest_of(["a", "b"]) != digest_of(["ab"]) != digest_of(["a,b"])
