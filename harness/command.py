"""What the commands of plugins may import besides the public names of `harness`.

A command is a module that defines `SUMMARY`, `add_arguments(parser)` and `run(arguments)`, which
returns the exit status. It may define `following(arguments)`, which returns the words of the next
useful `harness` command, and `REQUIRES`, a `harness.Requirement` that must be met before `run` is
called. A package registers it under the entry point group `harness.commands`. As `harness --help`
imports every command, the module imports large libraries inside functions; the names below are
resolved when they are first used.
"""

from typing import TYPE_CHECKING

from harness.lazy import attach

if TYPE_CHECKING:
    from harness.analysis.ablation import Ablation as Ablation
    from harness.analysis.ablation import AblationSettings as AblationSettings
    from harness.analysis.ablation import ImageAblation as ImageAblation
    from harness.analysis.agreement import MethodAgreement as MethodAgreement
    from harness.analysis.image import Noise as Noise
    from harness.analysis.image import SelectorReport as SelectorReport
    from harness.analysis.masks import BrightnessThreshold as BrightnessThreshold
    from harness.cli.options import add_figure_options as add_figure_options
    from harness.cli.options import add_plugin_option as add_plugin_option
    from harness.cli.options import figure_settings as figure_settings
    from harness.cli.output import exit_status as exit_status
    from harness.cli.output import table_console as table_console
    from harness.cli.output import write_table as write_table
    from harness.engine.environment import environment as environment
    from harness.engine.environment import invocation as invocation
    from harness.engine.environment import source as source
    from harness.errors import did_you_mean as did_you_mean
    from harness.errors import escape_controls as escape_controls
    from harness.metrics.ablation import Effect as Effect
    from harness.metrics.inference import bootstrap_interval as bootstrap_interval
    from harness.metrics.inference import signed_rank_p as signed_rank_p
    from harness.metrics.matching import best_unions as best_unions
    from harness.metrics.partition import numbered as numbered
    from harness.planning.progress import SILENT as SILENT
    from harness.planning.progress import Progress as Progress
    from harness.plugin.classes import classes_of as classes_of
    from harness.plugin.requirement import FIGURES as FIGURES
    from harness.plugin.spec import component_name as component_name
    from harness.plugin.spec import format_spec as format_spec
    from harness.plugin.spec import format_value as format_value
    from harness.views.colours import CHOSEN as CHOSEN
    from harness.views.colours import colour as colour
    from harness.views.colours import marker as marker
    from harness.views.figures.clusters import panels as panels
    from harness.views.figures.clusters import side_by_side as side_by_side
    from harness.views.figures.files import DEFAULT_FORMATS as DEFAULT_FORMATS
    from harness.views.figures.files import save as save
    from harness.views.figures.gallery import gallery as gallery
    from harness.views.figures.heatmaps import query_heatmaps as query_heatmaps
    from harness.views.figures.intervals import Interval as Interval
    from harness.views.figures.intervals import interval_panels as interval_panels
    from harness.views.figures.patched import Patched as Patched
    from harness.views.figures.profiles import Curve as Curve
    from harness.views.figures.profiles import profile_figure as profile_figure
    from harness.views.figures.style import PAGE as PAGE
    from harness.views.figures.style import new_figure as new_figure
    from harness.views.figures.style import photo as photo
    from harness.views.figures.style import picture as picture
    from harness.views.figures.style import style as style
    from harness.views.progress import shown_progress as shown_progress
    from harness.views.tables import Column as Column
    from harness.views.tables import number as number
    from harness.views.tables import print_text as print_text
    from harness.views.tables import show_table as show_table
    from harness.written import replacing as replacing

# Each public name by the module that defines it.
HOMES = {
    "harness.analysis.ablation": "Ablation AblationSettings ImageAblation",
    "harness.analysis.agreement": "MethodAgreement",
    "harness.analysis.image": "Noise SelectorReport",
    "harness.analysis.masks": "BrightnessThreshold",
    "harness.cli.options": "add_figure_options add_plugin_option figure_settings",
    "harness.cli.output": "exit_status table_console write_table",
    "harness.engine.environment": "environment invocation source",
    "harness.errors": "did_you_mean escape_controls",
    "harness.metrics.ablation": "Effect",
    "harness.metrics.inference": "bootstrap_interval signed_rank_p",
    "harness.metrics.matching": "best_unions",
    "harness.metrics.partition": "numbered",
    "harness.planning.progress": "SILENT Progress",
    "harness.plugin.classes": "classes_of",
    "harness.plugin.requirement": "FIGURES",
    "harness.plugin.spec": "component_name format_spec format_value",
    "harness.views.colours": "CHOSEN colour marker",
    "harness.views.figures.clusters": "panels side_by_side",
    "harness.views.figures.files": "DEFAULT_FORMATS save",
    "harness.views.figures.gallery": "gallery",
    "harness.views.figures.heatmaps": "query_heatmaps",
    "harness.views.figures.intervals": "Interval interval_panels",
    "harness.views.figures.patched": "Patched",
    "harness.views.figures.profiles": "Curve profile_figure",
    "harness.views.figures.style": "PAGE new_figure photo picture style",
    "harness.views.progress": "shown_progress",
    "harness.views.tables": "Column number print_text show_table",
    "harness.written": "replacing",
}

# Type checkers see the imports above alone, and so report names that do not exist.
if not TYPE_CHECKING:
    __getattr__, __dir__, __all__ = attach(__name__, HOMES)
