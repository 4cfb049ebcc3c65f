from pathlib import Path

import numpy as np

from harness.engine.inline_worker import InlineWorker
from harness.engine.survey import Surveyor
from harness.engine.worker import WorkerConfig
from harness.engine.worker_process import WorkerProcess
from harness.planning.identity import source_digest
from harness.planning.plan import Survey
from harness.plugin import registry
from harness.plugin.values import HeadIndex
from support.progress import Listener

LIMIT = 60.0


def surveyed(worker: WorkerProcess, folder: Path, heard: Listener, map_set: str) -> Survey:
    return Surveyor(worker, folder / "maps", LIMIT, heard).survey((), (), (map_set,))


def attention(*shape: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.random.default_rng(0).dirichlet(np.ones(shape[-1]), size=shape[:-1])


def test_a_map_that_cannot_be_read_is_missing_at_its_own_image_layer_and_head(
    worker: WorkerProcess, tmp_path: Path, heard: Listener
) -> None:
    weights = attention(2, 3, 2, 4, 4)
    weights[1, 2, 0, 3, 1] = np.nan
    np.save(tmp_path / "a.npy", weights)

    maps = surveyed(worker, tmp_path, heard, f"arrays[path={tmp_path}/a.npy]").maps

    (lost,) = (found for found in maps if found.record.reason)
    assert (lost.image, lost.head_index) == ("a[1]", HeadIndex(2, 0))
    (line,) = heard.warnings
    assert line.startswith("a[1] layer 2 head 0: attention weights must be finite")
    assert line.endswith("[3, 1] is nan")


def test_maps_of_one_image_share_its_name_and_differ_by_layer_and_head(
    worker: WorkerProcess, tmp_path: Path, heard: Listener
) -> None:
    np.save(tmp_path / "a.npy", attention(2, 2, 2, 4, 4))

    maps = surveyed(worker, tmp_path, heard, f"arrays[path={tmp_path}/a.npy]").maps

    assert [(found.image, found.head_index) for found in maps] == [
        (f"a[{image}]", HeadIndex(layer, head)) for image, layer, head in np.ndindex(2, 2, 2)
    ]
    assert len({found.record.key for found in maps}) == 8
    assert heard.warnings == []


def test_rows_that_do_not_sum_to_one_cause_one_warning_with_the_range_of_their_sums(
    worker: WorkerProcess, tmp_path: Path, heard: Listener
) -> None:
    weights = attention(4, 3, 3)
    weights[1, 0] *= 0.5
    weights[2, 1] *= 3
    np.save(tmp_path / "a.npy", weights)
    text = f"arrays[path={tmp_path}/a.npy]"

    maps = surveyed(worker, tmp_path, heard, text).maps

    assert heard.warnings == [
        f"{text}: rows of a[1] and 1 more maps do not sum to one, but to 0.5 … 3; they are taken "
        "as they are"
    ]
    saved = np.load(tmp_path / "maps" / f"{maps[1].record.digest}.npy")
    assert (saved == weights[1]).all()


def test_the_rounding_of_half_precision_causes_no_warning(
    worker: WorkerProcess, tmp_path: Path, heard: Listener
) -> None:
    np.save(tmp_path / "a.npy", attention(300, 300).astype(np.float16))

    surveyed(worker, tmp_path, heard, f"arrays[path={tmp_path}/a.npy]")

    assert heard.warnings == []


CLUSTERERS = """
from dataclasses import dataclass
import harness

@dataclass(frozen=True)
class Undirected(harness.Clusterer):
    name = "undirected"
    def cluster(self, graph, *, seed):
        return graph.components
    def caveat(self):
        return "uses no directions"

@dataclass(frozen=True)
class Broken(Undirected):
    name = "broken"
    def caveat(self):
        raise RuntimeError

@harness.hookimpl
def harness_clusterers():
    return [Undirected, Broken]
"""


def test_what_a_clusterer_does_not_use_is_said(tmp_path: Path, heard: Listener) -> None:
    plugin = tmp_path / "undirected.py"
    plugin.write_text(CLUSTERERS)
    config = WorkerConfig((plugin,), {}, source_digest(), 1 << 30, extraction_threads=1)
    worker = InlineWorker(config, registry.load((plugin,)))

    surveyor = Surveyor(worker, tmp_path, LIMIT, heard)
    surveyor.warn_of_clusterers(("louvain", "broken", "undirected"))

    assert heard.warnings == ["undirected: uses no directions"]
