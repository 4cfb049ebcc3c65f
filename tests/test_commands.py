"""The commands of the pages work as they stand.

A block whose first line says what it needs, such as `# needs photos/`, runs with a stand-in; if
there can be none (`# needs the network`), its commands are only parsed, in test_docs.py. All
other blocks run in the order of their page, in a clone, with nothing that is not in the clone.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from support import REPOSITORY

pytestmark = pytest.mark.slow

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
NEEDS = re.compile(r"# needs (.*)\n")
PAGES = sorted(
    page.relative_to(REPOSITORY).as_posix()
    for page in [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
    if BLOCK.search(page.read_text("utf-8"))
)


def photos(folder: Path) -> None:
    """Four pictures of several sizes, with a disc of more blue."""
    folder.mkdir(parents=True)
    names = ("flower.jpg", "garden.png", "leaf.jpg", "pond.png")
    for name, (height, width) in zip(names, [(48, 64), (64, 48), (56, 56), (40, 72)], strict=True):
        down, across = np.mgrid[:height, :width]
        disc = np.hypot(down - height / 2, across - width / 2) < height / 3
        pixels = np.stack([across * 3, down * 3, disc * 200], axis=2).astype(np.uint8)
        Image.fromarray(pixels).save(folder / name)


def classes(folder: Path) -> None:
    """Two folders with the same four pictures."""
    photos(folder / "cat")
    photos(folder / "dog")


def discs(folder: Path) -> Iterator[tuple[Path, NDArray[np.bool_]]]:
    """The discs of these pictures, and files for their masks."""
    pictures = folder.parent / "photos"
    folder.mkdir()
    for path in pictures.iterdir():
        yield folder / f"{path.stem}.png", np.asarray(Image.open(path))[:, :, 2] > 100


def masks(folder: Path) -> None:
    """Masks of the discs."""
    for path, disc in discs(folder):
        Image.fromarray((255 * disc).astype(np.uint8)).save(path)


def objects(folder: Path) -> None:
    """Label masks of the discs' left and right halves."""
    for path, disc in discs(folder):
        side = np.where(np.arange(disc.shape[1]) < disc.shape[1] // 2, 1, 2)
        Image.fromarray((disc * side).astype(np.uint8)).save(path)


def model(folder: Path) -> None:
    """A tiny random DINOv2 of three layers with three heads, as transformers saves it.

    Its patches are large: pages run it on images of up to 448 pixels, which are 196 patches then.
    """
    import torch
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    heads = {"num_hidden_layers": 3, "num_attention_heads": 3}
    config = Dinov2Config(hidden_size=24, image_size=224, patch_size=32, **heads)
    Dinov2Model(config).save_pretrained(folder)
    size = {"height": 224, "width": 224}
    BitImageProcessor(size={"shortest_edge": 224}, crop_size=size).save_pretrained(folder)


def own_model(path: Path) -> None:
    """The example of a model of one's own."""
    (found,) = re.findall(
        r"```python\n([^`]*def make_model.*?)```", text_of("docs/models.md"), re.S
    )
    path.write_text(found)


def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text("utf-8")


# What blocks may say that they need, and what makes it; None: nothing can.
STAND_INS: dict[str, Callable[[Path], object] | None] = {
    "photos/": photos,
    "animals/": classes,
    "masks/": masks,
    "objects/": objects,
    "models/mine/": model,
    "facebook/dinov2-small from the hub": model,
    "vit.safetensors": None,
    "my_module.py": own_model,
    "the extra dask": lambda path: None,
    "the extra shell": None,
    "the extra slurm": None,
    "a Slurm cluster": None,
    "leaves.py": None,
    "pictures/": None,
    "the network": None,
    "a browser": None,
    "a Dask scheduler": None,
    "hours of two idle cores": None,
    "a CUDA device": None,
}


def stand_in(clone: Path, needed: str) -> bool:
    """Make what a block needs; returns whether that is possible."""
    make = STAND_INS[needed]
    path = clone / needed.removesuffix(" from the hub")
    if make and not path.exists():
        make(path)
    return make is not None


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of this repository whose environment, `.venv`, is the one that runs the tests."""
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", "--shared", REPOSITORY, clone], check=True, timeout=60
    )
    (clone / ".venv").symlink_to(sys.prefix)
    return clone


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work_as_they_stand(page: str, clone: Path) -> None:
    bin_folder = Path(sys.prefix) / "bin"
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "COLUMNS": "80"}

    for block in BLOCK.findall((REPOSITORY / page).read_text("utf-8")):
        if "pip install" in block:  # .ci/run runs the first two; extras need the network
            continue
        needed = NEEDS.match(block)
        if needed and not all(stand_in(clone, each) for each in needed[1].split(" and ")):
            continue
        finished = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=3600,  # a block may be many runs, beside other tests
        )

        assert finished.returncode == 0, f"{block}\n{finished.stdout[-3000:]}"
        assert "Traceback" not in finished.stdout, f"{block}\n{finished.stdout[-3000:]}"
