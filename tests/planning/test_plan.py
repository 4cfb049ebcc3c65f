from collections import Counter
from dataclasses import replace

import pytest

from harness.planning.plan import Plan, PlannedMap, expected_code, make_plan, split_extractors
from harness.planning.settings import Pooling, Settings
from harness.planning.survey import (
    MapRecord,
    Survey,
    SurveyedExtractor,
    SurveyedImage,
    SurveyedMap,
)
from harness.plugin import registry
from harness.plugin.values import FIRST_HEAD, HeadIndex

SETTINGS = Settings(
    images=("noise",),
    extractors=("one-layer-vit",),
    graphs=("threshold",),
    clusterers=("louvain", "infomap"),
    selectors=("stable-phase",),
    controls=("uniform-noise",),
    perturbations=(),
    levels=8,
    repeats=1,
    nulls=3,
    pooling="group",
    stability_draws=2,
    rescore=False,
    resolution=1.0,
    seed=0,
)
IMAGES = tuple(
    SurveyedImage("noise", f"image-{number}", f"digest-{number}", 28, 28, 1) for number in range(3)
)
SURVEY = Survey(IMAGES, (SurveyedExtractor("one-layer-vit", (HeadIndex(0, 0),), "weights"),), ())


@pytest.fixture(scope="module")
def plugins() -> registry.Registry:
    return registry.load()


def planned(settings: Settings, survey: Survey, plugins: registry.Registry) -> Plan:
    return make_plan(settings, survey, plugins, expected_code(settings, plugins))


def keys(plan: Plan) -> dict[tuple[str, str, str], tuple[str, int]]:
    return {
        (cell.map.image, cell.map.variant.role, cell.clusterer): (cell.key, cell.seed)
        for cell in plan.cells()
    }


def test_every_image_has_a_control_and_every_map_every_clusterer(
    plugins: registry.Registry,
) -> None:
    plan = planned(SETTINGS, SURVEY, plugins)

    assert len(plan.maps) == 3 * 2
    assert len({cell.key for cell in plan.cells()}) == len(list(plan.cells())) == 3 * 2 * 2


def test_keys_and_seeds_do_not_depend_on_the_order_of_images_or_clusterers(
    plugins: registry.Registry,
) -> None:
    turned = replace(SURVEY, images=IMAGES[::-1])
    settings = replace(SETTINGS, clusterers=SETTINGS.clusterers[::-1])

    assert keys(planned(settings, turned, plugins)) == keys(planned(SETTINGS, SURVEY, plugins))


def test_seeds_do_not_depend_on_levels_or_parameters(plugins: registry.Registry) -> None:
    other = replace(SETTINGS, levels=9, clusterers=("louvain[resolution=2.0]", "infomap[trials=3]"))

    seeds = [cell.seed for cell in planned(SETTINGS, SURVEY, plugins).cells()]
    assert seeds == [cell.seed for cell in planned(other, SURVEY, plugins).cells()]


@pytest.mark.parametrize(
    "change",
    [
        {"levels": 9},
        {"seed": 1},
        {"resolution": 0.5},
        {"rescore": True},
        {"clusterers": ("louvain[resolution=2.0]", "infomap[trials=3]")},
        {"graphs": ("threshold[self_loops=true]",)},
    ],
)
def test_whatever_changes_a_result_changes_every_key(
    plugins: registry.Registry, change: dict[str, object]
) -> None:
    changed = planned(replace(SETTINGS, **change), SURVEY, plugins)  # type: ignore[arg-type]
    plan = planned(SETTINGS, SURVEY, plugins)

    assert not {cell.key for cell in plan.cells()} & {cell.key for cell in changed.cells()}


def test_other_weights_give_other_keys(plugins: registry.Registry) -> None:
    other = replace(
        SURVEY, extractors=(SurveyedExtractor("one-layer-vit", (HeadIndex(0, 0),), "new"),)
    )

    first, second = planned(SETTINGS, SURVEY, plugins), planned(SETTINGS, other, plugins)
    assert not {cell.key for cell in first.cells()} & {cell.key for cell in second.cells()}


def test_images_of_equal_pixels_share_their_cells(plugins: registry.Registry) -> None:
    twin = replace(IMAGES[0], key="twin")
    plan = planned(SETTINGS, replace(SURVEY, images=(*IMAGES, twin)), plugins)

    assert len(list(plan.cells())) == 16
    assert len({cell.key for cell in plan.cells()}) == 12


def test_an_unreadable_image_stays_in_the_list_with_its_reason(plugins: registry.Registry) -> None:
    broken = SurveyedImage("noise", "image-1", reason="image-1: truncated")
    plan = planned(replace(SETTINGS, nulls=1), replace(SURVEY, images=(IMAGES[0], broken)), plugins)

    reasons = [cell.map.reason for cell in plan.cells()]
    assert sorted(reasons) == [""] * 4 + ["image-1: truncated"] * 2


