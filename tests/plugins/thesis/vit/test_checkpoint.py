import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import harness
from harness_plugins.thesis.vit import checkpoint
from harness_plugins.thesis.vit.checkpoint import Checkpoint, Normalisation
from harness_plugins.thesis.vit.files import checkpoint_file, head_count
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT

SETTINGS = ModelSettings(height=8, width=8, patch=4, dimension=8, heads=2, mlp=False)


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Checkpoint]:
    torch.manual_seed(0)
    written = Checkpoint(OneLayerViT(SETTINGS), Normalisation(0.25, 0.5), {"epochs": [1, 2.5]})
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, written)
    return path, written


def rewritten(path: Path, **changes: object) -> Path:
    """The checkpoint with other metadata."""
    tensors, metadata = checkpoint.read_tensors(path)
    checkpoint.write_tensors(path, tensors, {**metadata, **changes})
    return path


def test_what_is_saved_is_loaded(saved: tuple[Path, Checkpoint]) -> None:
    path, written = saved
    read = checkpoint.load(path)

    assert read.model.settings == SETTINGS
    assert read.normalisation == written.normalisation
    assert read.record == written.record
    assert not read.model.training
    images = torch.rand(3, 1, 8, 8)
    assert torch.equal(read.model(images), written.model.eval()(images))


def test_nothing_but_the_checkpoint_is_left_behind(saved: tuple[Path, Checkpoint]) -> None:
    path, _ = saved

    assert [*path.parent.iterdir()] == [path]


def test_normalisation_takes_bytes_to_floats_of_the_given_mean_and_deviation() -> None:
    bytes_ = torch.tensor([0, 255], dtype=torch.uint8)

    normalised = Normalisation(0.25, 0.5)(bytes_)

    torch.testing.assert_close(normalised, torch.tensor([-0.5, 1.5]))
    assert bytes_.tolist() == [0, 255]


def test_a_name_longer_than_any_file_is_no_checkpoint() -> None:
    with pytest.raises(harness.HarnessError, match="nnn: no such checkpoint"):
        checkpoint.load(checkpoint_file("n" * 300))


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="nowhere: no such checkpoint"):
        checkpoint.load(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"some text", b"\xff" * 200, b"PK\x03\x04" + bytes(99)])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)

    with pytest.raises(harness.HarnessError, match="other: not a checkpoint that `harness train`"):
        checkpoint.load(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(saved: tuple[Path, Checkpoint], share: float) -> None:
    path, _ = saved
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])

    with pytest.raises(harness.HarnessError, match="not a checkpoint that `harness train` wrote"):
        checkpoint.load(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"harness": "no JSON"},
                                      {"harness": json.dumps([1])}])  # fmt: skip
def test_tensors_of_another_program_are_refused(
    tmp_path: Path, metadata: dict[str, str] | None
) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "other", metadata)

    with pytest.raises(harness.HarnessError, match="not a checkpoint that `harness train` wrote"):
        checkpoint.load(tmp_path / "other")


def test_a_checkpoint_of_another_format_is_refused(saved: tuple[Path, Checkpoint]) -> None:
    path = rewritten(saved[0], format="harness-one-layer-vit-2")

    with pytest.raises(harness.HarnessError, match="its format is harness-one-layer-vit-2, not "):
        checkpoint.load(path)


@pytest.mark.parametrize(
    "model",
    [
        {"height": 16}, {"heads": 0}, {"patch": 3}, {"unknown": 1}, {"mlp": True},
        {"attention": False}, {"heads": 2.0}, {"heads": True}, {"heads": None}, {"mlp": 0},
        {"attention": "no"}, {"dimension": "8"},
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_their_settings_are_refused(
    saved: tuple[Path, Checkpoint], model: dict[str, object]
) -> None:
    settings = checkpoint.read_tensors(saved[0])[1]["model"]
    path = rewritten(saved[0], model={**settings, **model})

    with pytest.raises(harness.HarnessError, match="its weights do not fit its settings"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    "record",
    [None, [1], "text", {"classes": 5}, {"classes": None}, {"classes": "ab"}, {"classes": [1, 2]}],
)
def test_a_damaged_record_is_refused(saved: tuple[Path, Checkpoint], record: object) -> None:
    path = rewritten(saved[0], record=record)

    for read in (checkpoint.load, head_count):
        with pytest.raises(harness.HarnessError, match="not a checkpoint that `harness train`"):
            read(path)


@pytest.mark.parametrize(
    "kind", [torch.float16, torch.bfloat16, torch.float64, torch.int32, torch.complex64]
)
def test_weights_of_another_type_are_refused(
    saved: tuple[Path, Checkpoint], kind: torch.dtype
) -> None:
    path, written = saved
    metadata = {"harness": json.dumps(checkpoint.read_tensors(path)[1])}
    changed = {"positions": written.model.positions.detach().to(kind)}
    save_file({**written.model.state_dict(), **changed}, path, metadata)

    for read in (checkpoint.load, head_count):
        with pytest.raises(harness.HarnessError, match="positions does not hold 32-bit floats"):
            read(path)


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="a folder, not a checkpoint"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_that_are_not_finite_are_neither_written_nor_read(
    saved: tuple[Path, Checkpoint], value: float
) -> None:
    path, written = saved
    with torch.no_grad():
        written.model.classifier.bias[3] = value
    before = path.read_bytes()

    with pytest.raises(harness.HarnessError, match=r"its weights are not finite \(classifier.bias"):
        checkpoint.save(path, written)
    assert path.read_bytes() == before
    assert [*path.parent.iterdir()] == [path]
    save_file(written.model.state_dict(), path, metadata={"harness": json.dumps({"format": "?"})})
    for read in (checkpoint.load, checkpoint.read_tensors, head_count):
        with pytest.raises(harness.HarnessError, match="safetensors: its weights are not finite"):
            read(path)


@pytest.mark.parametrize("deviation", [0, math.nan, math.inf, -1])
def test_a_normalisation_that_is_not_finite_is_refused(
    saved: tuple[Path, Checkpoint], deviation: float
) -> None:
    path = rewritten(saved[0], normalisation={"mean": 0.5, "deviation": deviation})

    with pytest.raises(harness.HarnessError, match="its images cannot be normalised"):
        checkpoint.load(path)


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="cannot be written: No such file or directory"):
        checkpoint.write_tensors(tmp_path / "nowhere" / "model", {"a": torch.zeros(1)}, {})
