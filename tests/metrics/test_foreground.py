import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    fbeta_score,
    jaccard_score,
)

from harness.metrics.foreground import (
    Agreement,
    Objects,
    agreement,
    area_means,
    chance_agreement,
    largest_iou_unions,
    least_border_contact,
)
from harness.metrics.salience import order_by_salience

Labels = NDArray[np.int64]
GRID = ROWS, COLUMNS = 3, 4
# Pixels of a patch along each side.
SIDE = 2
Case = tuple[NDArray[np.bool_], tuple[int, int], tuple[Fraction, Fraction, Fraction, Fraction]]


@st.composite
def masked_grids(draw: st.DrawFn) -> Case:
    """A mask, a grid, and a region of the mask in quarters of pixels, which floats hold exactly."""
    shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    grid = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    first = [draw(st.integers(0, 4 * side - 1)) for side in shape]
    length = [draw(st.integers(1, 4 * side - at)) for side, at in zip(shape, first, strict=True)]
    top, left, height, width = (Fraction(quarters, 4) for quarters in first + length)
    return draw(arrays.arrays(np.bool_, shape)), grid, (top, left, height, width)


def overlap(first: Fraction, last: Fraction, pixel: int) -> Fraction:
    return max(Fraction(0), min(last, Fraction(pixel + 1)) - max(first, Fraction(pixel)))


@given(masked_grids())
def test_a_patchs_fraction_is_the_part_of_its_area_that_the_mask_covers(case: Case) -> None:
    mask, (rows, columns), region = case
    top, left, high, wide = region[0], region[1], region[2] / rows, region[3] / columns
    expected = [
        sum(
            (
                overlap(top + row * high, top + (row + 1) * high, y)
                * overlap(left + column * wide, left + (column + 1) * wide, x)
                for y, x in np.argwhere(mask).tolist()
            ),
            Fraction(0),
        )
        / (high * wide)
        for row in range(rows)
        for column in range(columns)
    ]
    place = (float(region[0]), float(region[1]), float(region[2]), float(region[3]))
    found = Objects.on(mask, (rows, columns), place)
    assert found.foreground == pytest.approx([float(share) for share in expected], abs=1e-12)
    # Exactly one half is foreground.
    assert found.patches.tolist() == [int(share >= Fraction(1, 2)) for share in expected]


def test_without_a_region_patches_are_of_the_whole_mask() -> None:
    mask = np.random.default_rng(0).random((7, 11)) < 0.5
    whole = (0.0, 0.0, 7.0, 11.0)

    assert np.array_equal(Objects.on(mask, (3, 4)).areas, Objects.on(mask, (3, 4), whole).areas)


def test_the_mean_of_whole_pixels_is_theirs_channel_by_channel() -> None:
    pixels = np.arange(4 * 6 * 3).reshape(4, 6, 3)
    means = area_means(pixels, (2, 3))
    assert means.shape == (2, 3, 3)
    np.testing.assert_allclose(means[1, 2], pixels[2:, 4:].mean(axis=(0, 1)))


def test_a_patch_has_the_label_of_the_largest_area_and_of_two_the_objects() -> None:
    mask = np.array([[0, 0, 5, 0, 2, 2, 5, 5], [0, 5, 5, 0, 5, 0, 2, 2]])

    found = Objects.on(mask, (1, 4))

    assert found.values.tolist() == [0, 2, 5]
    assert found.areas.tolist() == [
        [0.75, 0, 0.25], [0.5, 0, 0.5], [0.25, 0.5, 0.25], [0, 0.5, 0.5]
    ]  # fmt: skip
    assert found.patches.tolist() == [0, 5, 2, 2]
    assert found.foreground.tolist() == [0.25, 0.5, 0.75, 1]


def test_labels_outside_the_region_do_not_occur() -> None:
    mask = np.array([[3, 3, 0, 7], [3, 3, 0, 7]])

    assert Objects.on(mask, (1, 2), (0.0, 2.0, 2.0, 2.0)).values.tolist() == [0, 7]


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Labels, Labels, NDArray[np.float64]]:
    """Clusters of the patches, a mask of several objects, and attention."""
    patches = ROWS * COLUMNS
    labels = draw(arrays.arrays(np.int64, patches, elements=st.integers(-1, 3)))
    shape = ROWS * SIDE, COLUMNS * SIDE
    mask = draw(arrays.arrays(np.int64, shape, elements=st.integers(0, 2)))
    weights = np.random.default_rng(draw(st.integers(0, 99))).random((patches, patches))
    return labels, mask, weights


def defined(scene: tuple[Labels, Labels, NDArray[np.float64]]) -> bool:
    return not Objects.on(scene[1], GRID).why_undefined() and 0 in scene[1]


