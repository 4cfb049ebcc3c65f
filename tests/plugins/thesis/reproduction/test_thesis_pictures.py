"""The exhibits on the thesis' own pictures, with small models whose weights are random."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from PIL import Image

import harness
from harness.planning.progress import Progress
from harness.views.figures.style import COLUMN
from harness_plugins.thesis.reproduction import accuracy, attention, clusters, logits, profiles
from harness_plugins.thesis.reproduction.deviations import deviations, differs
from harness_plugins.thesis.reproduction.exhibits import EXHIBITS
from harness_plugins.thesis.reproduction.published import PICTURES
from harness_plugins.thesis.reproduction.study import (
    ALGORITHMS,
    MissingRequirementError,
    Study,
    extractor_of,
)
from harness_plugins.thesis.reproduction.verdicts import claims
from harness_plugins.thesis.vit.checkpoint import Checkpoint, Normalisation, save
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT
from support.runs import small_run

NAMES = ["Sunflower", "Tulips", "Rose 1", "Rose 2"]
CLASSES = ["daisy", "dandelion", "roses", "sunflowers", "tulips"]


def model(path: Path, heads: int) -> str:
    """A small model of flowers whose attention varies."""
    settings = ModelSettings(
        height=20, width=20, channels=3, patch=4, dimension=24, heads=heads, classes=5
    )
    torch.manual_seed(0)
    made = OneLayerViT(settings)
    with torch.no_grad():
        for weights in made.parameters():
            weights.mul_(2)
    save(path, Checkpoint(made, Normalisation(0.4, 0.25), {"classes": CLASSES}))
    return str(path)


def study_of(folder: Path, clustered: int = 8) -> Study:
    one, two = (model(folder / f"{heads}.safetensors", heads) for heads in (1, 2))
    return Study("flowers-sample", one, two, (), clustered, folder, 1, (), Progress())


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The thesis' pipeline at few levels, in this process."""
    folder = tmp_path_factory.mktemp("reproduction")
    made = study_of(folder)
    images, absolute = made.clustered_images(), "threshold[axis=absolute,self_loops=true,stop=0.5]"
    one_head, methods = extractor_of(made.checkpoint), ", ".join(ALGORITHMS.values())
    made.__dict__["thesis_run"] = small_run(
        folder / "thesis",
        images=images,
        extractors=one_head,
        graphs=absolute,
        clusterers=methods,
        selectors="stable-phase[beyond_noise=false]",
        controls="uniform-noise",
        levels=6,
    )
    made.__dict__["embedding_points"] = small_run(
        folder / "embedding",
        images=images,
        extractors=one_head,
        graphs=absolute,
        clusterers=f"{methods}, sdp[clusterer=kmeans], sdp[clusterer=dbscan]",
        levels=1,
    ).points()
    made.__dict__["heads_run"] = small_run(
        folder / "heads",
        images=made.clustered_images(most=2),
        extractors=extractor_of(made.many_heads),
        selectors="excess-modularity",
        controls="uniform-noise",
        nulls=3,
        levels=2,
    )
    return made


def test_the_thesis_pictures_are_shown_by_its_names_in_its_order(study: Study) -> None:
    table = clusters.images_shown(study).tables["images"]

    assert list(table["image"]) == NAMES
    assert list(table["key"]) == list(PICTURES)


def test_no_figure_is_wider_than_the_study_says(study: Study) -> None:
    narrow = replace(study, width=COLUMN)
    for name in ("thesis_run", "embedding_points", "heads_run"):
        narrow.__dict__[name] = study.__dict__[name]
    widths = {}
    for exhibit in EXHIBITS:
        with suppress(MissingRequirementError):
            for name, figure in exhibit.make(narrow).figures.items():
                widths[name] = figure.get_figwidth()

    assert len(widths) > 20
    assert {name: width for name, width in widths.items() if width > COLUMN + 1e-9} == {}


def test_other_images_keep_their_keys(study: Study) -> None:
    other = next(key for key in study.image_set.keys() if key not in PICTURES)

    assert study.called(other) == other


