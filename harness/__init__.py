"""The public interface: all that a plugin author or a notebook imports.

Names are resolved when they are first used, so that `import harness` costs next to nothing.
"""

# `python -m harness` imports this with the working folder on the path: no module is imported here
# that a file of the user's could shadow, typing included.
import importlib

from harness.lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from harness.api import Run as Run
    from harness.api import open_run as open_run
    from harness.api import run as run
    from harness.attention import attention_of as attention_of
    from harness.components import clusterer as clusterer
    from harness.components import extractor as extractor
    from harness.components import graph_builder as graph_builder
    from harness.components import image_control as image_control
    from harness.components import image_set as image_set
    from harness.components import make as make
    from harness.components import map_control as map_control
    from harness.components import map_set as map_set
    from harness.components import perturbation as perturbation
    from harness.components import score as score
    from harness.components import selector as selector
    from harness.errors import HarnessError as HarnessError
    from harness.metrics.jaccard import best_match_jaccard as best_match_jaccard
    from harness.metrics.jaccard import best_match_jaccards as best_match_jaccards
    from harness.metrics.modularity import modularity as modularity
    from harness.metrics.significance import p_value as p_value
    from harness.metrics.stability import adjusted_jaccard as adjusted_jaccard
    from harness.metrics.ties import exceeds as exceeds
    from harness.metrics.ties import merge_ties as merge_ties
    from harness.objects.graph_libraries import from_igraph as from_igraph
    from harness.objects.graph_libraries import from_networkx as from_networkx
    from harness.plugin.ablation import Ablatable as Ablatable
    from harness.plugin.ablation import AblationSpec as AblationSpec
    from harness.plugin.ablation import Ablator as Ablator
    from harness.plugin.ablation import At as At
    from harness.plugin.ablation import Fill as Fill
    from harness.plugin.ablation import ModelResponse as ModelResponse
    from harness.plugin.ablation import OutputKind as OutputKind
    from harness.plugin.base import Clusterer as Clusterer
    from harness.plugin.base import GraphBuilder as GraphBuilder
    from harness.plugin.base import Selector as Selector
    from harness.plugin.draws import ImageControl as ImageControl
    from harness.plugin.draws import MapControl as MapControl
    from harness.plugin.draws import Perturbation as Perturbation
    from harness.plugin.graph import Graph as Graph
    from harness.plugin.graph import Partition as Partition
    from harness.plugin.hooks import hookimpl as hookimpl
    from harness.plugin.modules import plugin_module as plugin_module
    from harness.plugin.patches import Patches as Patches
    from harness.plugin.patches import without_prefix as without_prefix
    from harness.plugin.profile import Point as Point
    from harness.plugin.profile import Profile as Profile
    from harness.plugin.profile import Selection as Selection
    from harness.plugin.requirement import NETWORKX as NETWORKX
    from harness.plugin.requirement import Requirement as Requirement
    from harness.plugin.score import LabelledGraph as LabelledGraph
    from harness.plugin.score import Score as Score
    from harness.plugin.sources import Extractor as Extractor
    from harness.plugin.sources import ImageSet as ImageSet
    from harness.plugin.sources import LabelledImageSet as LabelledImageSet
    from harness.plugin.sources import MapSet as MapSet
    from harness.plugin.sources import Split as Split
    from harness.plugin.values import OBSERVED as OBSERVED
    from harness.plugin.values import UNASSIGNED as UNASSIGNED
    from harness.plugin.values import AttentionMap as AttentionMap
    from harness.plugin.values import Floats as Floats
    from harness.plugin.values import HeadIndex as HeadIndex
    from harness.plugin.values import Image as Image
    from harness.plugin.values import Integers as Integers
    from harness.plugin.values import Variant as Variant
    from harness.plugin.values import read_only as read_only

    __all__: list[str]
    __version__: str

# Each public name by the module that defines it.
HOMES = {
    "harness.api": "Run open_run run",
    "harness.attention": "attention_of",
    "harness.components": (
        "clusterer extractor graph_builder image_control image_set make map_control map_set "
        "perturbation score selector"
    ),
    "harness.errors": "HarnessError",
    "harness.metrics.modularity": "modularity",
    "harness.metrics.jaccard": "best_match_jaccard best_match_jaccards",
    "harness.metrics.significance": "p_value",
    "harness.metrics.stability": "adjusted_jaccard",
    "harness.metrics.ties": "exceeds merge_ties",
    "harness.objects.graph_libraries": "from_igraph from_networkx",
    "harness.plugin.ablation": "Ablatable AblationSpec Ablator At Fill ModelResponse OutputKind",
    "harness.plugin.base": "Clusterer GraphBuilder Selector",
    "harness.plugin.draws": "ImageControl MapControl Perturbation",
    "harness.plugin.modules": "plugin_module",
    "harness.plugin.graph": "Graph Partition",
    "harness.plugin.hooks": "hookimpl",
    "harness.plugin.patches": "Patches without_prefix",
    "harness.plugin.profile": "Point Profile Selection",
    "harness.plugin.requirement": "NETWORKX Requirement",
    "harness.plugin.score": "LabelledGraph Score",
    "harness.plugin.sources": "Extractor ImageSet LabelledImageSet MapSet Split",
    "harness.plugin.values": (
        "OBSERVED UNASSIGNED AttentionMap Floats HeadIndex Image Integers Variant read_only"
    ),
}

# Type checkers see the imports above alone, and so report names that do not exist.
if not TYPE_CHECKING:
    _public_name, __dir__, __all__ = attach(__name__, HOMES)

    def __getattr__(name):
        if name == "__version__":
            return importlib.import_module("harness.plugin.installed").harness_version()
        return _public_name(name)