def enlarged(labels: Labels) -> Labels:
    """Each pixel's cluster, (height, width) in one row."""
    return np.kron(labels.reshape(GRID), np.ones((SIDE, SIDE), dtype=np.int64)).ravel()


def clusters(labels: Labels) -> list[int]:
    """The labels of clusters of two patches or more."""
    found, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return [int(each) for each in found[sizes > 1]]


@settings(max_examples=25)
@given(scenes().filter(defined))
def test_ari_and_ami_are_scikit_learns_with_the_unassigned_as_singletons(
    scene: tuple[Labels, Labels, NDArray[np.float64]],
) -> None:
    labels, mask, weights = scene
    objects = Objects.on(mask, GRID)
    alone = [label if label >= 0 else 100 + node for node, label in enumerate(labels.tolist())]

    found = agreement(labels, objects, weights)

    assert found.ari == pytest.approx(adjusted_rand_score(objects.patches, alone))
    assert found.ami == pytest.approx(adjusted_mutual_info_score(objects.patches, alone))


@settings(max_examples=25)
@given(scenes().filter(defined))
def test_sets_of_clusters_have_scikit_learns_figures_on_enlarged_pixels(
    scene: tuple[Labels, Labels, NDArray[np.float64]],
) -> None:
    labels, mask, weights = scene
    found = agreement(labels, Objects.on(mask, GRID), weights)
    pixels, foreground = enlarged(labels), mask.ravel() > 0

    def figures(chosen: tuple[int, ...]) -> tuple[float, float]:
        inside = np.isin(pixels, chosen)
        beta = math.sqrt(0.3)
        return (
            jaccard_score(foreground, inside, zero_division=0),
            fbeta_score(foreground, inside, beta=beta, zero_division=0),
        )

    def best(candidates: Iterator[tuple[int, ...]]) -> float:
        return max((figures(each)[0] for each in candidates), default=0.0)

    names = clusters(labels)
    assert found.best_iou == pytest.approx(best((each,) for each in names))
    unions = (
        chosen
        for size in range(1, len(names) + 1)
        for chosen in itertools.combinations(names, size)
    )
    assert found.union_iou == pytest.approx(best(unions))
    kept = np.where(np.isin(labels, names), labels, -1)
    border = tuple(least_border_contact(kept, GRID))
    assert (found.border_iou, found.border_f) == pytest.approx(figures(border))
    salient = tuple(each.label for each in order_by_salience(weights, kept)[:1])
    assert (found.salient_iou, found.salient_f) == pytest.approx(figures(salient))
    singles = [figures((each,)) for each in names] or [(0.0, 0.0)]
    assert found.best_f in [pytest.approx(f) for iou, f in singles if iou >= found.best_iou - 1e-12]


@settings(max_examples=25)
@given(scenes().filter(defined))
def test_the_mean_iou_is_that_of_the_best_of_all_assignments(
    scene: tuple[Labels, Labels, NDArray[np.float64]],
) -> None:
    labels, mask, weights = scene
    found = agreement(labels, Objects.on(mask, GRID), weights).mean_iou
    pixels, truth = enlarged(labels), mask.ravel()
    values = np.unique(truth).tolist()
    # Labels that stay without a cluster are assigned one that no pixel is in.
    names = [*clusters(labels), *range(100, 100 + len(values))]
    overlaps = {
        (value, name): jaccard_score(truth == value, pixels == name)
        for value, name in itertools.product(values, names)
    }
    assigned = max(
        itertools.permutations(names, len(values)),
        key=lambda chosen: sum(overlaps[pair] for pair in zip(values, chosen, strict=True)),
    )
    renamed = np.full(len(pixels), 50)
    for value, name in zip(values, assigned, strict=True):
        renamed[pixels == name] = value
    assert found == pytest.approx(
        jaccard_score(truth, renamed, labels=values, average="macro", zero_division=0)
    )


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(any), min_size=1, max_size=6),
    st.integers(0, 5),
)
def test_the_best_union_is_the_best_of_all(parts: list[tuple[int, int]], missed: int) -> None:
    foreground = missed + sum(inside for inside, _ in parts)

    def iou(chosen: tuple[int, ...]) -> Fraction:
        shared = sum(parts[each][0] for each in chosen)
        outside = sum(parts[each][1] for each in chosen)
        return Fraction(shared, foreground + outside) if foreground else Fraction(0)

    sizes = np.array([sum(each) for each in parts], dtype=np.int64)
    inside = np.array([each[0] for each in parts], dtype=np.float64)
    (found,) = largest_iou_unions(inside[None], sizes, float(foreground or 1))

    everything = range(len(parts))
    unions = (each for size in everything for each in itertools.combinations(everything, size + 1))
    assert iou(tuple(found.tolist())) == max(map(iou, unions), default=Fraction(0))


