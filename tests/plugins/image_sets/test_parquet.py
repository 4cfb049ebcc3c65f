import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

import harness

IMAGE = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])


def pixels_of(number: int) -> NDArray[np.uint8]:
    return np.random.default_rng(number).integers(0, 255, (4, 6, 3), dtype=np.uint8)


def png(number: int) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels_of(number)).save(file, "PNG")
    return file.getvalue()


def features(**columns: Sequence[str] | None) -> dict[str, Any]:
    """What `datasets` writes of these columns: class labels with names, or images."""
    written = {
        name: {"_type": "Image"} if names is None else {"names": names, "_type": "ClassLabel"}
        for name, names in columns.items()
    }
    return {"info": {"features": written}}


def write(
    path: Path,
    images: Sequence[Any],
    metadata: dict[str, Any] | None = None,
    image_type: Any = IMAGE,
    **columns: Any,
) -> None:
    """A shard of two rows a group; bytes stand for structs that hold them."""
    is_struct = image_type == IMAGE
    rows = [
        {"bytes": each, "path": None} if is_struct and isinstance(each, bytes) else each
        for each in images
    ]
    table = pyarrow.table({"image": pyarrow.array(rows, image_type), **columns})
    if metadata:
        table = table.replace_schema_metadata({"huggingface": json.dumps(metadata)})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, row_group_size=2)


def opened(path: Path, more: str = "") -> harness.LabelledImageSet:
    made = harness.make("image set", f"parquet[path={path}{more}]")
    assert isinstance(made, harness.LabelledImageSet)
    return made


def labels_of(images: harness.ImageSet) -> dict[str, int | None]:
    return {key: images.load(key).label for key in images.keys()}


