"""Models on a device, in batches and in other precisions.

The device is a stand-in (`support.cuda`): it shows that nothing is mixed between the device and the
processor, and nothing of what CUDA's kernels compute.
"""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.pretrained import extraction
from harness_plugins.extractors.pretrained.watching import is_attention
from support.cuda import fake_cuda

Make = Callable[..., harness.Extractor]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*cosine similarities are negative"),
]


@pytest.fixture(scope="module")
def photos() -> list[harness.Image]:
    """Photos of three sizes, one after the other."""
    random = np.random.default_rng(1)
    shapes = [(50, 70), (50, 70), (70, 50), (50, 70), (60, 60), (70, 50), (50, 70), (50, 70)]
    return [
        harness.Image(str(number), random.integers(0, 256, (*shape, 3), dtype=np.uint8))
        for number, shape in enumerate(shapes)
    ]


def weights_of(
    extractor: harness.Extractor, images: list[harness.Image]
) -> list[NDArray[np.float32]]:
    found = list(extractor.extract(images))
    per_image = len(extractor.head_indices())
    assert [each.image for each in found[::per_image]] == [image.key for image in images]
    assert all(each.weights.dtype == np.float32 for each in found)
    return [each.weights for each in found]


def largest_difference(some: list[NDArray[np.float32]], others: list[NDArray[np.float32]]) -> float:
    pairs = zip(some, others, strict=True)
    return max(float(np.abs(one - other).max()) for one, other in pairs)


def test_maps_of_every_family_on_a_device_are_those_of_the_cpu(
    family: str, extractor: Make, photo: harness.Image
) -> None:
    expected = weights_of(extractor(family, "layers=all,batch=2"), [photo])

    with fake_cuda():
        found = weights_of(extractor(family, "layers=all,batch=2,device=cuda"), [photo])

    assert largest_difference(found, expected) == 0


@pytest.mark.parametrize(
    "parameters", ["of=keys", "of=values,heads=all", "of=tokens", "heads=mean", "rollout=true"]
)
def test_whatever_is_read_of_a_model_on_a_device_is_what_is_read_on_the_cpu(
    parameters: str, extractor: Make, photos: list[harness.Image]
) -> None:
    parameters += ",layers=[0,2],batch=3"
    expected = weights_of(extractor("dinov2", parameters), photos)

    with fake_cuda():
        found = weights_of(extractor("dinov2", f"{parameters},device=cuda"), photos)

    assert largest_difference(found, expected) == 0


@pytest.mark.parametrize("batch", [4, 7])
@pytest.mark.parametrize("of", ["attention", "keys", "tokens"])
def test_batches_of_images_of_several_sizes_give_the_maps_of_single_ones(
    batch: int, of: str, extractor: Make, photos: list[harness.Image]
) -> None:
    parameters = f"of={of},layers=all,size=24"
    single = weights_of(extractor("dinov2", parameters), photos)

    found = weights_of(extractor("dinov2", f"{parameters},batch={batch}"), photos)

    assert len({each.shape for each in found}) > 1
    assert largest_difference(found, single) < 1e-5


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_map_of_a_batch_does_not_depend_on_the_others_to_the_last_bit(
    dtype: str, extractor: Make, photos: list[harness.Image]
) -> None:
    batched = extractor("vit", f"batch=4,size=24,dtype={dtype}")

    together = weights_of(batched, photos)

    alone = [each for photo in photos for each in weights_of(batched, [photo])]
    assert largest_difference(together, alone) == 0


def test_every_family_computes_in_other_precisions(
    family: str, extractor: Make, photo: harness.Image
) -> None:
    expected = weights_of(extractor(family, "layers=all"), [photo])

    for dtype, rounding in (("float64", 1e-6), ("float16", 1e-2), ("bfloat16", 5e-2)):
        found = weights_of(extractor(family, f"layers=all,dtype={dtype}"), [photo])

        assert 0 < largest_difference(found, expected) < rounding


def test_projections_are_found_though_the_model_computes_in_half_precision(
    extractor: Make, photo: harness.Image
) -> None:
    for of in ("queries", "keys", "values"):
        expected = weights_of(extractor("dinov2", f"of={of}"), [photo])

        found = weights_of(extractor("dinov2", f"of={of},dtype=bfloat16"), [photo])

        assert largest_difference(found, expected) < 0.05


def test_attention_in_bfloat16_is_attention_over_thousands_of_tokens() -> None:
    torch.manual_seed(0)
    for dtype in (torch.bfloat16, torch.float16):
        assert is_attention(torch.randn(1, 2, 3000, 3000).to(dtype).softmax(dim=-1))


@pytest.mark.parametrize(
    ("family", "at"), [("dinov2", "block"), ("vit-classifier", "attention"), ("dinov2", "keys")]
)
def test_removal_on_a_device_changes_the_response_as_on_the_cpu(
    family: str, at: harness.At, extractor: Make, photo: harness.Image
) -> None:
    removed = np.eye(16, dtype=bool)[:3]
    spec = harness.AblationSpec(at, "mean", 1)
    expected = extractor(family).ablator(spec)(photo)

    with fake_cuda():
        # Half precision would round the changes away.
        found = extractor(family, "device=cuda,dtype=bfloat16").ablator(spec)(photo)
        changes = found.changes(removed)

    np.testing.assert_allclose(found.intact, expected.intact, atol=1e-6)
    np.testing.assert_allclose(changes, expected.changes(removed), atol=1e-6)


def test_a_batch_too_large_for_memory_is_refused_before_an_image_is_read(
    extractor: Make, photo: harness.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of each image the maps of one layer of four heads, and the scores and weights of that layer.
    monkeypatch.setattr(extraction, "MOST_BYTES", 4 * 16**2 * 4 * 3 * 8)

    def images() -> Iterator[harness.Image]:
        raise AssertionError("an image was read")
        yield photo

    deque(extractor("vit", "batch=8").extract([photo]), maxlen=0)
    with pytest.raises(harness.HarnessError, match=r"36 maps .*smaller size or batch"):
        deque(extractor("vit", "batch=9").extract(images()), maxlen=0)


def test_a_device_that_runs_out_of_memory_is_told_with_what_to_do(
    tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, photo: harness.Image
) -> None:
    from transformers.models.vit import modeling_vit

    compute = modeling_vit.ViTModel.forward

    def forward(self: torch.nn.Module, pixel_values: torch.Tensor, **named: object) -> object:
        if len(pixel_values) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore.")
        return compute(self, pixel_values=pixel_values, **named)

    monkeypatch.setattr(modeling_vit.ViTModel, "forward", forward)

    with pytest.raises(harness.HarnessError) as error:
        next(harness.make("extractor", f"hf[model={tiny('vit')},batch=8]").extract([photo]))

    assert str(error.value) == (
        f"{tiny('vit')}: images of 32×32 pixels, 8 at a time on cpu, do not fit into memory; a "
        "smaller batch, size or model takes less"
    )
