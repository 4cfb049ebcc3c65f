"""The Python interface; the command line offers the same."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from harness.engine.runner import PreparedRun
from harness.errors import FolderOfRunsError, HarnessError, WrongValueError, refuse_unknown
from harness.objects.arrays import array_maps
from harness.planning.declaration import Setting
from harness.planning.progress import Progress
from harness.planning.settings import SETTINGS, Execution
from harness.planning.suites import Plugins, resolve_run
from harness.plugin.arguments import checked, several_values
from harness.plugin.recorded import recalled
from harness.plugin.spec import split
from harness.results.run import Run as Run
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
    suite: str | Path | None = None,
    *,
    maps: Any = None,
    prefix: int | None = None,
    grid: tuple[int, int] | Literal["square", "none"] | None = None,
    names: Sequence[str] | None = None,
    progress: bool | Progress = True,
    **settings: Any,
) -> Run:
    """Run the harness, and return the run.

    Settings that are not given come from the suite file, else from the defaults. The same call
    computes only what is missing.

    Wherever a setting takes specs, it also takes objects, alone or in a list with specs:
    components; for clusterers, functions `f(weights, seed)` that return labels, and estimators with
    `fit_predict`; for controls and perturbations, functions `f(weights, seed)` that return weights;
    for images, arrays of pixels. Objects are compared by content: what has changed is computed
    again. If a worker process cannot import an object, all components run in this process, and the
    run says so.

    Parameters
    ----------
    suite : path, optional
        A TOML file with any of the settings that a suite may contain.
    maps : array or tensor, or list of these, optional
        Attention weights, of shape (n, n), (images, n, n), (images, heads, n, n) or
        (images, layers, heads, n, n), finite and not negative. The arrays of a list have further
        images; their sizes may differ. Maps replace the default extractor.
    prefix : int, default 0
        How many tokens of the maps come before the patches, such as 1 for a class token. They are
        removed, and rows are rescaled to sum to one.
    grid : (rows, columns), "square" or "none", default "square"
        Rows and columns of the patches; "square" takes the square root of their number if it is
        whole, "none" is for tokens that are not patches.
    names : list of str, optional
        Names of the images of the maps; by default `image-0`, `image-1`, ….
    progress : bool, default True
        Whether to show progress on stderr, after the first two seconds.
    {settings}

    Returns
    -------
    Run
        The run. Its tables include failed cells, with their reasons.

    Raises
    ------
    HarnessError
        If a setting or an input is wrong, or the folder cannot be used.

    Examples
    --------
    A function on two maps, in five lines:

    >>> import tempfile
    >>> import numpy as np
    >>> import harness
    >>> def halves(weights, seed):
    ...     return np.arange(len(weights)) // (len(weights) // 2)
    >>> maps = np.random.default_rng(0).dirichlet(np.ones(16), (2, 16))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = harness.run(
    ...         maps=maps, clusterers=["louvain", halves], levels=4, nulls=3, out=f"{folder}/out"
    ...     )
    ...     sorted(run.leaderboard()["clusterer"])
    ['halves', 'louvain']

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
    if maps is not None:
        given = array_maps(maps, prefix or 0, grid or "square", names)
        settings["extractors"] = [*several_values(settings.get("extractors") or ()), given]
    elif (prefix, grid, names) != (None, None, None):
        raise WrongValueError("prefix, grid and names describe maps, and there is no keyword maps")
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
    *own, _ = plain.parameters.values()
    keywords = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None) for key in SETTINGS
    ]
    return plain.replace(parameters=[*own, *keywords])


_KEYWORDS = (*list(inspect.signature(run).parameters)[:-1], *SETTINGS)
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
        The run.

    Raises
    ------
    HarnessError
        If the folder has no run, or several, if its store is damaged or of another version, or if
        it has no such selector.

    Examples
    --------
    >>> import harness
    >>> harness.open_run("nowhere")
    Traceback (most recent call last):
    ...
    harness.errors.MissingFileError: nowhere: no run is there (run.sqlite is missing)
    """
    folder = Path(path)
    if run_folders(folder) not in ([], [folder]):
        raise FolderOfRunsError(folder)
    run = Run(folder, tuple(part for text in selectors for part in split(text)))
    if lacks := run.unfinished():
        warnings.warn(f"{folder}: {lacks}", stacklevel=3)
    return run
