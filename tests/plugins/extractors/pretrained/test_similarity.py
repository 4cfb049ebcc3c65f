from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import harness
from harness_plugins.extractors.pretrained.cosine import cosines
from harness_plugins.extractors.pretrained.similarity import Negatives
from support.progress import Listener
from support.runs import small_run

Make = Callable[..., harness.Extractor]
Rows = NDArray[np.float32]
# What the models of transformers call their projections.
NAMES = {
    "queries": ("q_proj", "query"),
    "keys": ("k_proj", "key"),
    "values": ("v_proj", "value"),
}


def own_features(folder: Path, image: harness.Image) -> dict[str, list[Rows]]:
    """What transformers' own modules compute, by kind and layer (tokens, dimensions)."""
    from transformers import AutoConfig, AutoImageProcessor, AutoModel, ViTImageProcessorPil

    dinov3 = AutoConfig.from_pretrained(folder).model_type == "dinov3_vit"
    # DINOv3's own needs torchvision.
    load = ViTImageProcessorPil.from_pretrained if dinov3 else AutoImageProcessor.from_pretrained
    processor = load(folder, **({} if dinov3 else {"backend": "pil"}))
    pixels = processor(image.pixels, return_tensors="pt")["pixel_values"]
    model = AutoModel.from_pretrained(folder).eval()
    model = getattr(model, "vision_model", model)
    found: dict[str, list[Rows]] = {kind: [] for kind in NAMES}

    def keeping(kind: str) -> Callable[[nn.Module, object, torch.Tensor], None]:
        return lambda module, given, output: found[kind].append(output[0].numpy())

    for name, module in model.named_modules():
        for kind, names in NAMES.items():
            if name.endswith(names) and isinstance(module, nn.Linear):
                module.register_forward_hook(keeping(kind))
    with torch.inference_mode():
        output = model(pixels, output_hidden_states=True)
    states = [*output.hidden_states[1:-1], output.last_hidden_state]
    assert len(states) == 3
    return found | {"tokens": [state[0].numpy() for state in states]}


def expected_map(features: Rows) -> Rows:
    """Cosines pair by pair, without a product of matrices."""
    found = np.array(
        [[a @ b / np.sqrt((a @ a) * (b @ b)) for b in features] for a in features.astype(float)]
    )
    return np.maximum(found, 0)


def maps_of(extractor: harness.Extractor, image: harness.Image) -> list[harness.AttentionMap]:
    return list(extractor.extract([image]))


