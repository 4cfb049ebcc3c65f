"""What the commands of plugins may import besides the public names of `harness`.

A command is a module that defines `SUMMARY`, `add_arguments(parser)` and `run(arguments)`, which
returns the exit status. A package registers it under the entry point group `harness.commands`.
Names are resolved when they are first used, so that `harness --help` stays quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.analysis.ablated_images import ClusterPatches
    from harness.analysis.ablation import Ablation, AblationSettings
    from harness.analysis.foreground import MethodAgreement
    from harness.analysis.inputs import TellsClasses
    from harness.analysis.masks import BrightnessThreshold
    from harness.cli.options import add_plugin_option
    from harness.engine.environment import environment, invocation, source
    from harness.metrics.ablation import Chance, Effect
    from harness.metrics.ablation_contrasts import Contrast
    from harness.metrics.inference import bootstrap_interval, signed_rank_p
    from harness.metrics.matching import best_unions
    from harness.planning.progress import Progress
    from harness.plugin.spec import did_you_mean, format_spec, format_value
    from harness.views.figures.ablation import EffectBar, logit_changes
    from harness.views.figures.clusters import panels, side_by_side
    from harness.views.figures.gallery import gallery
    from harness.views.figures.heatmaps import query_heatmaps
    from harness.views.figures.profiles import Curve, profile_figure
    from harness.views.figures.style import (
        CHOSEN,
        colour,
        new_figure,
        photo,
        picture,
        save,
        style,
    )
    from harness.views.progress import shown_progress

_HOMES = {
    "harness.analysis.ablated_images": ("ClusterPatches",),
    "harness.analysis.ablation": ("Ablation", "AblationSettings"),
    "harness.analysis.foreground": ("MethodAgreement",),
    "harness.analysis.inputs": ("TellsClasses",),
    "harness.analysis.masks": ("BrightnessThreshold",),
    "harness.cli.options": ("add_plugin_option",),
    "harness.engine.environment": ("environment", "invocation", "source"),
    "harness.planning.progress": ("Progress",),
    "harness.metrics.ablation": ("Chance", "Effect"),
    "harness.metrics.ablation_contrasts": ("Contrast",),
    "harness.metrics.inference": ("bootstrap_interval", "signed_rank_p"),
    "harness.metrics.matching": ("best_unions",),
    "harness.plugin.spec": ("did_you_mean", "format_spec", "format_value"),
    "harness.views.figures.ablation": ("EffectBar", "logit_changes"),
    "harness.views.figures.clusters": ("panels", "side_by_side"),
    "harness.views.figures.gallery": ("gallery",),
    "harness.views.figures.heatmaps": ("query_heatmaps",),
    "harness.views.figures.profiles": ("Curve", "profile_figure"),
    "harness.views.figures.style": (
        "CHOSEN",
        "colour",
        "new_figure",
        "photo",
        "picture",
        "save",
        "style",
    ),
    "harness.views.progress": ("shown_progress",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CHOSEN",
    "Ablation",
    "AblationSettings",
    "BrightnessThreshold",
    "Chance",
    "ClusterPatches",
    "Contrast",
    "Curve",
    "Effect",
    "EffectBar",
    "MethodAgreement",
    "Progress",
    "TellsClasses",
    "add_plugin_option",
    "best_unions",
    "bootstrap_interval",
    "colour",
    "did_you_mean",
    "environment",
    "format_spec",
    "format_value",
    "gallery",
    "invocation",
    "logit_changes",
    "new_figure",
    "panels",
    "photo",
    "picture",
    "profile_figure",
    "query_heatmaps",
    "save",
    "shown_progress",
    "side_by_side",
    "signed_rank_p",
    "source",
    "style",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'harness.command' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
