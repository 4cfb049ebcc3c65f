"""The commands of the pages work as they stand.

A block whose first line says what it needs, such as `# needs photos/`, runs with a stand-in; if
there can be none (`# needs the network`), its commands are only parsed, in test_docs.py. All
other blocks run in the order of their page, in a clone, with nothing that is not in the clone.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
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
    """Four pictures of several sizes and kinds."""
    folder.mkdir(parents=True)
    for number, (height, width) in enumerate([(48, 64), (64, 48), (56, 56), (40, 72)]):
        down, across = np.mgrid[:height, :width]
        disc = np.hypot(down - height / 2, across - width / 2) < height / 3
        pixels = np.stack([across * 3, down * 3, disc * 200], axis=2).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"photo-{number}.{('jpg', 'png')[number % 2]}")


def masks(folder: Path) -> None:
    """The foreground of each of the pictures."""
    folder.mkdir()
    photos(folder / "pictures")
    for path in (folder / "pictures").iterdir():
        blue = np.asarray(Image.open(path))[:, :, 2] > 100
        Image.fromarray((255 * blue).astype(np.uint8)).save(folder / f"{path.stem}.png")


def model(folder: Path) -> None:
    """A tiny random DINOv2, as transformers saves it."""
    import torch
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=3,
        image_size=28,
        patch_size=7,
    )
    Dinov2Model(config).save_pretrained(folder)
    size = {"height": 28, "width": 28}
    BitImageProcessor(size={"shortest_edge": 28}, crop_size=size).save_pretrained(folder)


# What a page may say that a block needs, and what makes it; None: nothing can.
STAND_INS: dict[str, Callable[[Path], None] | None] = {
    "photos/": photos,
    "masks/": masks,
    "my-model/": model,
    "facebook/dinov2-small from the hub": lambda clone: model(clone / "facebook/dinov2-small"),
    "the network": None,
    "a Dask scheduler": None,
    "hours": None,
}


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
        needs = NEEDS.match(block)
        if needs:
            if (make := STAND_INS[needs[1]]) is None:
                continue
            make(clone / needs[1] if needs[1].endswith("/") else clone)
        finished = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )

        assert finished.returncode == 0, f"{block}\n{finished.stdout[-3000:]}"
        assert "Traceback" not in finished.stdout, f"{block}\n{finished.stdout[-3000:]}"