@pytest.mark.filterwarnings("ignore:.*set to zero")
def test_maps_are_cosines_of_what_the_models_own_modules_compute(
    family: str,
    tiny: Callable[[str], Path],
    extractor: Make,
    photo: harness.Image,
    prefix_tokens: Mapping[str, int],
) -> None:
    own, prefix = own_features(tiny(family), photo), prefix_tokens[family]

    for kind in NAMES:
        found = maps_of(extractor(family, f"of={kind},layers=[0,2],heads=all"), photo)
        assert [tuple(vars(each.head_index).values()) for each in found] == [
            (layer, head) for layer in (0, 2) for head in range(4)
        ]
        for each in found:
            of_head = own[kind][each.layer][prefix:, 8 * each.head : 8 * each.head + 8]
            np.testing.assert_allclose(each.weights, expected_map(of_head), atol=1e-5)
            assert each.grid == (4, 4)
    for each in maps_of(extractor(family, "of=tokens,layers=[0,2]"), photo):
        expected = expected_map(own["tokens"][each.layer][prefix:])
        np.testing.assert_allclose(each.weights, expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*set to zero")
def test_features_of_all_heads_are_concatenated_unless_heads_are_asked_for(
    tiny: Callable[[str], Path], extractor: Make, photo: harness.Image
) -> None:
    keys = own_features(tiny("vit"), photo)["keys"][2][1:]

    (concatenated,) = maps_of(extractor("vit", "of=keys"), photo)
    (spelled,) = maps_of(extractor("vit", "of=keys,heads=concatenated"), photo)
    (some,) = maps_of(extractor("vit", "of=keys,heads=[concatenated,1-2]"), photo)
    (averaged,) = maps_of(extractor("vit", "of=keys,heads=[mean,1-2]"), photo)

    assert concatenated.head_index == harness.HeadIndex(2, 0)
    np.testing.assert_allclose(concatenated.weights, expected_map(keys), atol=1e-5)
    assert spelled.digest == concatenated.digest
    np.testing.assert_allclose(some.weights, expected_map(keys[:, 8:24]), atol=1e-5)
    first, second = (cosines(keys[:, start : start + 8]) for start in (8, 16))
    np.testing.assert_allclose(averaged.weights, np.maximum(0, (first + second) / 2), atol=1e-5)


def test_the_mean_over_layers_is_of_their_similarities(
    tiny: Callable[[str], Path], extractor: Make, photo: harness.Image
) -> None:
    own = own_features(tiny("siglip"), photo)["tokens"]

    (found,) = maps_of(extractor("siglip", "of=tokens,layers=[mean,0,2]"), photo)

    expected = (cosines(own[0]) + cosines(own[2])) / 2
    np.testing.assert_allclose(found.weights, np.maximum(0, expected), atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*set to zero")
def test_prefix_tokens_are_nodes_only_where_they_are_kept(
    extractor: Make, photo: harness.Image
) -> None:
    kept, dropped, default = (
        maps_of(extractor("dinov2-registers", f"of=tokens{prefix}"), photo)[0]
        for prefix in (",prefix=keep", ",prefix=drop", "")
    )

    assert (kept.n, kept.grid, dropped.grid) == (21, None, (4, 4))
    np.testing.assert_array_equal(dropped.weights, kept.weights[5:, 5:])
    assert default.digest == dropped.digest


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ("of=tokens,heads=0", "tokens have no heads; leave heads out"),
        ("heads=concatenated", "joins keys, queries or values, not attention"),
        ("of=keys,heads=[mean,concatenated]", "one of mean and concatenated"),
        ("of=keys,rollout=true", "rollout is of attention, not of keys"),
        ("of=key", "of"),
        ("of=keys,heads=4", "there is no head 4; there are 0 … 3"),
    ],
)
def test_combinations_without_meaning_are_refused(
    extractor: Make, parameters: str, reason: str
) -> None:
    with pytest.raises(harness.HarnessError, match=reason) as raised:
        extractor("vit", parameters).head_indices()
    assert "\n" not in str(raised.value)


def test_negative_similarities_are_set_to_zero_and_those_of_observed_images_counted() -> None:
    negatives = Negatives()
    similarities = np.array([[1, -0.5, 0.5], [-0.5, 1, 0.25], [0.5, 0.25, 1]])

    removed = negatives.removed(similarities, counted=True)
    negatives.removed(abs(similarities), counted=True)
    negatives.removed(-similarities, counted=False)

    np.testing.assert_array_equal(removed, np.where(similarities < 0, 0, similarities))
    assert str(negatives) == (
        "16.7% of the cosine similarities are negative (0.0% … 33.3% of a map) and were set to zero"
    )


def test_a_run_says_once_how_many_similarities_were_negative_and_which_controls_to_rely_on(
    tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    heard = Listener()

    finished = small_run(
        tmp_path / "run",
        images="noise[count=2]",
        extractors=f"hf[model={tiny('siglip')},of=keys,heads=0-1]",
        controls="permuted-residuals,uniform-noise",
        progress=heard,
    )

    (said,) = [line for line in heard.warnings if "cosine similarities" in line]
    assert said.startswith("hf[")
    assert sum("rely on controls of images" in line for line in heard.warnings) == 1
    observed = finished.points().query("role == 'observed' and level == 0")
    assert f"{1 - observed.density.mean():.1%} of the cosine similarities are negative" in said
    assert set(finished.statuses()) == {"ok"}
