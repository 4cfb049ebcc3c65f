import hashlib
import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.components import Split
from harness.data.splits import digest_of, in_turn, rank, stratified

HELD_OUT: dict[Split, float] = {"validation": 0.1, "test": 0.2}
LABELLED = st.dictionaries(st.text(max_size=8), st.integers(0, 3), max_size=60)


@given(LABELLED)
def test_every_key_is_in_one_split_in_its_order(labels: dict[str, int]) -> None:
    splits = stratified(labels, HELD_OUT)

    assert sorted(key for keys in splits.values() for key in keys) == sorted(labels)
    for keys in splits.values():
        assert keys == [key for key in labels if key in set(keys)]


@given(LABELLED)
def test_each_class_gives_its_share(labels: dict[str, int]) -> None:
    sizes = Counter(labels.values())

    for split, share in HELD_OUT.items():
        held = Counter(labels[key] for key in stratified(labels, HELD_OUT)[split])
        assert all(held[label] == round(share * size) for label, size in sizes.items())


@given(LABELLED, st.randoms(use_true_random=False))
def test_the_order_of_the_keys_does_not_matter(
    labels: dict[str, int], generator: random.Random
) -> None:
    shuffled = dict(generator.sample(sorted(labels.items()), len(labels)))

    one, other = stratified(labels, HELD_OUT), stratified(shuffled, HELD_OUT)

    assert {split: set(keys) for split, keys in one.items()} == {
        split: set(keys) for split, keys in other.items()
    }


def test_a_class_is_split_alike_whatever_other_classes_there_are() -> None:
    one = {f"a{index}": 0 for index in range(50)}
    two = one | {f"b{index}": 1 for index in range(20)}

    validation = stratified(two, HELD_OUT)["validation"]

    assert [key for key in validation if two[key] == 0] == stratified(one, HELD_OUT)["validation"]


def test_the_held_out_are_those_of_lowest_rank() -> None:
    labels = {f"{index:03d}": 0 for index in range(100)}

    splits = stratified(labels, HELD_OUT)

    ranked = sorted(labels, key=rank)
    assert set(splits["validation"]) == set(ranked[:10])
    assert set(splits["test"]) == set(ranked[10:30])


def test_a_rank_is_the_hash_of_salt_and_key() -> None:
    expected = hashlib.sha256(b"attention-harness split 1\ntulips/1.jpg")

    assert rank("tulips/1.jpg") == expected.digest()


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


def test_a_digest_tells_splits_apart_and_not_their_order() -> None:
    assert digest_of(["a", "b"]) == digest_of(["b", "a"])
    assert digest_of(["a", "b"]) != digest_of(["ab"]) != digest_of(["a,b"])
