"""Makes the shipped sample of tf-flowers: the thesis' four pictures and 16 other test images.

    python benchmarks/make_flowers_sample.py DATA_FOLDER OUTPUT_FOLDER

DATA_FOLDER is that of tf-flowers with its LICENSE.txt. Of every class come four photos: the
thesis' first, then those of the test split in its order, if their files have at most 60 KB.
`sample.csv` names author, address and licence of each, as LICENSE.txt does.
"""

import csv
import re
import shutil
import sys
from pathlib import Path

import harness
from harness_plugins.datasets.tf_flowers import CLASSES, THESIS_PICTURES

PER_CLASS = 4
MOST_BYTES = 60_000
CREDIT = re.compile(r"(?P<key>\S+) CC-BY by (?P<author>.+) - (?P<address>https?://\S+)")


def main() -> None:
    """Choose the photos, and copy them with their authors."""
    data, output = map(Path, sys.argv[1:])
    test = harness.make("image set", f"tf-flowers[path={data}]").keys()
    lines = (data / "LICENSE.txt").read_text("utf-8").splitlines()
    credit = {found["key"]: found for line in lines if (found := CREDIT.fullmatch(line.strip()))}
    small = [key for key in test if (data / key).stat().st_size <= MOST_BYTES]
    others = [key for key in small if key not in THESIS_PICTURES]
    by_class = [
        [key for key in (*THESIS_PICTURES, *others) if key.startswith(f"{name}/")][:PER_CLASS]
        for name in CLASSES
    ]
    chosen = [key for together in zip(*by_class, strict=True) for key in together]
    for key in chosen:
        (output / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / key, output / key)
    with (output / "sample.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "author", "address", "licence"])
        writer.writerows(
            (key, credit[key]["author"], credit[key]["address"], "CC BY 2.0") for key in chosen
        )


if __name__ == "__main__":
    main()
