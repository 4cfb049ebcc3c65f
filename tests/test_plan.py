from dataclasses import replace

import pytest

from harness import registry
from harness.plan import (
    Plan,
    Survey,
    SurveyedExtractor,
    SurveyedImage,
    SurveyedMap,
    make_plan,
    split_extractors,
)
from harness.settings import Settings
from harness.values import Slot

SETTINGS = Settings(
    images=("noise",),
    extractors=("one-layer-vit",),
    graphs=("threshold",),
    clusterers=("louvain", "infomap"),
    selectors=("stable-phase",),
    controls=("uniform-noise",),
    levels=8,
    repeats=1,
    draws=1,
    resolution=1.0,
    seed=0,
)
IMAGES = tuple(
    SurveyedImage("noise", f"image-{number}", f"digest-{number}", 28, 28, 1) for number in range(3)
)
SURVEY = Survey(IMAGES, (SurveyedExtractor("one-layer-vit", (Slot(0, 0),), "weights"),), ())


@pytest.fixture(scope="module")
def plugins() -> registry.Registry:
    return registry.load()


def keys(plan: Plan) -> dict[tuple[str, str, str], tuple[str, int]]:
    return {
        (cell.map.image, cell.map.variant.role, cell.clusterer): (cell.key, cell.seed)
        for cell in plan.cells()
    }


def test_every_image_has_a_control_and_every_map_every_clusterer(
    plugins: registry.Registry,
) -> None:
    plan = make_plan(SETTINGS, SURVEY, plugins)

    assert len(plan.maps) == 3 * 2
    assert len({cell.key for cell in plan.cells()}) == len(list(plan.cells())) == 3 * 2 * 2


def test_keys_and_seeds_do_not_depend_on_the_order_of_images_or_clusterers(
    plugins: registry.Registry,
) -> None:
    turned = replace(SURVEY, images=IMAGES[::-1])
    settings = replace(SETTINGS, clusterers=SETTINGS.clusterers[::-1])

    assert keys(make_plan(settings, turned, plugins)) == keys(make_plan(SETTINGS, SURVEY, plugins))


def test_seeds_do_not_depend_on_levels_or_parameters(plugins: registry.Registry) -> None:
    other = replace(SETTINGS, levels=9, clusterers=("louvain[resolution=2.0]", "infomap[trials=3]"))

    seeds = [cell.seed for cell in make_plan(SETTINGS, SURVEY, plugins).cells()]
    assert seeds == [cell.seed for cell in make_plan(other, SURVEY, plugins).cells()]


@pytest.mark.parametrize(
    "change",
    [
        {"levels": 9},
        {"seed": 1},
        {"resolution": 0.5},
        {"clusterers": ("louvain[resolution=2.0]", "infomap[trials=3]")},
        {"graphs": ("threshold[self_loops=true]",)},
    ],
)
def test_whatever_changes_a_result_changes_every_key(
    plugins: registry.Registry, change: dict[str, object]
) -> None:
    changed = make_plan(replace(SETTINGS, **change), SURVEY, plugins)  # type: ignore[arg-type]
    plan = make_plan(SETTINGS, SURVEY, plugins)

    assert not {cell.key for cell in plan.cells()} & {cell.key for cell in changed.cells()}


def test_other_weights_give_other_keys(plugins: registry.Registry) -> None:
    other = replace(SURVEY, extractors=(SurveyedExtractor("one-layer-vit", (Slot(0, 0),), "new"),))

    first, second = make_plan(SETTINGS, SURVEY, plugins), make_plan(SETTINGS, other, plugins)
    assert not {cell.key for cell in first.cells()} & {cell.key for cell in second.cells()}


def test_images_of_equal_pixels_share_their_cells(plugins: registry.Registry) -> None:
    twin = replace(IMAGES[0], key="twin")
    plan = make_plan(SETTINGS, replace(SURVEY, images=(*IMAGES, twin)), plugins)

    assert len(list(plan.cells())) == 16
    assert len({cell.key for cell in plan.cells()}) == 12


def test_an_unreadable_image_keeps_its_place_with_its_reason(plugins: registry.Registry) -> None:
    broken = SurveyedImage("noise", "image-1", reason="image-1: truncated")
    plan = make_plan(SETTINGS, replace(SURVEY, images=(IMAGES[0], broken)), plugins)

    assert [cell.map.reason for cell in plan.cells()] == [""] * 4 + ["image-1: truncated"] * 4


def test_repeats_differ_in_seed_and_key_only(plugins: registry.Registry) -> None:
    plan = make_plan(replace(SETTINGS, repeats=3), SURVEY, plugins)
    of_one = [
        cell for cell in plan.cells() if cell.map == plan.maps[0] and cell.clusterer == "louvain"
    ]

    assert len({cell.seed for cell in of_one}) == len({cell.key for cell in of_one}) == 3


def test_stored_maps_take_map_controls_only(plugins: registry.Registry) -> None:
    settings = replace(SETTINGS, controls=("uniform-noise", "permuted-rows"), draws=2)
    survey = Survey((), (), (SurveyedMap("arrays[path=a.npy]", "a", "a", digest="d"),))

    plan = make_plan(settings, survey, plugins)

    assert [planned.variant.name for planned in plan.maps] == ["", "permuted-rows", "permuted-rows"]
    observed, *controls = plan.maps
    assert all(control.drawn_from == observed.key for control in controls)
    assert len({control.seed for control in controls}) == 2


def test_extractors_and_map_sets_are_told_apart(plugins: registry.Registry) -> None:
    settings = replace(SETTINGS, extractors=("arrays[path=a.npy]", "one-layer-vit"))

    assert split_extractors(settings, plugins) == (("one-layer-vit",), ("arrays[path=a.npy]",))
