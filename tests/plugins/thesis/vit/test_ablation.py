from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.plugin.ablation import At, Fill
from harness_plugins.thesis.vit.ablation import ModelResponse, ablated
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT

# Of the 24 patches in 4 rows.
CLUSTERS = np.arange(24) % 3


def model(**changes: Any) -> OneLayerViT:
    torch.manual_seed(0)
    settings = {
        "height": 16, "width": 24, "channels": 3, "patch": 4, "dimension": 12, "heads": 3,
    }  # fmt: skip
    built = OneLayerViT(ModelSettings(**{**settings, **changes}))
    with torch.no_grad():
        # So that attention is far from uniform.
        for parameter in built.parameters():
            parameter.mul_(3)
    return built.eval()


@pytest.fixture
def image() -> Tensor:
    return torch.randn(1, 3, 16, 24, generator=torch.Generator().manual_seed(1))


def sets() -> NDArray[np.bool_]:
    """The three clusters, then some random sets, (sets, patches)."""
    random = np.random.default_rng(0)
    return np.vstack([[label == CLUSTERS for label in range(3)], random.random((70, 24)) < 0.4])


def attributions(
    whole: OneLayerViT, image: Tensor, at: At, baseline: Tensor | float, target: int
) -> NDArray[np.float32]:
    """What captum says that each cluster adds to a logit, by cluster."""
    from captum.attr import LayerFeatureAblation

    mask = torch.from_numpy(CLUSTERS).view(1, 24, 1).expand(1, 24, 12)
    reads_input = at == "block"
    layer = whole.classifier if reads_input else whole.attention
    found = LayerFeatureAblation(whole, layer).attribute(
        image,
        target=target,
        layer_mask=mask.flatten(1) if reads_input else mask,
        layer_baselines=baseline,
        attribute_to_layer_input=reads_input,
    )
    return found.reshape(24, 12)[:3, 0].detach().numpy()


@pytest.mark.parametrize("mlp", [True, False])
@pytest.mark.parametrize("at", ["block", "attention"])
def test_zeroing_clusters_agrees_with_captum(at: At, mlp: bool, image: Tensor) -> None:
    whole = model(mlp=mlp)

    changes = ablated(whole, image, at, "zero").changes(sets()[:3])

    for target in range(10):
        # captum tells what a feature adds: the intact logit less the ablated one.
        expected = -attributions(whole, image, at, 0.0, target)
        np.testing.assert_allclose(changes[:, target], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("at", ["block", "attention"])
def test_filling_with_the_mean_row_agrees_with_captum(at: At, image: Tensor) -> None:
    whole = model()
    tokens = whole.embed(image)
    rows = whole.attention(whole.attention_norm(tokens))
    if at == "block":
        rows = tokens + rows
        rows = rows + whole.mlp(whole.mlp_norm(rows))
    mean = rows.mean(dim=1, keepdim=True).expand_as(rows).detach()

    changes = ablated(whole, image, at, "mean").changes(sets()[:3])

    baseline = mean.flatten(1) if at == "block" else mean
    expected = -attributions(whole, image, at, baseline, target=4)
    np.testing.assert_allclose(changes[:, 4], expected, rtol=1e-4, atol=1e-4)


def test_masked_keys_have_no_weight_in_any_head(image: Tensor) -> None:
    whole = model()
    removed = sets()

    changes = ablated(whole, image, "keys").changes(removed)

    tokens = whole.embed(image)
    queries, keys, values = whole.attention.split_heads(whole.attention_norm(tokens))
    scores = queries @ keys.transpose(-1, -2) / 2  # √(12 / 3)
    for gone, change in zip(removed, changes, strict=True):
        masked = scores.clone()
        for query in range(24):
            for key in range(24):
                if gone[key] and key != query:
                    masked[:, :, query, key] = -torch.inf
        mixed = (masked.softmax(-1) @ values).transpose(1, 2).flatten(2)
        rows = tokens + whole.attention.projection(mixed)
        rows = rows + whole.mlp(whole.mlp_norm(rows))
        expected = whole.classifier(rows.flatten(1)) - whole(image)
        np.testing.assert_allclose(change, expected[0].detach().numpy(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("fill", ["zero", "mean"])
@pytest.mark.parametrize("at", ["block", "attention"])
def test_the_changes_of_disjoint_sets_add_up(at: At, fill: Fill, image: Tensor) -> None:
    done = ablated(model(), image, at, fill)
    first, second, third = sets()[:3]

    one, other, both = done.changes(np.array([first, second, first | second]))

    assert done.patch_changes is not None
    np.testing.assert_allclose(one + other, both, atol=1e-9)
    np.testing.assert_allclose(done.patch_changes[third].sum(axis=0), done.changes(third[None])[0])


def test_masking_keys_does_not_add_up(image: Tensor) -> None:
    done = ablated(model(), image, "keys")
    first, second = sets()[:2]

    one, other, both = done.changes(np.array([first, second, first | second]))

    assert done.patch_changes is None
    assert np.abs(one + other - both).max() > 0.01


def everywhere(image: Tensor) -> list[ModelResponse]:
    whole = model()
    return [
        ablated(whole, image, "block", "zero"),
        ablated(whole, image, "block", "mean"),
        ablated(whole, image, "attention", "zero"),
        ablated(whole, image, "attention", "mean"),
        ablated(whole, image, "keys"),
    ]


def test_removing_nothing_changes_nothing(image: Tensor) -> None:
    nothing = np.zeros((1, 24), dtype=bool)

    for done in everywhere(image):
        np.testing.assert_allclose(done.changes(nothing), 0, atol=1e-4)
        np.testing.assert_allclose(done.intact, model()(image)[0].detach().numpy(), rtol=1e-5)


def test_without_any_row_of_the_block_only_the_classifiers_bias_is_left(image: Tensor) -> None:
    whole = model()
    done = ablated(whole, image, "block", "zero")

    left = done.intact + done.changes(np.ones((1, 24), dtype=bool))[0]

    np.testing.assert_allclose(left, whole.classifier.bias.detach().numpy(), atol=1e-4)


def test_without_any_other_key_each_patch_attends_to_itself(image: Tensor) -> None:
    whole = model()
    done = ablated(whole, image, "keys")

    left = done.intact + done.changes(np.ones((1, 24), dtype=bool))[0]

    tokens = whole.embed(image)
    _, _, values = whole.attention.split_heads(whole.attention_norm(tokens))
    rows = tokens + whole.attention.projection(values.transpose(1, 2).flatten(2))
    rows = rows + whole.mlp(whole.mlp_norm(rows))
    expected = whole.classifier(rows.flatten(1))[0].detach().numpy()
    np.testing.assert_allclose(left, expected, rtol=1e-4, atol=1e-3)


def test_a_model_without_attention_is_refused(image: Tensor) -> None:
    with pytest.raises(ValueError, match="without attention"):
        ablated(model(attention=False), image)
