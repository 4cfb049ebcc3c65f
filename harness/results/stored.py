"""What the store of a run holds, as it is: its tables as frames, settings, sessions and counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from harness.analysis.partitions import matching_specs
from harness.plugin.arguments import checked_class
from harness.store import Store, frames, open_for_reading
from harness.store.missing import unfinished
from harness.store.selections import failures
from harness.store.sessions import caveats

if TYPE_CHECKING:
    import pandas

P = ParamSpec("P")
T = TypeVar("T")


@checked_class
@dataclass(frozen=True, repr=False)
class StoredRun:
    """A run's folder, and the selectors whose selections are read; see `harness.Run`."""

    folder: Path
    selectors: tuple[str, ...] = ()

    def images(self) -> "pandas.DataFrame":
        """Return a frame of every image, unreadable ones with the reason.

        It holds image_set, image, class_name (as all tables of images do; "" without a label),
        digest of the pixels, height, width and channels in pixels, label, reason.
        """
        return self._read(frames.images)

    def cells(self) -> "pandas.DataFrame":
        """Return a frame of every planned cell and its status.

        It holds cell and what identifies it, status (ok, failed, invalid, timed out, killed or
        missing), reason, detail, seconds, peak_memory in bytes, nodes.
        """
        return self._read(frames.cells)

    def points(self) -> "pandas.DataFrame":
        """Return a frame of every point of every profile: a cell at a level.

        It holds cell and what identifies it, point, level (the fraction of weights that is pruned),
        threshold, density, modularity on the pruned and on the full graph, n_clusters, coverage,
        labels (arrays of n nodes, −1 is unassigned), diagnostics and warnings (JSON).
        """
        return self._read(frames.points)

    def selections(self) -> "pandas.DataFrame":
        """Return a frame of every selection, with the point that it selected.

        It holds cell and what identifies it, selector, status, accepted, candidate (the point),
        level, threshold, modularity, n_clusters, coverage, statistic, the plateau's first and last
        point, reason.
        """
        return self._read(frames.selections)

    def tests(self) -> "pandas.DataFrame":
        """Return a frame of the test of every selection against each control.

        It holds cell and what identifies it, selector, control, statistic, null_statistics (an
        array), their mean and deviation, null_candidates (an array of the points selected on the
        draws, −1 where none was accepted), z, p, q (p adjusted for the false discovery rate), and
        bias and single_bias, the mean excess of the map's draws and that of the first.
        """
        return self._read(frames.tests)

    def stabilities(self) -> "pandas.DataFrame":
        """Return a frame of how stable every accepted selection is.

        It holds cell and what identifies it, selector, kind (levels, seeds or a perturbation),
        compared partitions, jaccard (adjusted for chance), and the least stable cluster.
        """
        return self._read(frames.stabilities)

    def scores(self) -> "pandas.DataFrame":
        """Return a frame of every figure that `score` computed: a score of a cell at a level.

        It holds cell and what identifies it, point, level, score, figure (NaN is undefined),
        reason (why it failed), and of the score higher_is_better, lowest, highest, version and the
        digest of its code.
        """
        return self._read(frames.scores)

    def unfinished(self) -> str:
        """Return what the run lacks because it was stopped, in words; "" if it is complete.

        What is there can be read, and is all that figures and tests are made of.
        """
        return self._read(unfinished)

    def settings(self) -> dict[str, Any]:
        """Return what was asked for: the fields of `Settings`, by name."""
        return self._read(Store.settings)

    def sessions(self) -> list[dict[str, Any]]:
        """Return environment, source and invocation of every execution, the latest last."""
        return self._read(Store.sessions)

    def failures(self) -> dict[str, int]:
        """Return how much failed, by what it was: "image could not be read", "cell timed out", …

        A selection that found nothing did not fail, and a cell without a map counts by its map.
        """
        return self._read(failures)

    def controls(self) -> list[str]:
        """Return the specs of the controls that images or maps are compared with."""
        return self._read(Store.controls)

    def caveats(self, controls: Sequence[str]) -> dict[str, str]:
        """Return why a small p under some controls, given by specs, may not be evidence."""

        def read(stored: Store) -> dict[str, str]:
            known = stored.controls()
            return caveats(stored, matching_specs("control", controls, known) if controls else [])

        return self._read(read)

    def statuses(self) -> dict[str, int]:
        """Return how many planned cells have each status."""
        return self._read(Store.statuses)

    def _read(
        self, part: Callable[Concatenate[Store, P], T], *arguments: P.args, **options: P.kwargs
    ) -> T:
        with open_for_reading(self.folder) as stored:
            if self.selectors:
                known = stored.known_selectors()
                chosen = matching_specs("selector", self.selectors, known)
            else:
                chosen = list(stored.selectors)
            stored.show_selectors(chosen)
            return part(stored, *arguments, **options)
