import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image as Pictures

import harness
from harness.cli.main import main
from harness_plugins.extractors.devices import place, repeatable, require_device, running, stacked
from support.cuda import fake_cuda
from support.runs import small_command, small_run

TWELVE = "one-layer-vit[checkpoint=fashion-mnist-twelve-heads,heads=[0,5]"


def images(count: int) -> list[harness.Image]:
    sample = harness.make("image set", f"fashion-mnist-sample[count={count}]")
    return [sample.load(key) for key in sample.keys()]


def weights_of(spec: str, given: list[harness.Image]) -> NDArray[np.float32]:
    found = list(harness.make("extractor", spec).extract(given))
    assert [each.image for each in found[::2]] == [each.key for each in given]
    assert all(each.weights.dtype == np.float32 for each in found)
    return np.array([each.weights for each in found])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("device=gpu", "device takes cpu, cuda, or one of several such as cuda:1, not 'gpu'"),
        ("device=cuda:01", "device takes cpu, cuda, or one of several"),
        ("dtype=int8", "int8"),
        ("batch=0", "batch must be at least 1, not 0"),
    ],
)
@pytest.mark.parametrize("extractor", ["one-layer-vit", "hf[model=x]", "timm[model=x]"])
def test_values_that_are_no_device_precision_or_number_are_refused(
    extractor: str,
    parameters: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # They are looked for before values are checked, and may not be installed.
    for name in ("timm", "torchvision"):
        (tmp_path / f"{name}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    spec = f"{extractor.removesuffix(']')}{',' if '[' in extractor else '['}{parameters}]"

    with pytest.raises(harness.HarnessError, match=message):
        harness.make("extractor", spec)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_run_on_a_device_that_is_missing_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    extractor = "one-layer-vit[checkpoint=flowers-one-head,device=cuda]"

    code = main(small_command(extractors=extractor, out=tmp_path / "run"))

    error = capsys.readouterr().err
    assert code == 1
    assert f"harness: {extractor}: cuda: torch sees no CUDA device" in error
    assert "leave device out" in error
    with pytest.raises(harness.HarnessError, match="cuda: torch sees no CUDA device"):
        next(iter(harness.make("extractor", extractor).extract(images(1))))


def test_a_number_beyond_the_devices_is_refused_with_those_there_are() -> None:
    with (
        patch.object(torch.cuda, "is_available", lambda: True),
        patch.object(torch.cuda, "device_count", lambda: 2),
    ):
        require_device("cuda")
        require_device("cuda:1")
        with pytest.raises(harness.HarnessError, match="cuda:2: torch sees cuda:0 … cuda:1 only"):
            require_device("cuda:2")


def test_torch_is_not_imported_for_a_model_on_the_cpu() -> None:
    script = (
        "import sys, harness; harness.make('extractor', 'one-layer-vit[batch=4]').head_indices();"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_maps_from_a_device_are_those_of_the_cpu() -> None:
    given = images(5)
    expected = weights_of(f"{TWELVE},batch=2]", given)

    with fake_cuda():
        found = weights_of(f"{TWELVE},batch=2,device=cuda]", given)

    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("batch", [4, 7])
def test_maps_of_batches_are_those_of_single_images_up_to_rounding(batch: int) -> None:
    given = images(9)

    np.testing.assert_allclose(
        weights_of(f"{TWELVE},batch={batch}]", given), weights_of(f"{TWELVE}]", given), atol=1e-5
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_map_does_not_depend_on_the_others_of_its_batch_to_the_last_bit(dtype: str) -> None:
    given, spec = images(7), f"{TWELVE},batch=4,dtype={dtype}]"

    together = weights_of(spec, given)

    alone = np.concatenate([weights_of(spec, [image]) for image in given])
    backwards = weights_of(spec, given[::-1])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(
        together, backwards.reshape(7, 2, 196, 196)[::-1].reshape(14, 196, 196)
    )


@pytest.mark.parametrize(
    ("dtype", "digits"), [("float64", 1e-6), ("bfloat16", 2**-7), ("float16", 2**-10)]
)
def test_maps_in_another_precision_differ_by_its_rounding(dtype: str, digits: float) -> None:
    given = images(3)
    exact = weights_of(f"{TWELVE},dtype=float64]", given)

    found = weights_of(f"{TWELVE},dtype={dtype}]", given)

    assert np.abs(found - exact).max() <= digits
    # A weight is rounded by half a unit of its last place.
    assert np.abs(found.sum(axis=-1, dtype=np.float64) - 1).max() <= max(digits / 2, 1e-6)


def test_removal_on_a_device_changes_the_logits_as_on_the_cpu() -> None:
    (image,) = images(1)
    removed = np.eye(196, dtype=bool)[:3]
    for at in ("block", "attention", "keys"):
        spec = harness.AblationSpec(at, "mean", 0)
        expected = harness.make("extractor", "one-layer-vit").ablator(spec)(image)

        with fake_cuda():
            # Half precision would round the changes away.
            extractor = harness.make("extractor", "one-layer-vit[device=cuda,dtype=bfloat16]")
            found = extractor.ablator(spec)(image)
            changes = found.changes(removed)

        np.testing.assert_array_equal(found.intact, expected.intact)
        np.testing.assert_array_equal(changes, expected.changes(removed))


def test_a_batch_that_does_not_fit_into_memory_is_refused_in_one_line() -> None:
    class Full(torch.nn.Linear):
        """Fails as a device does."""

    model, pixels = Full(1, 1), torch.zeros(8, 3, 5, 4)

    with (
        pytest.raises(harness.HarnessError) as error,
        running("tiny", model, pixels),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore.")

    assert str(error.value) == (
        "tiny: images of 5×4 pixels, 8 at a time on cpu, do not fit into memory; a smaller batch, "
        "size or model takes less"
    )


def test_a_run_in_batches_loses_no_image_but_the_one_that_does_not_suit(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name, side in (("a", 28), ("b", 40), ("tiny", 3), ("c", 28), ("d", 33)):
        pixels = random.integers(0, 256, (side, side), dtype=np.uint8)
        Pictures.fromarray(pixels).save(tmp_path / f"{name}.png")

    run = small_run(
        tmp_path / "run", images=f"folder[path={tmp_path}]", extractors="one-layer-vit[batch=3]"
    )

    cells = run.cells()
    assert set(cells[cells["status"] == "ok"]["image"]) == {"a.png", "b.png", "c.png", "d.png"}
    (reason,) = set(cells[cells["status"] != "ok"]["reason"])
    assert "tiny.png: 3×3 pixels is smaller" in reason


def test_images_are_filled_up_to_a_whole_batch() -> None:
    one, two = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)

    assert stacked([one], 1) is one
    assert stacked([one, two], 4)[:, 0, 0, 0].tolist() == [0, 1, 1, 1]


def test_a_model_keeps_its_digits_where_it_is_not_moved() -> None:
    module = torch.nn.BatchNorm1d(2)
    module.register_buffer("wide", torch.ones(1, dtype=torch.float64))

    place(module, "cpu", "float32")

    assert module.wide.dtype == torch.float64


def test_cuda_computes_in_full_precision_and_repeatably_only_inside() -> None:
    def state() -> tuple[object, ...]:
        return (
            torch.backends.cuda.matmul.allow_tf32,
            torch.backends.cudnn.allow_tf32,
            torch.backends.cudnn.deterministic,
            torch.are_deterministic_algorithms_enabled(),
        )

    before = state()
    with repeatable(torch.device("cpu")):
        assert state() == before
    with repeatable(torch.device("cuda")):
        assert state() == (False, False, True, True)
    assert state() == before