BEES = features(image=None, label=["ant", "bee"])


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Shards of training and test images of two classes."""
    folder = tmp_path / "shards"
    for part in range(2):
        numbers = range(5 * part, 5 * part + 5)
        path = folder / "data" / f"train-{part:05d}-of-00002.parquet"
        write(path, list(map(png, numbers)), BEES, label=[number % 2 for number in numbers])
    write(folder / "data" / "test-00000-of-00001.parquet", [png(10)], BEES, label=[1])
    return folder


def test_rows_are_images_with_their_classes(shards: Path) -> None:
    images = opened(shards / "data" / "train-00000-of-00002.parquet")

    assert list(images.keys()) == [f"train-00000-of-00002/{row:05d}" for row in range(5)]
    assert list(images.classes()) == ["ant", "bee"]
    for number, key in enumerate(images.keys()):
        assert (images.load(key).pixels == pixels_of(number)).all()
        assert images.load(key).label == number % 2


def test_rows_can_be_read_in_any_order(shards: Path) -> None:
    images = opened(shards)
    keys = [f"data/train-0000{part}-of-00002/{row:05d}" for part in range(2) for row in range(5)]

    for number in (7, 2, 3, 0, 9, 9, 4):
        assert (images.load(keys[number]).pixels == pixels_of(number)).all()


def test_a_key_is_the_same_beside_other_shards(shards: Path) -> None:
    before = set(opened(shards).keys())
    write(shards / "data" / "train-00000-of-00001.parquet", [png(1)], BEES, label=[0])

    assert before < set(opened(shards).keys())


@pytest.mark.parametrize(("split", "count"), [("train", 8), ("validation", 2), ("test", 1)])
def test_splits_go_by_the_names_of_shards(shards: Path, split: str, count: int) -> None:
    keys = opened(shards, f",split={split}").keys()

    assert len(keys) == count
    named = "test" if split == "test" else "train"
    assert all(key.startswith(f"data/{named}-") for key in keys)


def test_all_images_are_taken_without_a_split(shards: Path) -> None:
    assert len(opened(shards).keys()) == 11
    assert len(opened(shards, ",count=4").keys()) == 4


def test_links_to_shards_are_followed_as_the_hubs_cache_has_them(
    shards: Path, tmp_path: Path
) -> None:
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    (snapshot / "test.parquet").symlink_to(shards / "data" / "test-00000-of-00001.parquet")

    assert list(opened(snapshot).keys()) == ["test/00000"]


def test_a_column_of_bytes_is_taken_by_its_name(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [png(0)], image_type=pyarrow.binary())

    images = opened(tmp_path / "a.parquet", ",image=image")

    assert (images.load("a/00000").pixels == pixels_of(0)).all()


@pytest.mark.parametrize(
    ("values", "classes", "labels"),
    [
        (["dog", "cat", None], ["cat", "dog"], [1, 0, None]),
        ([7, 3, 7], ["3", "7"], [1, 0, 1]),
    ],
)
def test_values_of_a_column_are_classes(
    tmp_path: Path, values: list[Any], classes: list[str], labels: list[int | None]
) -> None:
    write(tmp_path / "a.parquet", [png(0)] * 3, kind=values)

    images = opened(tmp_path / "a.parquet", ",label=kind")

    assert list(images.classes()) == classes
    assert list(labels_of(images).values()) == labels


def test_minus_one_and_null_are_no_label(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [png(0)] * 3, BEES, label=[-1, None, 1])

    assert list(labels_of(opened(tmp_path / "a.parquet")).values()) == [None, None, 1]


def test_images_without_a_column_of_classes_have_no_labels(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [png(0)])

    assert not opened(tmp_path / "a.parquet").classes()
    assert labels_of(opened(tmp_path / "a.parquet")) == {"a/00000": None}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"no image", "a/00001: not an image of a known format"),
        (None, "a/00001: holds no bytes of an image"),
        ({"bytes": None, "path": "b.png"}, r"a/00001: .* no bytes of an image, only .* b\.png"),
    ],
)
def test_a_row_that_is_no_image_is_named_and_the_others_are_read(
    tmp_path: Path, row: Any, reason: str
) -> None:
    write(tmp_path / "a.parquet", [png(0), row, png(2)])
    images = opened(tmp_path / "a.parquet")

    with pytest.raises(harness.HarnessError, match=f"^{reason}"):
        images.load("a/00001")
    assert (images.load("a/00002").pixels == pixels_of(2)).all()


def test_a_damaged_row_group_is_named_row_by_row_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write(path, list(map(png, range(6))))
    column = parquet.ParquetFile(path).metadata.row_group(1).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    content = bytearray(path.read_bytes())
    content[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    path.write_bytes(content)
    images = opened(path)

    for row in (2, 3):
        with pytest.raises(harness.HarnessError, match=rf"^a/0000{row}: a\.parquet: cannot be"):
            images.load(f"a/0000{row}")
    for row in (0, 1, 4, 5):
        assert (images.load(f"a/0000{row}").pixels == pixels_of(row)).all()


def test_a_label_without_a_name_is_refused_by_its_row(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [png(0), png(1)], BEES, label=[0, 5])

    with pytest.raises(harness.HarnessError, match="a/00001: its label 5 is not among 2 classes"):
        opened(tmp_path / "a.parquet").load("a/00001")


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 is not enough")

    with pytest.raises(harness.HarnessError, match=r"a\.parquet: cannot be read as Parquet"):
        opened(tmp_path / "a.parquet").keys()


@pytest.mark.parametrize(
    ("metadata", "columns", "more", "message"),
    [
        (features(fine=["a"], coarse=["b"]), {"fine": [0], "coarse": [0]}, "", "labels may be in"),
        (None, {}, ",image=picture", "no column 'picture'; there are image"),
        (None, {"size": [1.5]}, ",label=size", "holds float, not classes"),
        (None, {"size": [1.5]}, ",image=size", "holds double, not images"),
        (features(label=[1]), {"label": [0]}, "", "names of the classes of label are not texts"),
        (features(label=["a"]), {"label": ["a"]}, "", "holds texts, not indices"),
    ],
)
def test_columns_that_do_not_suit_are_refused(
    tmp_path: Path, metadata: Any, columns: Any, more: str, message: str
) -> None:
    write(tmp_path / "a.parquet", [png(0)], metadata, **columns)

    with pytest.raises(harness.HarnessError, match=message):
        opened(tmp_path / "a.parquet", more).keys()


def test_shards_of_other_classes_are_refused(shards: Path) -> None:
    more = shards / "data" / "train-00002-of-00002.parquet"
    write(more, [png(0)], features(label=["bee", "ant"]), label=[0])

    with pytest.raises(harness.HarnessError, match=r"train-00002-of-00002.*other classes"):
        opened(shards).keys()


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match=r"contains no file \*\.parquet"):
        opened(tmp_path).keys()


def test_metadata_that_are_nested_too_deeply_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    table = pyarrow.table({"image": pyarrow.array([{"bytes": png(0), "path": None}], IMAGE)})
    parquet.write_table(table.replace_schema_metadata({"huggingface": "[" * 100_000}), path)

    assert opened(path).keys() == ["train/00000"]
