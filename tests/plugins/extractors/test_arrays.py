from pathlib import Path

import numpy as np
import pytest

import harness


def arrays(path: Path, more: str = "") -> harness.MapSet:
    made: harness.MapSet = harness.make("extractor", f"arrays[path={path}{more}]")
    return made


def test_one_matrix_is_one_map(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).random((5, 5))
    np.save(tmp_path / "a.npy", weights)

    maps = arrays(tmp_path / "a.npy")

    assert list(maps.keys()) == ["a"]
    assert (maps.load("a").weights == weights).all()
    assert maps.load("a").image == "a"
    assert maps.load("a").grid is None


def test_a_stack_is_a_map_each(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).random((3, 4, 4)).astype(np.float32)
    np.save(tmp_path / "a.npy", weights)

    maps = arrays(tmp_path / "a.npy")

    assert list(maps.keys()) == ["a[0]", "a[1]", "a[2]"]
    assert (maps.load("a[2]").weights == weights[2]).all()
    assert maps.load("a[2]").weights.dtype == np.float32


def test_a_grid_is_taken_from_the_user_and_checked(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((6, 6)))

    assert arrays(tmp_path, ",grid=[2,3]").load("a").grid == (2, 3)
    with pytest.raises(harness.HarnessError, match="a: a grid of 2×2 does not hold 6 nodes"):
        arrays(tmp_path, ",grid=[2,2]").load("a")
    with pytest.raises(harness.HarnessError, match="at least 1×1 patches, not -2×-3"):
        arrays(tmp_path, ",grid=[-2,-3]")


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.ones((2, 2), dtype=int), "a: attention weights must be floating point, not int64"),
        (np.ones((2, 2), dtype=bool), "a: .* floating point, not bool; save as float32"),
        (np.ones((2, 2), dtype=complex), "a: .* floating point, not complex128"),
        (np.ones((2, 3)), r"a: its shape is \(2, 3\), not \(n, n\)"),
        (np.ones(4), r"a: its shape is \(4,\)"),
        (np.ones(()), r"a: its shape is \(\)"),
        (np.ones((0, 2, 2)), r"a: its shape is \(0, 2, 2\)"),
        (np.ones((2, 3, 4)), r"a: its shape is \(2, 3, 4\)"),
        (np.ones((1, 1, 2, 2)), r"a: its shape is \(1, 1, 2, 2\); name .* axes=\[layers,heads\], "),
        (np.ones((1, 1, 1, 1, 2, 2)), r"a: its shape is \(1, 1, 1, 1, 2, 2\), .* up to three axes"),
        (np.array([[{}]], dtype=object), "a: not an .npy file of numbers: .* unpickled"),
    ],
)
def test_what_is_no_attention_is_listed_and_refused_by_name(
    tmp_path: Path, array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]", reason: str
) -> None:
    np.save(tmp_path / "a.npy", array)
    np.save(tmp_path / "b.npy", np.ones((2, 2)))
    maps = arrays(tmp_path)

    assert list(maps.keys()) == ["a", "b"]
    with pytest.raises(harness.HarnessError, match=reason):
        maps.load("a")


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.array([[0.0, np.nan], [0.0, 0.0]]), r"a: .*\[0, 1\] is nan"),
        (np.array([[0.0, 0.0], [-1.0, 0.0]]), r"a: .*\[1, 0\] is -1"),
    ],
)
def test_invalid_weights_are_refused_with_their_position(
    tmp_path: Path, array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]", reason: str
) -> None:
    np.save(tmp_path / "a.npy", array)

    with pytest.raises(harness.HarnessError, match=reason):
        arrays(tmp_path).load("a")


def test_where_no_array_can_be_used_the_set_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((2, 2), dtype=int))
    np.save(tmp_path / "b.npy", np.ones(2))

    with pytest.raises(harness.HarnessError, match=r"^a: .* not int64; .* \(1 more refused\)"):
        arrays(tmp_path).keys()


def test_one_bad_map_in_a_stack_costs_itself_only(tmp_path: Path) -> None:
    weights = np.ones((2, 3, 3))
    weights[1, 0, 0] = np.inf
    np.save(tmp_path / "a.npy", weights)

    assert arrays(tmp_path).load("a[0]").n == 3
    with pytest.raises(harness.HarnessError, match=r"a\[1\]: .*\[0, 0\] is inf"):
        arrays(tmp_path).load("a[1]")