def test_unless_all_pictures_are_clustered_images_are_chosen_by_rule(tmp_path: Path) -> None:
    warned: list[str] = []

    class Recorded(Progress):
        def warn(self, text: str) -> None:
            warned.append(text)

    few = replace(study_of(tmp_path, clustered=5), progress=Recorded())
    few.check()

    assert few.pictures == {}
    assert warned == [
        "--clustered 5: the thesis' pictures are shown if at least 8 images are clustered"
    ]


def test_a_set_that_can_name_images_has_the_pictures_first_and_then_the_classes_in_turn(
    tmp_path: Path,
) -> None:
    for key in (*PICTURES, *(f"{name}/{number}.png" for name in CLASSES for number in range(20))):
        (tmp_path / key).parent.mkdir(exist_ok=True)
        Image.new("RGB", (5, 5)).save(tmp_path / key)
    images = replace(study_of(tmp_path), images=f"tf-flowers[path={tmp_path}]").clustered_images()

    keys = harness.image_set(images).keys()
    assert list(keys[:4]) == list(PICTURES)
    assert [key.partition("/")[0] for key in keys[4:6]] == ["daisy", "dandelion"]
    assert len(keys) == 8


def test_probabilities_stand_beside_the_thesis(study: Study) -> None:
    table = accuracy.class_probabilities(study).tables["table-4.2"]
    tulips = table[table["image"] == "Tulips"].set_index("by")

    assert list(table["image"]) == [name for name in NAMES for _ in range(2)]
    assert tulips.loc["thesis", "tulips"] == "92.33"
    assert sum(tulips.loc["here", CLASSES]) == pytest.approx(100, abs=0.03)


def test_confusions_are_shares_of_a_class_beside_the_thesis(study: Study) -> None:
    made = accuracy.confusion_matrix(study)
    counts = made.tables["figure-4.1"].set_index("true class")
    table = made.tables["figure-4.1-shares"].set_index(["true class", "taken for"])

    roses = counts.loc["roses"]
    assert table.loc[("roses", "roses"), "thesis"] == "35.94"
    assert table.loc[("roses", "roses"), "here"] == 100 * roses["roses"] / roses.sum()
    wrong = roses.sum() - roses["roses"]
    assert table.loc[("roses", "other classes"), "images"] == f"{wrong} of {roses.sum()}"


def test_the_query_is_the_thesis_patch_at_its_place_in_the_grid(study: Study) -> None:
    made = attention.heatmaps(study, 0, "figure-4.2")

    # Patch 50 is in row 3 and column 8 of 14; the grid here is 5×5.
    extractor = harness.extractor(extractor_of(study.many_heads))
    found = list(extractor.extract([study.image(0)]))
    table = made.tables["figure-4.2"]
    assert np.array_equal(table["head 1"], found[1].weights[1 * 5 + 3])
    assert made.subject == "Sunflower"


def test_without_a_patch_of_the_thesis_the_query_is_the_patch_attended_most(study: Study) -> None:
    made = attention.heatmaps(study, 2, "figure-4.4")

    assert made.remarks == ("The query is the patch with most incoming attention over all heads.",)


def test_selections_stand_beside_the_thesis_by_picture_and_algorithm(study: Study) -> None:
    table = profiles.chosen_thresholds(study).tables["table-4.3-images"]
    rows = table.set_index(["image", "algorithm"])

    assert len(table) == 12
    assert rows.loc[("Tulips", "Louvain"), "thesis' modularity"] == "0.612 (section 5.5: 0.527)"
    assert pandas.isna(rows.loc[("Sunflower", "SDP"), "thesis' modularity"])
    assert rows["modularity"].notna().all()


@pytest.mark.parametrize(("name", "picture", "algorithm"), [
    ("figure-A.1", "Tulips", "SDP"), ("figure-A.5", "Rose 2", "Louvain"),
])  # fmt: skip
def test_profiles_are_of_the_picture_and_algorithm_of_the_thesis(
    study: Study, name: str, picture: str, algorithm: str
) -> None:
    made = profiles.profiles_of_image(study, 0, name)

    assert made.subject == f"{picture}, {algorithm}"
    assert set(made.tables[name]["clusterer"]) == {ALGORITHMS[algorithm]}
    assert list(made.tables[f"{name}-selected"]["algorithm"]) == [algorithm]


