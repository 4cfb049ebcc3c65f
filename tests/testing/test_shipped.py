"""Every shipped component keeps the laws of its kind."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import harness
from harness.plugin import registry
from harness.testing import Law, laws_of
from harness_plugins.datasets import cifar10

COMPONENTS = registry.load().components
# Specs of the components that need parameters, or files that do not come with the harness.
SPECS = {
    "arrays": "arrays[path={root}/maps]",
    "cdlib": "cdlib[method=walktrap]",
    "cifar10": "cifar10[path={root}/cifar10]",
    "cinic10": "cinic10[path={root}/cinic10]",
    "fashion-mnist": "fashion-mnist[path={root}/fashion-mnist]",
    "fixed": "fixed[level=0.5]",
    "folder": "folder[path={root}/tf-flowers/roses]",
    "hf": "hf[model={root}/hf]",
    "tf-flowers": "tf-flowers[path={root}/tf-flowers]",
}
# Those whose models only the slow tests of their own can make.
MODELS = ("hf", "timm")
CASES = [
    pytest.param(kind, name, law, id=f"{name}: {law.name}")
    for kind, named in COMPONENTS.items()
    for name, [(component, _)] in named.items()
    if name not in MODELS
    for law in laws_of(component)
]


def pictures(folder: Path, count: int = 10) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (number + 1, 5), (number, 0, 0)).save(folder / f"{number}.png")


@pytest.fixture(scope="module")
def root(
    tmp_path_factory: pytest.TempPathFactory, idx_content: Callable[[NDArray[np.uint8]], bytes]
) -> Iterator[Path]:
    """A folder with a few files of every image set."""
    root = tmp_path_factory.mktemp("shipped")
    random = np.random.default_rng(0)
    for name in ("cifar10", "fashion-mnist", "maps"):
        (root / name).mkdir()
    np.save(root / "maps" / "a.npy", random.random((9, 9)))
    for prefix in ("train", "t10k"):
        content = {"images-idx3": random.integers(0, 256, (60, 28, 28), dtype=np.uint8)}
        content["labels-idx1"] = np.arange(60, dtype=np.uint8) % 10
        for name, array in content.items():
            file = root / "fashion-mnist" / f"{prefix}-{name}-ubyte.gz"
            file.write_bytes(gzip.compress(idx_content(array)))
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        records = random.integers(0, 256, (20, cifar10.RECORD), dtype=np.uint8)
        records[:, 0] = np.arange(20) % 10
        (root / "cifar10" / f"{name}.bin").write_bytes(records.tobytes())
    for part in ("train", "valid", "test"):
        for name in cifar10.CLASSES:
            pictures(root / "cinic10" / part / name, 1)
    for name in ("daisy", "dandelion", "roses", "sunflowers", "tulips"):
        pictures(root / "tf-flowers" / name)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cifar10, "RECORDS", 20)
        yield root


@pytest.mark.parametrize(("kind", "name", "law"), CASES)
def test_a_shipped_component_keeps_a_law(kind: str, name: str, law: Law, root: Path) -> None:
    try:
        component = harness.make(kind, SPECS.get(name, name).format(root=root))
    except harness.HarnessError as error:
        pytest.skip(f"{error}")

    law(component)