def disc() -> tuple[Labels, Objects, NDArray[np.float64]]:
    """Two clusters that are an object and its surroundings."""
    mask = np.zeros((6, 8), dtype=np.int64)
    mask[2:4, 2:6] = 1
    objects = Objects.on(mask, GRID)
    return objects.patches + 4, objects, np.full((12, 12), 1 / 12)


def test_clusters_that_are_the_objects_agree_wholly() -> None:
    labels, objects, weights = disc()
    weights[:, labels == 5] = 1.0

    found = agreement(labels, objects, weights)

    assert found == Agreement(*[pytest.approx(1.0)] * 11)


@pytest.mark.parametrize("label", [-1, 0])
def test_clusters_that_say_nothing_have_no_adjusted_agreement(label: int) -> None:
    _, objects, weights = disc()

    found = agreement(np.full(12, label), objects, weights)

    assert (found.ari, found.ami) == (pytest.approx(0), pytest.approx(0))
    assert found.union_iou == pytest.approx(0 if label < 0 else 2 / 12)
    assert found.mean_iou == pytest.approx(0 if label < 0 else 10 / 12 / 2)


def test_without_background_only_figures_of_several_objects_are_defined() -> None:
    mask = np.repeat([1, 2], [3, 3])[:, None] * np.ones((6, 8), dtype=np.int64)
    objects = Objects.on(mask, (2, 4))

    found = agreement(np.arange(8) // 4, objects, np.ones((8, 8)))

    assert (found.ari, found.ami, found.mean_iou) == (1.0, 1.0, 1.0)
    assert (found.best_iou, found.union_f, found.border_iou, found.salient_f) == (None,) * 4
    assert chance_agreement(np.arange(8) // 4, objects, np.ones((8, 8))).union_iou is None


@pytest.mark.parametrize(
    ("value", "reason"), [(0, "no patch is foreground"), (3, "all patches are one object")]
)
def test_with_patches_of_one_label_agreement_is_undefined(value: int, reason: str) -> None:
    assert Objects.on(np.full((4, 4), value), (2, 2)).why_undefined() == reason


def test_chance_is_the_mean_over_permutations() -> None:
    objects = Objects.on(np.array([[0, 1, 1, 0, 2]]), (1, 5))
    labels = np.array([0, 0, 1, 1, -1])
    weights = np.random.default_rng(0).random((5, 5))

    drawn = [
        agreement(np.array(each), objects, weights)
        for each in itertools.permutations(labels.tolist())
    ]

    found = chance_agreement(labels, objects, weights)
    for name in ("mean_iou", "best_iou", "union_f", "border_iou", "salient_iou"):
        every = np.array([getattr(each, name) for each in drawn])
        # A hundred of these, with replacement.
        assert abs(getattr(found, name) - every.mean()) < 4 * every.std() / 10
    # These expect 0 exactly.
    for name in ("ari", "ami"):
        assert getattr(found, name) == 0
        assert np.mean([getattr(each, name) for each in drawn]) == pytest.approx(0, abs=1e-12)


def test_chance_is_reproducible() -> None:
    assert chance_agreement(*disc()) == chance_agreement(*disc())


@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
        lambda grid: st.tuples(
            st.just(grid),
            arrays.arrays(np.int64, grid[0] * grid[1], elements=st.integers(-1, 6)),
        )
    )
)
def test_the_cluster_that_touches_the_border_least_is_found_as_with_fractions(
    case: tuple[tuple[int, int], Labels],
) -> None:
    (rows, columns), labels = case
    edge = [
        at // columns in (0, rows - 1) or at % columns in (0, columns - 1)
        for at in range(len(labels))
    ]

    def contact(label: int) -> tuple[Fraction, int, int]:
        of = [touches for each, touches in zip(labels, edge, strict=True) if each == label]
        return Fraction(sum(of) ** 2, len(of)), -len(of), label

    named = set(labels.tolist()) - {-1}
    found = least_border_contact(labels, (rows, columns))
    assert found == sorted(named, key=contact)[:1]


def test_contact_with_the_border_is_relative_to_the_root_of_the_size() -> None:
    # Contacts: 6 / √12 and 4 / √4.
    labels = np.array([[0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [-1, -1, -1, -1, 1]])

    assert least_border_contact(labels.ravel(), (4, 5)) == [0]


def test_of_clusters_that_do_not_touch_the_border_the_largest_is_picked() -> None:
    labels = np.full((5, 6), 0)
    labels[1:4, 1:3] = 2
    labels[1:4, 3] = 1

    assert least_border_contact(labels.ravel(), (5, 6)) == [2]


def test_without_clusters_none_is_picked() -> None:
    assert least_border_contact(np.full(4, -1), (2, 2)) == []
