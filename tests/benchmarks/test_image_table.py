"""The table of images, against the run's own tables."""

import pandas
import pytest
from image_table import image_table

import harness
from support.runs import small_run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    return small_run(
        tmp_path_factory.mktemp("images") / "run",
        images="flowers-sample[count=4]",
        extractors="one-layer-vit",
        selectors="max-modularity,fixed[level=0]",
        controls="uniform-noise,permuted-rows",
        nulls=2,
    )


@pytest.fixture(scope="module")
def table(finished: harness.Run) -> pandas.DataFrame:
    images = finished.images()["image"]
    return image_table(finished, pandas.DataFrame({"image": images, "predicted": "roses"}))


def test_a_row_has_the_p_of_each_control(finished: harness.Run, table: pandas.DataFrame) -> None:
    theirs = finished.tests().set_index(["control", "image", "selector"])["p"]

    for control in finished.controls():
        ours = table.set_index(["image", "selector"])[f"{control} p"]
        assert ours.to_dict() == theirs.loc[control].to_dict()


def test_the_own_draw_is_the_one_that_was_made_from_the_image(
    finished: harness.Run, table: pandas.DataFrame
) -> None:
    points = finished.points().query("role == 'control' and control == 'uniform-noise'")
    largest = points.groupby("image")["modularity"].max()
    ours = table[table["selector"] == "max-modularity"].set_index("image")["uniform-noise own"]

    assert len(ours) == 4
    assert ours.to_dict() == pytest.approx(largest.to_dict())
