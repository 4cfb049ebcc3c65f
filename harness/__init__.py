"""The public interface: all that a plugin author or a notebook imports.

Names are resolved when they are first used, so that `import harness` costs next to nothing.
"""

import importlib

# `python -m harness` imports this with the working folder on the path: no module is imported here
# that a file of the user's could shadow, typing included.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from harness.api import Run, make, open_run, run
    from harness.errors import HarnessError
    from harness.metrics.jaccard import best_match_jaccard, best_match_jaccards
    from harness.metrics.modularity import modularity
    from harness.metrics.significance import p_value
    from harness.metrics.stability import adjusted_jaccard
    from harness.plugin.ablation import (
        Ablatable,
        AblationSpec,
        Ablator,
        At,
        Fill,
        ModelResponse,
        OutputKind,
    )
    from harness.plugin.base import (
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
    from harness.plugin.hooks import hookimpl
    from harness.plugin.values import (
        OBSERVED,
        UNASSIGNED,
        AttentionMap,
        Floats,
        Graph,
        HeadIndex,
        Image,
        Integers,
        Partition,
        Point,
        Profile,
        Selection,
        Variant,
        read_only,
    )

_HOMES = {
    "harness.api": ("Run", "make", "open_run", "run"),
    "harness.plugin.ablation": (
        "Ablatable",
        "ModelResponse",
        "Ablator",
        "OutputKind",
        "At",
        "Fill",
        "AblationSpec",
    ),
    "harness.plugin.base": (
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
    "harness.plugin.hooks": ("hookimpl",),
    "harness.metrics.jaccard": ("best_match_jaccard", "best_match_jaccards"),
    "harness.metrics.modularity": ("modularity",),
    "harness.metrics.significance": ("p_value",),
    "harness.metrics.stability": ("adjusted_jaccard",),
    "harness.plugin.values": (
        "OBSERVED",
        "UNASSIGNED",
        "AttentionMap",
        "Floats",
        "Graph",
        "HeadIndex",
        "Image",
        "Integers",
        "Partition",
        "Point",
        "Profile",
        "Selection",
        "Variant",
        "read_only",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "OBSERVED",
    "UNASSIGNED",
    "Ablatable",
    "AblationSpec",
    "Ablator",
    "At",
    "AttentionMap",
    "Clusterer",
    "Extractor",
    "Fill",
    "Floats",
    "Graph",
    "GraphBuilder",
    "HarnessError",
    "HeadIndex",
    "Image",
    "ImageControl",
    "ImageSet",
    "Integers",
    "LabelledImageSet",
    "MapControl",
    "MapSet",
    "ModelResponse",
    "OutputKind",
    "Partition",
    "Perturbation",
    "Point",
    "Profile",
    "Run",
    "Selection",
    "Selector",
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


def __getattr__(name: str) -> "Any":
    if name == "__version__":
        metadata = importlib.import_module("importlib.metadata")
        return metadata.version(DISTRIBUTION)
    if name not in _HOME_OF:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