def test_what_noise_reaches_stands_beside_the_thesis(study: Study) -> None:
    table = profiles.noise_alone(study).tables["figure-4.14-reached"].set_index("method")

    assert table.loc["thesis, Louvain", "highest modularity"] == ".175"
    here = table.drop(index="thesis, Louvain")
    assert (here["modularity"] <= here["highest modularity"]).all()


def test_logits_stand_under_those_of_the_thesis(study: Study) -> None:
    table = logits.logits_of_image(study, 0, "table-4.4").tables["table-4.4"]
    by = table.groupby("by", sort=False)["removed"].first()

    assert list(by.index) == ["thesis", "here"]
    assert set(by) == {"nothing"}
    assert table.loc[1, "removed"] == "cluster 3 (section 4.6: cluster 2)"
    assert table.loc[1, "sunflowers"] == "3.655"


def test_logits_are_dots_beside_those_of_the_thesis_and_of_random_patches(study: Study) -> None:
    made = logits.logits_of_image(study, 0, "table-4.4")

    panels = dict(zip(CLASSES, made.figures["table-4.4-logits"].axes, strict=True))
    rows = [text.get_text().replace("\n", " ") for text in panels["daisy"].get_yticklabels()]
    table = made.tables["table-4.4"]
    named = table["removed"].where(table["by"] == "here", "thesis: " + table["removed"])
    assert rows == named.tolist()
    for name, panel in panels.items():
        for by in ("thesis", "here"):
            dots = [line.get_xdata()[0] for line in panel.lines if line.get_label() == by]
            values = table[table["by"] == by][name].astype(float)
            assert dots == pytest.approx(values.tolist(), abs=1e-3)
    with_chance = [name for name, panel in panels.items() if len(panel.lines) > len(table) + 1]
    assert len(with_chance) == 1


def test_without_clusters_only_the_logits_of_the_whole_picture_stand_under_those_of_the_thesis(
    study: Study,
) -> None:
    made = logits.logits_of_image(study, 1, "table-4.5")
    here = made.tables["table-4.5"].query("by == 'here'")

    assert list(here["removed"]) == ["nothing"]
    assert made.figures == {}
    assert "accepted no level" in made.remarks[1]


def test_two_counts_are_those_of_tulips_beside_the_thesis_indices(study: Study) -> None:
    made = clusters.two_counts(study)

    assert made.subject == "Tulips"
    assert ".962 to .983" in made.remarks[1]
    assert ".966" in set(made.tables["figure-4.12-thesis"]["thesis"])


def test_deviations_name_the_pictures_and_the_models_of_the_study(study: Study) -> None:
    texts = deviations(study)

    assert "the four pictures that the thesis shows" in texts[0]
    assert any("reads 20×20 pixels in 5×5 patches" in text for text in texts)
    assert differs(study).startswith("The picture is the thesis'")


def test_every_claim_has_a_verdict_with_numbers_or_what_it_needs(study: Study) -> None:
    made = claims(study)

    assert [each.number for each in made.verdicts] == list(range(1, 14))
    assert all(each.numbers for each in made.verdicts)
    assert list(made.tables["claims"]["claim"]) == [each.claim for each in made.verdicts]


def test_claims_without_their_models_or_masks_are_not_tested(study: Study) -> None:
    verdicts = {each.number: each for each in claims(study).verdicts}

    assert verdicts[1].finding == "not tested"
    assert "--models" in verdicts[1].numbers
    assert verdicts[7].finding == "not tested"
    assert "--masks" in verdicts[7].numbers


def test_a_claim_holds_if_its_comparisons_are_significant_and_of_its_sign(study: Study) -> None:
    made = claims(study)
    rows = made.tables["claims-comparisons"]
    of_third = rows[rows["number"] == 3]
    holds = ((of_third["difference"] > 0) & (of_third["p"] <= 0.05)).all()

    (third,) = (each for each in made.verdicts if each.number == 3)
    assert third.finding == ("held" if holds else "not held")