def test_two_maps_of_one_name_are_refused_rather_than_one_of_them_lost(tmp_path: Path) -> None:
    for name in ("a.npy", "a.NPY"):
        with (tmp_path / name).open("wb") as file:
            np.save(file, np.ones((2, 2)))

    with pytest.raises(harness.HarnessError, match=r"have the name a, in a\.NPY and in a\.npy"):
        arrays(tmp_path).keys()


ATTENTION = np.random.default_rng(1).dirichlet(np.ones(5), size=(2, 3, 4, 5))
"""Two images, three layers, four heads, five tokens; rows sum to one."""


def places(maps: harness.MapSet) -> list[tuple[str, int, int]]:
    loaded = [maps.load(key) for key in maps.keys()]
    assert [maps.locate(key) for key in maps.keys()] == [
        (one.image, one.head_index) for one in loaded
    ]
    return [(one.image, one.layer, one.head) for one in loaded]


def test_images_layers_and_heads_give_a_map_each(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ATTENTION)
    maps = arrays(tmp_path / "a.npy")

    assert places(maps) == [
        (f"a[{image}]", layer, head) for image, layer, head in np.ndindex(2, 3, 4)
    ]
    assert maps.keys()[-1] == "a[1] layer 2 head 3"
    assert (maps.load("a[1] layer 0 head 2").weights == ATTENTION[1, 0, 2]).all()


@pytest.mark.parametrize(
    ("array", "axes", "first", "last"),
    [
        (ATTENTION[0], "[layers,heads]", "a layer 0 head 0", "a layer 2 head 3"),
        (ATTENTION[:, 0], "[images,heads]", "a[0] head 0", "a[1] head 3"),
        (ATTENTION[:, :, 0], "[images,layers]", "a[0] layer 0", "a[1] layer 2"),
        (ATTENTION[:, 0].swapaxes(0, 1), "[heads,images]", "a[0] head 0", "a[1] head 3"),
        (ATTENTION[0, 0], "heads", "a head 0", "a head 3"),
        (ATTENTION[0, :, 0], "layers", "a layer 0", "a layer 2"),
        (ATTENTION[:, 0, 0], "images", "a[0]", "a[1]"),
        (
            ATTENTION.swapaxes(0, 1),
            "[layers,images,heads]",
            "a[0] layer 0 head 0",
            "a[1] layer 2 head 3",
        ),
    ],
)
def test_axes_say_what_comes_before_a_maps_own(
    tmp_path: Path,
    array: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
    axes: str,
    first: str,
    last: str,
) -> None:
    np.save(tmp_path / "a.npy", array)
    maps = arrays(tmp_path / "a.npy", f",axes={axes}")
    keys = maps.keys()

    assert (keys[0], keys[-1]) == (first, last)
    assert len(keys) == array[..., 0, 0].size
    assert (maps.load(last).weights == array[(-1,) * (array.ndim - 2)]).all()


@pytest.mark.parametrize(
    ("shape", "more", "reason"),
    [
        ((2, 3, 4, 4), ",axes=heads", r"2 axes before a map's own; axes names 1"),
        ((4, 4), ",axes=heads", r"0 axes before a map's own; axes names 1"),
        ((2, 2, 2, 4, 4), ",axes=[layers,heads]", "3 axes before a map's own; axes names 2"),
        ((2, 4, 4), ",axes=[]", "1 axes before a map's own; axes names 0"),
        ((2, 4, 4), ",axes=[heads,heads]", "axes heads, heads names one twice"),
        ((2, 4, 4), ",axes=rows", "takes one of images, layers, heads, not 'rows'"),
        ((2, 4, 4), ",layers=1", r"a: there is no layer 1; there are 0 … 0"),
        ((2, 4, 4), ",axes=heads,heads=0-2", r"a: there is no head 2; there are 0 … 1"),
        ((2, 4, 4), ",heads=first", "heads takes numbers from 0, ranges"),
        ((2, 4, 4), ",rollout=true", r"shape is \(2, 4, 4\), without layers to roll out"),
        ((2, 4, 4), ",axes=layers,layers=mean,rollout=true", "rollout cannot be combined"),
        ((2, 4, 4), ",prefix_tokens=4", "prefix_tokens=4 leaves no node"),
        ((2, 4, 4), ",prefix=drop", "needs prefix_tokens, the number"),
        ((2, 4, 4), ",prefix_tokens=-1", "prefix_tokens must be at least 0, not -1"),
    ],
)
def test_choices_that_an_array_does_not_have_are_refused_with_those_it_has(
    tmp_path: Path, shape: tuple[int, ...], more: str, reason: str
) -> None:
    np.save(tmp_path / "a.npy", np.ones(shape))

    with pytest.raises(harness.HarnessError, match=reason):
        arrays(tmp_path / "a.npy", more).keys()


