"""What components of every kind keep to, whatever they do: they leave no trace in their process."""

import gc
import os
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np

from harness.engine.isolation import SIGNALS, address_space, borrowed
from harness.engine.score import scored
from harness.plugin.base import Clusterer, GraphBuilder, Selector
from harness.plugin.component import Component
from harness.plugin.draws import ImageControl, MapControl, Perturbation
from harness.plugin.score import Score
from harness.plugin.sources import ImageSet, MapSet
from harness.plugin.values import digest_of
from harness.testing.clusterers import labels_of
from harness.testing.draws import drawn_image, drawn_map
from harness.testing.graph_builders import graphs_of
from harness.testing.inputs import plain_image, planted_graph, planted_map, profile
from harness.testing.law import Law, law, require
from harness.testing.scores import labelled_map
from harness.testing.selectors import PEAK, noise, selected
from harness.testing.sources import images_of, maps_of

# Models load libraries that print, start threads and keep memory.
KINDS = (
    *(ImageSet, MapSet, GraphBuilder, Clusterer, Selector),
    *(ImageControl, MapControl, Perturbation, Score),
)
# Bytes that may stay in a process after each of some calls.
KEPT = 1 << 25


@singledispatch
def use(component: Component) -> Sequence[str]:
    """Let a component do its work once; returns digests of what it gives."""
    raise TypeError(f"{component.kind}: there is no use of it")


@use.register
def _(component: ImageSet) -> Sequence[str]:
    return [image.digest for image in images_of(component).values()]


@use.register
def _(component: MapSet) -> Sequence[str]:
    return [attention.digest for attention in maps_of(component).values()]


@use.register
def _(component: GraphBuilder) -> Sequence[str]:
    return [digest_of(graph.adjacency.data) for graph in graphs_of(component, planted_map())]


@use.register
def _(component: Clusterer) -> Sequence[str]:
    return [digest_of(labels_of(component, planted_graph(inside=0.3, across=0.1)[0]))]


@use.register
def _(component: Selector) -> Sequence[str]:
    return [repr(selected(component, profile(PEAK), noise(20)))]


@use.register
def _(component: Score) -> Sequence[str]:
    return [repr(scored(component, labelled_map()))]


@use.register
def _(component: ImageControl) -> Sequence[str]:
    return [drawn_image(component, plain_image()).digest]


@use.register(MapControl)
@use.register(Perturbation)
def _(component: MapControl | Perturbation) -> Sequence[str]:
    return [drawn_map(component, planted_map()).digest]


def another_process_gives_the_same(component: Component) -> str:
    """What a component gives in this process, to be compared with what it gives in another."""
    return " ".join(use(component))


# Not tried in a test's own process: `harness check` has two.
SAME_EVERYWHERE = Law(
    another_process_gives_the_same,
    KINDS,
    "depend on no order of a set, no hash() of a text, no id() and no time",
)


@law(*KINDS, advice="write to a file that the user names, or return the text as a caveat")
def nothing_is_printed(component: Component) -> None:
    use(component)
    with printed() as read:
        use(component)
        found = read()
    require(not found, f"it prints {found[:80]!r}")


@law(*KINDS, advice="change no global setting, or put it back; end what you start; clean up files")
def the_process_is_left_as_it_was(component: Component) -> None:
    # Libraries that are imported at the first use change some of it.
    with borrowed(), warnings.catch_warnings():
        use(component)
    with working_folder() as folder, borrowed(), warnings.catch_warnings():
        before = state(folder)
        use(component)
        after = state(folder)
    changed = [name for name in before if before[name] != after[name]]
    require(not changed, f"it changes {', '.join(changed)}")


@law(*KINDS, advice="keep nothing from one call to the next, or no more than a bounded cache")
def memory_is_given_back(component: Component) -> None:
    for _ in range(2):
        use(component)
    held = address_space()
    for _ in range(3):
        use(component)
    if address_space() - held >= 3 * KEPT:
        # It takes a second where large libraries are loaded.
        gc.collect()
    kept = (address_space() - held) / 3
    require(kept < KEPT, f"each call keeps {kept / 2**20:.0f} MiB")


def state(folder: Path) -> dict[str, Any]:
    """What a component must not change, by what it is called."""
    permissions = os.umask(0o077)
    os.umask(permissions)
    return {
        "the working folder": os.getcwd(),
        "files of the working folder": sorted(map(str, folder.rglob("*"))),
        "the environment's variables": dict(os.environ),
        "permissions of new files": permissions,
        "numpy's treatment of errors": np.geterr(),
        "the path of imports": list(sys.path),
        "the limit of recursion": sys.getrecursionlimit(),
        "how signals are handled": [signal.getsignal(each) for each in SIGNALS],
        "timers": signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        "which signals are blocked": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "the filters of warnings": list(warnings.filters),
        "the standard streams": (sys.stdin, sys.stdout, sys.stderr),
        "the number of threads": threading.active_count(),
        "the processes that it started": children(),
    }


def children() -> list[str]:
    """The processes that this one has started and that live, where the system tells."""
    listed = Path("/proc/self/task").glob("*/children")
    return sorted(number for each in listed for number in each.read_text().split())


@contextmanager
def working_folder() -> Iterator[Path]:
    """A working folder with something like a run in it."""
    with tempfile.TemporaryDirectory() as name, chdir(name):
        maps = Path("run", "maps")
        maps.mkdir(parents=True)
        (maps / "0.npy").touch()
        yield Path(name)


@contextmanager
def printed() -> Iterator[Callable[[], str]]:
    """A context whose value tells what Python and libraries have printed in it."""
    with tempfile.TemporaryFile() as file, os.fdopen(os.dup(file.fileno()), "w") as text:
        streams = {number: os.dup(number) for number in (1, 2)}

        def read() -> str:
            text.flush()
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            for number in streams:
                os.dup2(file.fileno(), number)
            with redirect_stdout(text), redirect_stderr(text):
                yield read
        finally:
            for number, original in streams.items():
                os.dup2(original, number)
                os.close(original)
