from typing import Any

import pytest
import torch
from torch import Tensor

from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT, SelfAttention

SMALL: dict[str, Any] = {
    "height": 8,
    "width": 12,
    "channels": 3,
    "patch": 4,
    "dimension": 12,
    "heads": 3,
}


def model(**changes: Any) -> OneLayerViT:
    torch.manual_seed(0)
    return OneLayerViT(ModelSettings(**{**SMALL, **changes})).eval()


@pytest.fixture
def images() -> Tensor:
    return torch.randn(5, 3, 8, 12, generator=torch.Generator().manual_seed(1))


def test_there_is_a_square_attention_map_for_each_image_and_head(images: Tensor) -> None:
    assert model().attention_maps(images).shape == (5, 3, 6, 6)


def test_the_rows_of_attention_are_distributions(images: Tensor) -> None:
    maps = model().attention_maps(images)

    assert (maps >= 0).all()
    torch.testing.assert_close(maps.sum(-1), torch.ones(5, 3, 6))


def test_heads_differ_from_each_other(images: Tensor) -> None:
    maps = model().attention_maps(images)

    assert not torch.allclose(maps[:, 0], maps[:, 1])


@pytest.mark.parametrize("heads", [1, 3, 12])
def test_the_fast_forward_pass_mixes_values_by_the_attention_maps(heads: int) -> None:
    torch.manual_seed(0)
    attention = SelfAttention(12, heads)
    tokens = 3 * torch.randn(4, 6, 12)

    _, _, values = attention.split_heads(tokens)
    mixed = (attention.weights(tokens) @ values).transpose(1, 2).reshape(4, 6, 12)

    torch.testing.assert_close(attention(tokens), attention.projection(mixed), rtol=1e-5, atol=1e-5)


def test_the_maps_are_those_that_the_logits_come_from(images: Tensor) -> None:
    whole = model(mlp=False)
    tokens = whole.embed(images)
    _, _, values = whole.attention.split_heads(whole.attention_norm(tokens))
    mixed = (whole.attention_maps(images) @ values).transpose(1, 2).flatten(2)

    logits = whole.classifier((tokens + whole.attention.projection(mixed)).flatten(1))

    torch.testing.assert_close(whole(images), logits, rtol=1e-5, atol=1e-5)


def test_a_patch_sees_only_its_own_pixels(images: Tensor) -> None:
    changed = images.clone()
    changed[:, :, 4:8, 8:12] += 1

    difference = (model().embed(changed) - model().embed(images)).abs().sum((0, 2))

    assert (difference > 0).tolist() == [False] * 5 + [True]


def test_attention_and_mlp_can_be_left_out(images: Tensor) -> None:
    whole, bare = model(), model(attention=False, mlp=False)

    assert bare(images).shape == whole(images).shape == (5, 10)
    torch.testing.assert_close(bare(images), bare.classifier(bare.embed(images).flatten(1)))
    kept = {name.partition(".")[0] for name in bare.state_dict()}
    assert kept == {"embedding", "positions", "classifier"}
    assert "mlp.0.weight" not in model(mlp=False).state_dict()
    assert "attention.projection.weight" not in model(attention=False).state_dict()


def test_a_model_without_attention_has_no_maps(images: Tensor) -> None:
    with pytest.raises(ValueError, match="without attention"):
        model(attention=False).attention_maps(images)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patch": 5}, "patches of 5 pixels do not tile 8×12 pixels"),
        ({"patch": 0}, "patch must be at least 1, not 0"),
        ({"heads": 0}, "heads must be at least 1, not 0"),
        ({"heads": 5}, "dimension 12 cannot be split over 5 heads; take a multiple of 5"),
        ({"height": -8}, "height must be at least 1, not -8"),
        ({"classes": 0}, "classes must be at least 1, not 0"),
    ],
)
def test_settings_of_no_model_are_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelSettings(**{**SMALL, **changes})


@pytest.mark.parametrize(
    "changes",
    [{}, {"mlp": False}, {"mlp_ratio": 1}, {"attention": False, "mlp": False}, {"dimension": 90}],
)
def test_no_part_of_the_model_makes_a_larger_tensor_of_an_image_than_the_settings_say(
    images: Tensor, changes: dict[str, Any]
) -> None:
    found = model(**changes)
    sizes = [images.numel()]
    for part in found.modules():
        part.register_forward_hook(lambda part, taken, made: sizes.append(made.numel()))

    found(images)

    assert max(sizes) == len(images) * found.settings.largest_activation
