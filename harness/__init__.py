"""The public interface: all that a plugin author or a notebook imports.

Names are resolved when they are first used, so that `import harness` costs next to nothing.
"""

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import Run, make, open_run, run
    from harness.components import (
        Clusterer,
        Extractor,
        GraphBuilder,
        ImageControl,
        ImageSet,
        LabelledImageSet,
        MapControl,
        MapSet,
        Perturbation,
        Selector,
        Split,
    )
    from harness.errors import HarnessError
    from harness.hookspecs import hookimpl
    from harness.scores import modularity
    from harness.scores.jaccard import best_match_jaccard, best_match_jaccards
    from harness.scores.significance import p_value
    from harness.scores.stability import adjusted_jaccard
    from harness.values import (
        OBSERVED,
        UNASSIGNED,
        AttentionMap,
        Floats,
        Graph,
        Image,
        Integers,
        Partition,
        Point,
        Profile,
        Selection,
        Slot,
        Variant,
        read_only,
    )

_HOMES = {
    "harness.api": ("Run", "make", "open_run", "run"),
    "harness.components": (
        "Clusterer",
        "Extractor",
        "GraphBuilder",
        "ImageControl",
        "ImageSet",
        "LabelledImageSet",
        "MapControl",
        "MapSet",
        "Perturbation",
        "Selector",
        "Split",
    ),
    "harness.errors": ("HarnessError",),
    "harness.hookspecs": ("hookimpl",),
    "harness.scores": ("modularity",),
    "harness.scores.jaccard": ("best_match_jaccard", "best_match_jaccards"),
    "harness.scores.significance": ("p_value",),
    "harness.scores.stability": ("adjusted_jaccard",),
    "harness.values": (
        "OBSERVED",
        "UNASSIGNED",
        "AttentionMap",
        "Floats",
        "Graph",
        "Image",
        "Integers",
        "Partition",
        "Point",
        "Profile",
        "Selection",
        "Slot",
        "Variant",
        "read_only",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "OBSERVED",
    "UNASSIGNED",
    "AttentionMap",
    "Clusterer",
    "Extractor",
    "Floats",
    "Graph",
    "GraphBuilder",
    "HarnessError",
    "Image",
    "ImageControl",
    "ImageSet",
    "Integers",
    "LabelledImageSet",
    "MapControl",
    "MapSet",
    "Partition",
    "Perturbation",
    "Point",
    "Profile",
    "Run",
    "Selection",
    "Selector",
    "Slot",
    "Split",
    "Variant",
    "adjusted_jaccard",
    "best_match_jaccard",
    "best_match_jaccards",
    "hookimpl",
    "make",
    "modularity",
    "open_run",
    "p_value",
    "read_only",
    "run",
]


# The package's name where packages are installed from.
DISTRIBUTION = "attention-harness"


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.metadata.version(DISTRIBUTION)
    if name not in _HOME_OF:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
