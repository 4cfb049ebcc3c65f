"""The Python interface; the command line offers the same."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.engine.runner import PreparedRun
from harness.errors import FolderOfRunsError, HarnessError, refuse_unknown
from harness.planning.declaration import Setting
from harness.planning.progress import Progress
from harness.planning.settings import SETTINGS, Execution
from harness.planning.suites import Plugins, resolve_run
from harness.plugin import registry
from harness.plugin.arguments import checked
from harness.plugin.component import Component
from harness.plugin.recorded import recalled
from harness.plugin.registry import KINDS
from harness.plugin.spec import split
from harness.results import Run as Run
from harness.store import open_for_reading
from harness.store.folders import run_folders
from harness.views.progress import shown_progress


def prepare(suite: str | Path | None, settings: Mapping[str, Any]) -> PreparedRun:
    """Resolve a run from the default suite, a suite file over it, and settings over both.

    Raises HarnessError if any setting is wrong.
    """
    return PreparedRun(*resolve_run(suite, settings, _recall))


def _recall(how: Execution) -> Plugins:
    """The plugins of a run that is resumed, besides those that are given."""
    if how.out is None:
        return how.plugins, ()
    try:
        with open_for_reading(how.out) as stored:
            return recalled(how.out, stored.sessions(), how.plugins)
    except HarnessError:
        # There is no run, or none that can be resumed, which is said when its folder is opened.
        return how.plugins, ()


@checked
def run(
    suite: str | Path | None = None, *, progress: bool | Progress = True, **settings: Any
) -> Run:
    """Run the harness, and return the run.

    Settings that are not given come from the suite file, else from the defaults. The same call
    again computes only what is missing.

    Parameters
    ----------
    suite : path, optional
        A TOML file with any of the settings that a suite may contain.
    progress : bool, default True
        Whether to show progress on stderr, from the second second on.
    {settings}

    Returns
    -------
    Run
        The tables of the run. Cells that failed are in them, with their reasons.

    Raises
    ------
    HarnessError
        If a setting or an input is wrong, or the folder cannot be used.

    Examples
    --------
    Two planted maps of 36 nodes, their rows permuted as a control:

    >>> import tempfile
    >>> import harness
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = harness.run(
    ...         extractors="planted[count=2,n=36]",
    ...         clusterers=["louvain[resolution=[0.5,1]]"],
    ...         controls="permuted-rows",
    ...         perturbations="none",
    ...         levels=4,
    ...         nulls=3,
    ...         out=f"{folder}/out",
    ...     )
    ...     sorted(run.leaderboard()["clusterer"])
    ['louvain', 'louvain[resolution=0.5]']
    """
    refuse_unknown("harness.run has no keyword", settings, _KEYWORDS, "it has")
    prepared = prepare(suite, settings)
    with shown_progress(progress, live=prepared.execution.isolation == "process") as shown:
        prepared.execute(shown)
    return Run(prepared.folder)


def _parameter(key: str, setting: Setting) -> str:
    """A setting in a numpydoc docstring."""
    default = "" if setting.default in (None, ()) else f", default {setting.default!r}"
    help = setting.help[0].upper() + setting.help[1:]
    return f"{key} : {setting.type_name}{default or ', optional'}\n        {help}."


def _signature() -> inspect.Signature:
    """What completion and `help` show of `run`: a keyword for each setting."""
    plain = inspect.signature(run)
    suite, progress, _ = plain.parameters.values()
    keywords = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None) for key in SETTINGS
    ]
    return plain.replace(parameters=[suite, *keywords, progress])


_KEYWORDS = ("suite", *SETTINGS, "progress")
run.__signature__ = _signature()  # type: ignore[attr-defined]
run.__doc__ = (run.__doc__ or "").replace(
    "{settings}", "\n    ".join(_parameter(*each) for each in SETTINGS.items())
)


@checked
def open_run(path: str | Path, selectors: Sequence[str] = ()) -> Run:
    """Open the run in a folder; warns if it is unfinished.

    Parameters
    ----------
    path
        The run's folder.
    selectors
        Names or specs of the selectors whose selections are read; by default the run's own,
        without those that `harness select` applied.

    Returns
    -------
    Run

    Raises
    ------
    HarnessError
        If there is no run, several, one of another version of the store, a damaged one, or none
        with such a selector.

    Examples
    --------
    >>> import harness
    >>> harness.open_run("nowhere")
    Traceback (most recent call last):
    ...
    harness.errors.HarnessError: nowhere: no run is there (run.sqlite is missing)
    """
    folder = Path(path)
    if run_folders(folder) not in ([], [folder]):
        raise FolderOfRunsError(folder)
    run = Run(folder, tuple(part for text in selectors for part in split(text)))
    if lacks := run.unfinished():
        warnings.warn(f"{folder}: {lacks}", stacklevel=3)
    return run


@checked
def make(kind: str, spec: str, plugins: Sequence[str | Path] = ()) -> Any:
    """Make the component that a spec describes, to call its methods by hand.

    Parameters
    ----------
    kind
        "image set", "extractor", "graph builder", "clusterer", "selector", "control",
        "perturbation" or "score"; underscores and hyphens stand for spaces.
    spec
        Name and parameters: "louvain", "louvain[resolution=0.5]".
    plugins
        Files or package folders with more plugins.

    Returns
    -------
    harness.Clusterer, harness.Selector, …
        The component. Methods that take a map, a graph or an image also take a numpy array.

    Raises
    ------
    HarnessError
        If the spec names no component, or more than one.

    Examples
    --------
    >>> import numpy as np
    >>> import harness
    >>> weights = np.kron(np.eye(2), np.ones((3, 3)))
    >>> harness.make("clusterer", "louvain").cluster(weights, seed=0)
    array([0, 0, 0, 1, 1, 1])
    """
    kind = kind.replace("_", " ").replace("-", " ")
    refuse_unknown("there is no kind", [kind], KINDS, "there are")
    made: list[Component] = registry.load([Path(path) for path in plugins]).make(kind, spec)
    if len(made) != 1:
        raise HarnessError(f"{spec!r} describes {len(made)} components; one is wanted")
    return made[0]
