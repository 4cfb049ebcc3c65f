"""Images in Parquet files, as Hugging Face's `datasets` writes them."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

import harness
from harness import HarnessError, Split
from harness_plugins.datasets import pictures, shards, splits
from harness_plugins.image_sets.labelled import OwnSet
from harness_plugins.parameters import check_bounds


class Table(NamedTuple):
    """The rows of all shards by key, the class of each, −1 for none, and the classes' names."""

    rows: Mapping[str, shards.Row]
    labels: Mapping[str, int]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Parquet(OwnSet):
    """Images in Parquet files, such as the shards that Hugging Face's `datasets` writes.

    A column holds the images, as structs with the field `bytes` or as bytes, in any format that
    the image set `folder` reads; another one may hold their classes. Keys are a shard's path
    without its suffix and the row, from 0: train-00000-of-00002/00019. At most one row group is in
    memory.

    Parameters
    ----------
    path
        one file, or a folder whose files *.parquet are the shards.
    split
        train, validation or test, by the names of shards or their folders, else made by the
        harness; none: all images.
    count
        number of images, taking the classes in turn; none: all.
    only
        just the images with these keys, in this order.
    image
        the column of images; none: the only one with structs of bytes.
    label
        the column of classes; none: the only one that `datasets` calls a class label, if any.
    max_pixels
        images of more pixels are refused before they are decoded.
    """

    name: ClassVar[str] = "parquet"
    requires: ClassVar[harness.Requirement] = harness.Requirement(
        "attention-harness[parquet]", ("pyarrow",)
    )
    # Has no default here.
    path: Path = field()
    image: str | None = None
    label: str | None = None
    max_pixels: int = pictures.MAX_PIXELS

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, "max_pixels", least=1)

    def classes(self) -> Sequence[str]:
        """Those that `datasets` names, else the values of the column, sorted."""
        return self._table.classes

    def all_labels(self) -> Mapping[str, int]:
        """In the order of shards and rows."""
        return self._table.labels

    def named_splits(self) -> Mapping[str, Split]:
        """By the names of the shards, or of the folders that they are in."""
        split_of = {name: _named_split(name) for name in self._shards}
        found = {key: split_of[key.rpartition("/")[0]] for key in self._table.rows}
        return {key: split for key, split in found.items() if split}

    def pixels(self, key: str) -> NDArray[np.uint8]:
        """Grey or RGB."""
        try:
            content = self._pictures.bytes_of(self._table.rows[key])
        except HarnessError as error:
            raise HarnessError(f"{key}: {error}") from error
        return pictures.decode(content, key, self.max_pixels)

    @property
    def _owner(self) -> str:
        return str(self.path)

    @cached_property
    def _shards(self) -> Mapping[str, Path]:
        return shards.find(Path(os.path.expanduser(self.path)))

    @cached_property
    def _columns(self) -> shards.Columns:
        """Those of the first shard, which all others must have."""
        first, *others = self._shards.values()
        columns = shards.columns_of(first, self.image, self.label)
        for shard in others:
            if shards.columns_of(shard, self.image, self.label) != columns:
                raise HarnessError(
                    f"{shard}: other columns of images and labels, or other classes, than in "
                    f"{first.name}; put the shards of one set into one folder"
                )
        return columns

    @cached_property
    def _pictures(self) -> shards.Pictures:
        return shards.Pictures(self._columns.image)

    @cached_property
    def _table(self) -> Table:
        columns = self._columns
        rows: dict[str, shards.Row] = {}
        values: dict[str, int | str | None] = {}
        for name, shard in self._shards.items():
            of_shard = shards.rows_of(shard)
            keys = [f"{name}/{number:05d}" for number in range(len(of_shard))]
            rows.update(zip(keys, of_shard, strict=True))
            if columns.label:
                values.update(zip(keys, shards.values_of(shard, columns.label), strict=True))
        if not rows:
            raise HarnessError(f"{self.path}: contains no row")
        classes, label_of = _classes(columns, values.values())
        labels = {key: -1 if values.get(key) is None else label_of[values[key]] for key in rows}
        return Table(rows, labels, classes)


def _classes(
    columns: shards.Columns, values: Iterable[int | str | None]
) -> tuple[tuple[str, ...], Mapping[int | str | None, int]]:
    """The names of the classes, and the label of each value."""
    found = {value for value in values if value is not None}
    if not columns.names:
        ordered = sorted(found, key=lambda value: (isinstance(value, str), value))
        return tuple(map(str, ordered)), {value: label for label, value in enumerate(ordered)}
    if any(isinstance(value, str) for value in found):
        raise HarnessError(f"column {columns.label} holds texts, not indices of its class names")
    return columns.names, {value: int(value) for value in found}


def _named_split(name: str) -> Split | None:
    """The split that a shard's name or, from the last on, one of its folders' begins with."""
    parts = reversed(PurePosixPath(name).parts)
    return next((split for part in parts if (split := splits.named(part))), None)


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [Parquet]
