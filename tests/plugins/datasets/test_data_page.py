"""What docs/data.md shows is what works."""

import re
from pathlib import Path

import pytest
from PIL import Image

import harness
from harness_plugins.datasets.catalogue import CATALOGUE
from support import REPOSITORY

PAGE = REPOSITORY / "docs" / "data.md"


def test_the_page_names_every_set_of_the_catalogue() -> None:
    text = PAGE.read_text("utf-8")

    assert [known.name for known in CATALOGUE if f"| `{known.name}` |" not in text] == []


@pytest.mark.parametrize(("split", "count"), [("train", 14), ("validation", 2), ("test", 4)])
def test_the_example_of_a_labelled_set_works(tmp_path: Path, split: str, count: int) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "leaves.py").write_text(example)
    for name in ("oak", "beech"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("L", (3, 3)).save(tmp_path / "pictures" / name / f"{number}.png")

    images = harness.make(
        "image set",
        f"leaves[path={tmp_path / 'pictures'},split={split}]",
        plugins=[tmp_path / "leaves.py"],
    )

    loaded = [images.load(key) for key in images.keys()]
    assert len(loaded) == count
    assert {image.key.partition("/")[0]: image.label for image in loaded} == {"oak": 0, "beech": 1}
