"""What random sets of patches did to a model's answers, kept so that an ablation can continue."""

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from harness.metrics.ablation import Draws, Figures

FOLDER = "ablations"


class KeptDraws(dict[Draws, Figures]):
    """The figures of draws that were measured on one image, in a file of a JSON line each.

    key: determines the figures. A line that was not written to its end is measured again.
    """

    def __init__(self, folder: Path, key: str) -> None:
        super().__init__()
        self._path = folder / FOLDER / f"{key}.jsonl"
        with contextlib.suppress(OSError):
            for line in self._path.read_bytes().splitlines():
                with contextlib.suppress(ValueError, TypeError, AttributeError):
                    draws, figures = json.loads(line)
                    arrays = {name: np.array(each, float) for name, each in figures.items()}
                    self.update({Draws(*draws): arrays})

    def __setitem__(self, draws: Draws, figures: Figures) -> None:
        super().__setitem__(draws, figures)
        entry: Any = [draws, {name: each.tolist() for name, each in figures.items()}]
        # Whoever may only read the run, or has no space left, measures them again next time.
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
            with self._path.open("ab", buffering=0) as file:
                # The first line break ends a line that was cut off.
                file.write(f"\n{json.dumps(entry)}\n".encode())