def test_all_observed_maps_come_before_their_controls(plugins: registry.Registry) -> None:
    roles = [cell.map.variant.role for cell in planned(SETTINGS, SURVEY, plugins).cells()]

    assert roles == sorted(roles, key=["observed", "control"].index)


def test_repeats_differ_in_seed_and_key_only(plugins: registry.Registry) -> None:
    plan = planned(replace(SETTINGS, repeats=3), SURVEY, plugins)
    of_one = [
        cell for cell in plan.cells() if cell.map == plan.maps[0] and cell.clusterer == "louvain"
    ]

    assert len({cell.seed for cell in of_one}) == len({cell.key for cell in of_one}) == 3


def test_stored_maps_take_map_controls_only(plugins: registry.Registry) -> None:
    settings = replace(SETTINGS, controls=("uniform-noise", "permuted-rows"), nulls=2)
    survey = Survey(
        (), (), (SurveyedMap("arrays[path=a.npy]", "a", FIRST_HEAD, MapRecord("a", "d")),)
    )

    plan = planned(settings, survey, plugins)

    assert [planned.variant.name for planned in plan.maps] == ["", "permuted-rows", "permuted-rows"]
    observed, *controls = plan.maps
    assert all(control.drawn_from == observed.key for control in controls)
    assert len({control.seed for control in controls}) == 2


def test_extractors_and_map_sets_are_separated(plugins: registry.Registry) -> None:
    settings = replace(SETTINGS, extractors=("arrays[path=a.npy]", "one-layer-vit"))

    assert split_extractors(settings, plugins) == (("one-layer-vit",), ("arrays[path=a.npy]",))


def controls_of(plan: Plan) -> list[PlannedMap]:
    return [planned for planned in plan.maps if planned.variant.role == "control"]


@pytest.mark.parametrize(
    ("nulls", "pooling", "drawn"),
    [(1, "group", 3), (4, "group", 6), (39, "group", 39), (40, "group", 42), (5, "image", 15)],
)
def test_a_group_or_an_image_gets_as_many_nulls_as_are_asked_for(
    plugins: registry.Registry, nulls: int, pooling: Pooling, drawn: int
) -> None:
    plan = planned(replace(SETTINGS, nulls=nulls, pooling=pooling), SURVEY, plugins)

    assert len(controls_of(plan)) == drawn


@pytest.mark.parametrize(("nulls", "drawn"), [(39, 199), (199, 199), (250, 250), (700, 700)])
def test_a_large_group_gets_no_more_nulls_than_selections_are_tested_against(
    plugins: registry.Registry, nulls: int, drawn: int
) -> None:
    many = tuple(replace(IMAGES[0], key=f"{i}", digest=f"digest-{i}") for i in range(300))
    plan = planned(replace(SETTINGS, nulls=nulls), replace(SURVEY, images=many), plugins)

    controls = controls_of(plan)
    assert len(controls) == len({control.key for control in controls}) == drawn
    of_image = Counter({image.key: 0 for image in many})
    of_image.update(control.image for control in controls)
    assert max(of_image.values()) - min(of_image.values()) <= 1


def test_more_nulls_leave_those_that_are_there_as_they_are(plugins: registry.Registry) -> None:
    few = controls_of(planned(SETTINGS, SURVEY, plugins))
    many = controls_of(planned(replace(SETTINGS, nulls=30), SURVEY, plugins))

    assert {control.key for control in few} < {control.key for control in many}


PERTURBED = replace(SETTINGS, perturbations=("seeds", "log-jitter"))


def test_every_selected_level_is_perturbed_in_every_way(plugins: registry.Registry) -> None:
    plan = planned(PERTURBED, SURVEY, plugins)
    cells_of = [cell for cell in plan.cells() if cell.clusterer == "louvain"]
    observed = cells_of[0].key
    noise = next(cell.key for cell in cells_of if cell.map.variant.role == "control")

    cells = list(plan.perturbed_cells({observed: [2, 5], noise: [1]}))

    assert [(cell.point, cell.map.variant.name) for cell in cells] == [
        (2, "seeds"),
        (2, "log-jitter"),
        (5, "seeds"),
        (5, "log-jitter"),
    ]
    assert len({cell.key for cell in cells}) == 4
    assert all(cell.map.observed == cell.map.key == plan.maps[0].key for cell in cells)


def test_no_more_cells_are_perturbed_than_were_announced(plugins: registry.Registry) -> None:
    plan = planned(PERTURBED, SURVEY, plugins)
    everywhere = {cell.key: [0] for cell in plan.cells()}

    assert len(list(plan.perturbed_cells(everywhere))) == sum(
        count for _, count in plan.perturbable()
    )


def test_other_draws_of_a_perturbation_give_other_keys(plugins: registry.Registry) -> None:
    def keys_with(draws: int) -> set[str]:
        plan = planned(replace(PERTURBED, stability_draws=draws), SURVEY, plugins)
        return {cell.key for cell in plan.perturbed_cells({cell.key: [0] for cell in plan.cells()})}

    assert not keys_with(2) & keys_with(3)
