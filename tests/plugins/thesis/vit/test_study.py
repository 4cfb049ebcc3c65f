import json
from pathlib import Path

import pytest

import harness
from harness_plugins.thesis.vit.study import (
    check_settings,
    read_size,
    read_study,
    settings_of,
    training,
)
from harness_plugins.thesis.vit.training import RECIPES

STUDY = """
images = "stripes"
patch = 4
seed = [0, 1]

[[variant]]
heads = [1, 2]

[[variant]]
attention = false
mlp = [true, false]

[[variant]]
recipe = "thesis"
epochs = 3
"""


def study(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_combination_is_a_training_named_by_the_settings_that_differ(tmp_path: Path) -> None:
    found = read_study(study(tmp_path, STUDY))

    assert [name for name in found if name.endswith("seed-1")] == [
        "1-head_recipe-modern_seed-1",
        "2-heads_recipe-modern_seed-1",
        "no-attention_recipe-modern_seed-1",
        "no-attention_no-mlp_recipe-modern_seed-1",
        "1-head_recipe-thesis_epochs-3_seed-1",
    ]
    assert len(found) == 10
    assert {one.patch for one in found.values()} == {4}


def test_names_are_short_where_little_differs(tmp_path: Path) -> None:
    found = read_study(study(tmp_path, 'images = "stripes"\nheads = [1, 12]\nseed = 3'))

    assert list(found) == ["1-head_seed-3", "12-heads_seed-3"]


def test_models_without_attention_are_trained_once_for_all_numbers_of_heads(tmp_path: Path) -> None:
    found = read_study(study(tmp_path, 'images = "stripes"\nattention = false\nheads = [1, 2]'))

    assert list(found) == ["no-attention_seed-0"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("stripes[a=b-c]", "stripes[a=b_c]"),
        ("stripes[path=/a b]", "stripes[path=/a/b]"),
        ("stripes[a=B]", "stripes[a=b]"),
        ("stripes[a=é]", "stripes[a=ö]"),
        ("s" * 300, "s" * 299 + "t"),
    ],
)
def test_every_training_has_a_name_of_its_own(tmp_path: Path, one: str, other: str) -> None:
    found = read_study(study(tmp_path, f'images = ["{one}", "{other}", "noise"]'))

    assert [each.images for each in found.values()] == [one, other, "noise"]
    assert len({name.lower() for name in found}) == 3
    assert all(name.isascii() and len(name) < 220 for name in found)
    assert read_study(study(tmp_path, f'images = ["{other}", "{one}", "noise"]')) == found


def test_a_model_of_other_settings_is_refused_with_what_differs(tmp_path: Path) -> None:
    one, other = (
        training({"images": "stripes", "size": 4, "epochs": epochs, "momentum": momentum})
        for epochs, momentum in ((1, 0.9), (5, 0))
    )
    record = json.loads(json.dumps({"settings": settings_of(one)}))

    check_settings(tmp_path, record, one)
    with pytest.raises(
        harness.HarnessError, match=r"trained with epochs 1, momentum 0\.9, not with epochs 5, mom"
    ):
        check_settings(tmp_path, record, other)
    with pytest.raises(harness.HarnessError, match="does not record all settings"):
        check_settings(tmp_path, {}, one)


def test_given_settings_override_the_recipe() -> None:
    one = training({"images": "stripes", "recipe": "thesis", "epochs": 5, "seed": None})

    assert one.how.epochs == 5
    assert one.how.learning_rate == RECIPES["thesis"].learning_rate
    assert one.how.seed == 0


@pytest.mark.parametrize(
    ("size", "expected"), [(28, (28, 28)), ("28", (28, 28)), ("24x32", (24, 32)), ("8×4", (8, 4))]
)
def test_a_size_is_a_side_or_height_and_width(size: int | str, expected: tuple[int, int]) -> None:
    assert read_size(size) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("patch = 4", "no images are given"),
        ('images = "stripes"\nheds = 2', "heds: no such setting; did you mean"),
        ('images = "stripes"\nheads = 0', "heads must be at least 1, not 0"),
        ('images = "stripes"\nheads = true', "heads True: must be of type int"),
        ('images = "stripes"\nheads = "2"', "heads '2': must be of type int"),
        ('images = "stripes"\nrecipe = "old"', "recipe 'old': must be one of modern, thesis"),
        ('images = "stripes"\nsize = "0x3"', "size 0x3: expected a number of pixels"),
        ('images = "stripes"\nchannels = 2', "channels 2: must be 1 for grey or 3 for RGB"),
        ('images = "stripes"\nlearning_rate = nan', "learning_rate must be above 0, not nan"),
        ('images = "stripes"\nweight_decay = -1', "weight_decay must be at least 0, not -1"),
        ('images = "stripes"\nseed = -1', "seed must be 0 … 2147483647, not -1"),
        ('images = "stripes"\nvariant = 3', "variants must be tables"),
        ('images = "stripes"\nheads = []', "heads: its list is empty"),
        (
            'images = "stripes"\n[[variant]]\nheads = 2\n[[variant]]\nseed = []',
            "seed: its list is empty",
        ),
        ('images = "stripes"\nvariant = []', "asks for no training, because it has no variant"),
        ('images = "stripes"\nepochs = 1000001', "epochs must be 1 … 1000000, not 1000001"),
        (
            'images = "stripes"\nlearning_rate = -inf',
            "learning_rate must be above 0 and finite, not -inf",
        ),
        ('images = "stripes"\nsize = 9999999999', "size 9999999999: expected a number of pixels"),
        (
            f'images = "stripes"\nlearning_rate = 1{400 * "0"}',
            "learning_rate must be above 0 and f",
        ),
        (f'images = "stripes"\nepochs = 1{400 * "0"}', "epochs must be 1 … 1000000 and finite"),
        ("images = ", "not valid TOML"),
        (f"images = {9999 * '1'}", "not valid TOML"),
        (f"images = {9999 * '['}", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_the_file(tmp_path: Path, text: str, line: str) -> None:
    path = study(tmp_path, text)

    with pytest.raises(harness.HarnessError) as error:
        read_study(path)
    assert str(path) in str(error.value)
    assert line in str(error.value)


def test_a_study_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match=r"nothing.toml: cannot be read"):
        read_study(tmp_path / "nothing.toml")
