"""Pictures in one folder per class."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness import HarnessError
from harness_plugins.datasets import pictures
from harness_plugins.datasets.splits import rank


class LabelledPicture(NamedTuple):
    """A picture's file, and the index of its class."""

    path: Path
    label: int


def find(folder: Path, classes: Sequence[str]) -> dict[str, LabelledPicture]:
    """The pictures CLASS/FILE below a folder, by these paths.

    Pictures come class by class and, within a class, in the order of `splits.rank`: file names
    often reflect a picture's origin, so the first few by name would not be representative.
    """
    if not folder.is_dir():
        raise HarnessError(f"{folder}: no such folder; it should contain {', '.join(classes)}")
    label_of = {name: label for label, name in enumerate(classes)}
    found = [
        (label_of[parts[0]], key, path)
        for key, path in pictures.find(folder).items()
        if len(parts := key.split("/")) == 2 and parts[0] in label_of
    ]
    empty = [name for name in classes if label_of[name] not in {label for label, _, _ in found}]
    for name in empty:
        if (folder / name).is_symlink():
            raise HarnessError(
                f"{folder / name}: a link to a folder, and linked folders are not followed; put "
                "the folder itself there"
            )
    if empty:
        raise HarnessError(
            f"{folder}: expected the folders {', '.join(classes)} with pictures; there are none "
            f"in {', '.join(empty)}"
        )
    found.sort(key=lambda entry: (entry[0], rank(entry[1])))
    return {key: LabelledPicture(path, label) for label, key, path in found}
