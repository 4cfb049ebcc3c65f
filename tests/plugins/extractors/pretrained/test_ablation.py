from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import LayerFeatureAblation
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

import harness
from harness.analysis.ablation import AblationSettings
from harness.plugin.ablation import AblationSpec, At, Fill, ModelResponse
from harness_plugins.extractors.pretrained import configuration, model
from harness_plugins.extractors.pretrained.ablation import ablated
from support.runs import small_run

Tiny = Callable[[str], Path]
GRID = (4, 4)
LABELS = np.array([0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2])
EACH = np.array([label == LABELS for label in range(3)])
PIXELS = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def transformer(folder: Path, *, classifier: bool = False) -> model.VisionTransformer:
    config, architecture = configuration.read(folder, "tiny")
    loaded = model.load(folder, "tiny", config, classifier=classifier)
    return model.inspect_model(loaded, "tiny", architecture, PIXELS)


def without(
    tiny: Tiny, family: str, layer: int, at: At = "block", fill: Fill = "zero"
) -> ModelResponse:
    classifier = family.endswith("classifier")
    made = transformer(tiny(family), classifier=classifier)
    return ablated(made, PIXELS, GRID, AblationSpec(at, fill, layer))


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("at", ["block", "attention"])
def test_zeroing_rows_in_any_layer_agrees_with_captum(tiny: Tiny, layer: int, at: At) -> None:
    changes = without(tiny, "vit-classifier", layer, at).changes(EACH)

    made = transformer(tiny("vit-classifier"), classifier=True)
    block: Any = made.loaded.module.vit.layers[layer]
    # Captum numbers what it removes; the class token, 3, is left alone.
    tokens = torch.tensor([3, *LABELS.tolist()])[None, :, None]
    masks: Any = tokens if at == "block" else (tokens, torch.tensor([[[[3]]]]))
    with torch.no_grad():
        logits = made(PIXELS)["logits"]
        for target in range(logits.shape[1]):
            found = LayerFeatureAblation(
                lambda pixels: made(pixels)["logits"], block if at == "block" else block.attention
            ).attribute(PIXELS, target=target, layer_mask=masks)
            shares = (found[0] if isinstance(found, tuple) else found)[0, 1:, 0].numpy()
            for label, change in enumerate(changes[:, target]):
                # The sign of captum's is the opposite.
                assert change == pytest.approx(-shares[label == LABELS][0], abs=1e-6)


def test_the_mean_row_is_that_of_the_patches(tiny: Tiny) -> None:
    changes = without(tiny, "vit-classifier", 1, "block", "mean").changes(EACH)

    made = transformer(tiny("vit-classifier"), classifier=True)
    vit: Any = made.loaded.module
    with torch.no_grad():
        tokens = vit.vit.embeddings(PIXELS)
        for block in vit.vit.layers[:2]:
            tokens = block(tokens)
        for removed, change in zip(EACH, changes, strict=True):
            rows = tokens.clone()
            rows[0, 1:][torch.from_numpy(removed)] = tokens[0, 1:].mean(dim=0)
            after = vit.classifier(vit.vit.layernorm(vit.vit.layers[2](rows))[:, 0])
            expected = after - made(PIXELS)["logits"]
            assert change == pytest.approx(expected[0].numpy(), abs=1e-6)


def attention_by_hand(block: nn.Module, tokens: Tensor, hidden: NDArray[np.bool_]) -> Tensor:
    """A block's tokens where no other token attends to the hidden patches of a DINOv2-like ViT."""
    own: Any = block
    normed = own.layernorm_before(tokens)
    queries, keys, values = (
        projection(normed).view(1, -1, 4, 8).transpose(1, 2)
        for projection in (own.attention.q_proj, own.attention.k_proj, own.attention.v_proj)
    )
    scores = queries @ keys.transpose(2, 3) / 8**0.5
    for key in 1 + np.flatnonzero(hidden):
        for query in range(scores.shape[2]):
            if query != key:
                scores[:, :, query, key] = -torch.inf
    mixed = (scores.softmax(dim=-1) @ values).transpose(1, 2).reshape(1, -1, 32)
    tokens = tokens + own.attention.o_proj(mixed)
    return tokens + own.mlp(own.layernorm_after(tokens))


def test_hidden_keys_are_attended_to_by_themselves_alone(tiny: Tiny) -> None:
    changes = without(tiny, "vit-classifier", 1, "keys").changes(EACH)

    made = transformer(tiny("vit-classifier"), classifier=True)
    vit: Any = made.loaded.module
    with torch.no_grad():
        tokens = vit.vit.layers[0](vit.vit.embeddings(PIXELS))
        for removed, change in zip(EACH, changes, strict=True):
            rows = vit.vit.layers[2](attention_by_hand(vit.vit.layers[1], tokens, removed))
            after = vit.classifier(vit.vit.layernorm(rows)[:, 0])
            expected = after - made(PIXELS)["logits"]
            assert change == pytest.approx(expected[0].numpy(), abs=1e-6)


