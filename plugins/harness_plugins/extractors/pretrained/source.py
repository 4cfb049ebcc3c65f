"""The files of a Hugging Face model: in a local folder, or fetched once from the hub."""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import harness
from harness_plugins.extractors.pretrained.reasons import first_line

HUB_NAME = re.compile(r"[\w][\w.-]*(/[\w][\w.-]*)?", re.ASCII)
CONFIGURATIONS = ("config.json", "preprocessor_config.json", "processor_config.json")
# As transformers writes them; a repository may hold the same weights under other names.
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
WEIGHTS = (SINGLE, "model-*.safetensors", INDEX)
# Other names, formats that would have to be unpickled, and formats that torch does not read.
OTHER_WEIGHTS = (
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".pkl",
    ".h5",
    ".msgpack",
    ".onnx",
    ".gguf",
)


def weights_folder(model: str, revision: str | None) -> Path:
    """The folder with a model's configuration and weights."""
    folder = model_folder(model, revision, (*CONFIGURATIONS, *WEIGHTS))
    if not _weights(folder):
        others = sorted(
            path.name for path in folder.iterdir() if path.suffix.lower() in OTHER_WEIGHTS
        )
        raise harness.HarnessError(
            f"{model}: there are no weights in {SINGLE}"
            + (f", only {', '.join(others)}, which is not read" if others else "")
            + "; model.save_pretrained(folder) of transformers writes them"
        )
    return folder


def digest(model: str, revision: str | None) -> str:
    """SHA-256 of all files on which the maps depend: weights and configurations."""
    folder = weights_folder(model, revision)
    configurations = [folder / name for name in CONFIGURATIONS if (folder / name).is_file()]
    return digest_of(sorted([*configurations, *_weights(folder)]))


def digest_of(paths: Iterable[Path]) -> str:
    """SHA-256 of files by name and content; raises HarnessError if one cannot be read."""
    whole = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise harness.HarnessError(f"{path}: cannot be read: {error.strerror}") from error
        whole.update(os.fsencode(path.name) + f" {content}\n".encode())
    return whole.hexdigest()


def _weights(folder: Path) -> list[Path]:
    """The files from which transformers reads a model's weights, if there are any."""
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    index = folder / INDEX
    if not index.is_file():
        return []
    try:
        parts = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
        # Files elsewhere would not be covered by the model's digest.
        wrong = [part for part in parts if Path(part).name != part or not (folder / part).is_file()]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise harness.HarnessError(f"{index}: not an index of a model's weights") from error
    if wrong:
        raise harness.HarnessError(f"{index}: there is no {wrong[0]} in its folder")
    return [index, *(folder / part for part in parts)]


def model_folder(
    model: str, revision: str | None, patterns: tuple[str, ...] = CONFIGURATIONS
) -> Path:
    """The folder with a model's files that match the patterns, fetched if it is on the hub."""
    path = Path(os.path.expanduser(model))
    # Not Path.is_dir, which raises for names that are too long.
    if os.path.isdir(path):
        if revision is not None:
            wrong = "a folder has no revision; only models on the hub have"
        elif not (path / "config.json").is_file():
            wrong = "not a model's folder: there is no config.json in it"
        elif (path / "adapter_config.json").is_file():
            # transformers would fetch the model that it adapts.
            wrong = "an adapter of another model; merge the two and save the result"
        else:
            return path
        raise harness.HarnessError(f"{model}: {wrong}")
    if os.path.exists(path) or not HUB_NAME.fullmatch(model):
        raise harness.HarnessError(
            f"{model}: neither a folder nor a valid name on the Hugging Face hub, such as "
            "facebook/dinov2-small"
        )
    try:
        return fetched(model, revision, patterns)
    except harness.HarnessError as error:
        raise harness.HarnessError(
            f"{model}: there is no such folder, and {error}; offline, give the folder of a copy"
        ) from error


def fetched(repository: str, revision: str | None, patterns: tuple[str, ...]) -> Path:
    """The cache folder with a repository's files that match the patterns, fetched if missing."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(patterns)))
    except Exception as error:  # the hub's, the network's, and the cache's
        raise harness.HarnessError(
            f"it cannot be fetched from the Hugging Face hub: {first_line(error)}"
        ) from error


def quieten() -> None:
    """Suppress the progress bars and advice of transformers."""
    from transformers.utils import logging

    # The library's own functions have no types.
    library: Any = logging
    library.set_verbosity_error()
    library.disable_progress_bar()