def test_layers_and_heads_are_chosen_by_number(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ATTENTION)

    chosen = arrays(tmp_path / "a.npy", ",layers=last,heads=[0,2-3]")

    assert places(chosen) == [(f"a[{image}]", 2, head) for image in (0, 1) for head in (0, 2, 3)]


@pytest.mark.parametrize(
    ("more", "key", "expected"),
    [
        (",heads=mean", "a[1] layer 2", ATTENTION[1, 2].mean(axis=0)),
        (",heads=[mean,1,3]", "a[1] layer 2", ATTENTION[1, 2, [1, 3]].mean(axis=0)),
        (",layers=mean", "a[1] head 3", ATTENTION[1, :, 3].mean(axis=0)),
        (",layers=mean,heads=mean", "a[1]", ATTENTION[1].mean(axis=(0, 1))),
    ],
)
def test_a_mean_stands_for_the_maps_it_is_of(
    tmp_path: Path,
    more: str,
    key: str,
    expected: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
) -> None:
    np.save(tmp_path / "a.npy", ATTENTION)
    maps = arrays(tmp_path / "a.npy", more)

    assert maps.keys()[-1] == key
    assert maps.load(key).weights == pytest.approx(expected)


def test_rollout_multiplies_the_layers_up_to_each_with_the_mean_head(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ATTENTION)
    maps = arrays(tmp_path / "a.npy", ",rollout=true,layers=[0,2]")
    first, second, third = (ATTENTION[1].mean(axis=1) + np.eye(5)) / 2

    assert places(maps) == [(f"a[{image}]", layer, 0) for image in (0, 1) for layer in (0, 2)]
    assert maps.load("a[1] layer 0").weights == pytest.approx(first)
    assert maps.load("a[1] layer 2").weights == pytest.approx(third @ second @ first)


def test_rollout_refuses_attention_from_which_tokens_are_missing(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ATTENTION[..., 1:, 1:])

    with pytest.raises(harness.HarnessError, match=r"a\[1\] layer 2: rollout needs .* all tokens"):
        arrays(tmp_path / "a.npy", ",rollout=true").load("a[1] layer 2")


def test_an_error_in_a_mean_names_layer_head_row_and_column(tmp_path: Path) -> None:
    weights = ATTENTION.copy()
    weights[1, 2, 3, 4, 0] = np.nan
    np.save(tmp_path / "a.npy", weights)

    with pytest.raises(harness.HarnessError, match=r"a\[1\]: layer 2 head 3: .*\[4, 0\] is nan"):
        arrays(tmp_path / "a.npy", ",layers=mean,heads=mean").load("a[1]")
    with pytest.raises(
        harness.HarnessError, match=r"a\[1\] layer 2 head 3: atten.*\[4, 0\] is nan"
    ):
        arrays(tmp_path / "a.npy").load("a[1] layer 2 head 3")


def test_prefix_tokens_are_taken_out_and_rows_renormalised_or_left(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ATTENTION)
    patches = ATTENTION[0, 0, 0, 1:, 1:]

    def first(more: str) -> harness.AttentionMap:
        return arrays(tmp_path / "a.npy", f",grid=[2,2],prefix_tokens=1{more}").load(
            "a[0] layer 0 head 0"
        )

    assert first("").weights == pytest.approx(patches / patches.sum(axis=1, keepdims=True))
    assert (first(",prefix=drop").weights == patches).all()


def test_rollout_comes_before_prefix_tokens_are_taken_out(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ATTENTION)
    key = "a[0] layer 2"

    rolled = arrays(tmp_path / "a.npy", ",rollout=true").load(key).weights
    patches = arrays(tmp_path / "a.npy", ",rollout=true,prefix_tokens=1,prefix=drop").load(key)

    assert (patches.weights == rolled[1:, 1:]).all()


def test_a_folder_may_hold_arrays_of_several_sizes(tmp_path: Path) -> None:
    np.save(tmp_path / "long.npy", np.ones((2, 1, 2, 7, 7)))
    np.save(tmp_path / "short.npy", np.ones((3, 3)))

    assert places(arrays(tmp_path)) == [
        ("long[0]", 0, 0), ("long[0]", 0, 1), ("long[1]", 0, 0), ("long[1]", 0, 1), ("short", 0, 0)
    ]  # fmt: skip