@pytest.mark.parametrize("at", ["block", "attention", "keys"])
def test_removing_nothing_changes_nothing_in_any_family(tiny: Tiny, family: str, at: At) -> None:
    if family == "data2vec" and at == "keys":
        pytest.skip("its attention takes no mask")
    found = without(tiny, family, 0, at)
    of_nothing = np.abs(found.changes(np.zeros((2, 16), dtype=bool))).max()
    assert of_nothing < 1e-6
    # Some of random weights scale what their attention gives by next to nothing.
    assert np.abs(found.changes(EACH)).max() > 10 * of_nothing


def test_the_model_is_as_it_was_afterwards(tiny: Tiny) -> None:
    made = transformer(tiny("vit-classifier"), classifier=True)
    with torch.no_grad():
        before = made(PIXELS)["logits"]
        for at in ("block", "attention", "keys"):
            ablated(made, PIXELS, GRID, AblationSpec(at, "zero", 1)).changes(EACH)  # type: ignore[arg-type]
        assert torch.equal(made(PIXELS)["logits"], before)


@pytest.mark.parametrize(
    ("family", "answer"),
    [
        ("vit-classifier", "logits"),
        ("vit", "pooled embedding"),
        ("siglip", "pooled embedding"),
        ("vit-msn", "class token"),
        ("ijepa", "mean of the patches' tokens"),
    ],
)
def test_the_answer_is_what_the_model_has(tiny: Tiny, family: str, answer: str) -> None:
    found = without(tiny, family, 0)
    assert found.answer == answer
    assert found.intact.shape == ((5,) if answer == "logits" else (32,))
    assert found.grid == GRID


@pytest.mark.parametrize("at", ["block", "attention"])
@pytest.mark.parametrize("family", ["vit-classifier", "dinov2", "clip", "vit-msn"])
def test_rows_on_which_the_class_token_no_longer_depends_are_refused(
    tiny: Tiny, family: str, at: At
) -> None:
    with pytest.raises(
        harness.HarnessError, match=r"does not depend on what is removed from layer 2.*keys"
    ):
        without(tiny, family, 2, at)


@pytest.mark.parametrize("family", ["siglip", "beit-relative", "ijepa"])
def test_rows_of_the_last_layer_matter_where_patches_are_pooled(tiny: Tiny, family: str) -> None:
    assert np.abs(without(tiny, family, 2).changes(EACH)).max() > 1e-4


def test_keys_of_the_last_layer_matter_to_a_class_token(tiny: Tiny) -> None:
    assert np.abs(without(tiny, "vit-classifier", 2, "keys").changes(EACH)).max() > 1e-5


def test_a_missing_layer_is_refused(tiny: Tiny) -> None:
    with pytest.raises(harness.HarnessError, match=r"there is no layer 3; there are 0 … 2"):
        without(tiny, "vit", 3)


def test_an_attention_without_a_mask_hides_no_keys(tiny: Tiny) -> None:
    with pytest.raises(harness.HarnessError, match="takes no mask to hide keys with"):
        without(tiny, "data2vec", 0, "keys")


def test_many_sets_are_the_same_as_each_alone(tiny: Tiny) -> None:
    found = without(tiny, "dinov2", 1)
    sets = np.random.default_rng(0).random((70, 16)) < 0.3
    together = found.changes(sets)
    alone = np.concatenate([found.changes(one[None]) for one in sets[::10]])
    assert together[::10] == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("family", ["vit-classifier", "dinov2"])
def test_clusters_of_a_run_are_removed_from_its_model(
    tiny: Tiny, family: str, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    random = np.random.default_rng(0)
    for number in range(2):
        pixels = random.integers(0, 256, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(photos / f"{number}.png")
    run = small_run(
        tmp_path / "out",
        images=f"folder[path={photos}]",
        extractors=f"hf[model={tiny(family)},layers=[0,1],heads=0]",
        selectors="fixed[level=0.6]",
    )

    found = run.ablate("louvain@layer=1", settings=AblationSettings(draws=10))

    assert len(found.images) == 2
    assert {each.prediction is None for each in found.images} == {family != "vit-classifier"}
    assert not found.nothing
    assert {each.figure for each in found.contrasts} == (
        {"logit", "margin", "probability", "accuracy"}
        if family == "vit-classifier"
        else {"distance"}
    )
