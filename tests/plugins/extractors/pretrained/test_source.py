import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from harness_plugins.extractors.pretrained import source


def refused(model: object, reason: str, revision: str | None = None) -> None:
    with pytest.raises(harness.HarnessError, match=reason) as caught:
        source.weights_folder(str(model), revision)
    assert "\n" not in str(caught.value)


def test_a_folder_is_taken_as_it_is(tiny: Callable[[str], Path]) -> None:
    folder = tiny("vit")
    assert source.model_folder(str(folder), None) == folder
    assert source.weights_folder(str(folder), None) == folder


def test_a_folder_may_be_given_from_home(
    tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tiny("vit").parent))
    assert source.weights_folder("~/vit", None) == tiny("vit")


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "not a model's folder: there is no config.json in it")


def test_a_file_and_names_that_no_hub_has_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    for model in (
        tmp_path / "model.safetensors",
        "../elsewhere",
        "a/b/c",
        "a" * 5000 + "/../x",
    ):
        refused(model, "neither a folder nor a valid name on the Hugging Face hub")


def test_pickled_weights_are_refused_and_named(copied: Path) -> None:
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    refused(copied, r"no weights in model\.safetensors, only pytorch_model\.bin, which is not read")


def test_weights_of_another_name_are_not_taken_for_the_models(copied: Path) -> None:
    (copied / "model.safetensors").rename(copied / "adapter_model.safetensors")
    refused(copied, r"only adapter_model\.safetensors, which is not read")


def test_a_folder_without_weights_is_refused(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    refused(copied, r"there are no weights in model\.safetensors; model\.save_pretrained")


def test_an_adapter_of_another_model_is_refused(copied: Path) -> None:
    (copied / "adapter_config.json").write_text('{"base_model_name_or_path": "someone/else"}')
    refused(copied, "an adapter of another model")


def test_a_folder_has_no_revision(copied: Path) -> None:
    refused(copied, "a folder has no revision", "main")


def in_parts(folder: Path, *parts: str) -> Path:
    """The folder, its weights under other names beside an index that names these."""
    whole = folder / "model.safetensors"
    for part in parts:
        if Path(part).name == part:
            shutil.copy(whole, folder / part)
    whole.unlink()
    named = {f"tensor{number}": part for number, part in enumerate(parts)}
    (folder / source.INDEX).write_text(json.dumps({"metadata": {}, "weight_map": named}))
    return folder


def test_every_part_of_the_weights_is_in_the_digest(copied: Path) -> None:
    folder = in_parts(copied, "model-1.safetensors", "second.safetensors")
    digests = {source.digest(str(folder), None)}
    for name in ("model-1.safetensors", "second.safetensors", source.INDEX):
        with (folder / name).open("ab") as file:
            file.write(b" ")
        digests.add(source.digest(str(folder), None))

    assert len(digests) == 4


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_the_configurations_are_in_the_digest(copied: Path, name: str) -> None:
    before = source.digest(str(copied), None)
    with (copied / name).open("a") as file:
        file.write(" ")

    assert source.digest(str(copied), None) != before


def test_what_the_maps_do_not_depend_on_is_not_in_the_digest(
    copied: Path, tiny: Callable[[str], Path]
) -> None:
    (copied / "README.md").write_text("more")
    (copied / "pytorch_model.bin").touch()

    assert source.digest(str(copied), None) == source.digest(str(tiny("vit")), None)


@pytest.mark.parametrize("part", ["../other.safetensors", "/etc/passwd", "sub/model.safetensors"])
def test_parts_outside_the_folder_are_refused(copied: Path, part: str) -> None:
    refused(in_parts(copied, part), f"index.json: there is no {part} in its folder")


def test_parts_that_are_not_there_are_refused(copied: Path) -> None:
    folder = in_parts(copied, "model-1.safetensors")
    (folder / "model-1.safetensors").unlink()
    refused(folder, r"there is no model-1\.safetensors in its folder")


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"weight_map": [1]}', '{"weight_map": {"a": 1}}']
)
def test_a_broken_index_is_refused(copied: Path, text: str) -> None:
    (copied / "model.safetensors").unlink()
    (copied / source.INDEX).write_text(text)
    refused(copied, "not an index of a model's weights")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "Connection refused"),
        ({"HF_HUB_OFFLINE": "1"}, "outgoing traffic has been disabled"),
    ],
)
def test_a_hub_that_is_not_reached_costs_one_line_and_no_wait(
    tmp_path: Path, variables: dict[str, str], reason: str
) -> None:
    environment = os.environ | {"HF_HOME": str(tmp_path)} | variables
    script = "import harness; harness.make('extractor', 'hf[model=nobody/nothing]').head_indices()"

    finished = subprocess.run(
        [sys.executable, "-c", script],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    last = finished.stderr.strip().splitlines()[-1]
    assert (
        "nobody/nothing: there is no such folder, and it cannot be fetched from the Hugging Face"
        in last
    )
    assert reason in last
    assert "offline, give the folder of a copy" in last
