"""Results in Python and in notebooks: tables as text and HTML, figures, frames and iteration."""

import inspect
import shutil
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas
import pytest
from matplotlib._pylab_helpers import Gcf
from matplotlib.figure import Figure
from rich.cells import cell_len

import harness
from harness.analysis.ablation import AblationSettings
from harness.analysis.masks import BrightnessThreshold
from harness.results.result import Result
from support.runs import small_run

IMAGE = "noise-0000"
OF_RUN: dict[str, Callable[[harness.Run], Result[Any]]] = {
    "leaderboard": lambda run: run.leaderboard(),
    "head_rows": lambda run: run.head_rows(),
    "layer_rows": lambda run: run.layer_rows(),
    "layers": lambda run: run.layers(),
    "comparisons": lambda run: run.comparisons(),
    "verdicts": lambda run: run.verdicts(),
    "partition": lambda run: run.partition(IMAGE, PARTITION),
    "image_report": lambda run: run.image_report(IMAGE),
    "compare": lambda run: run.compare(run),
}
OF_CLASSIFIER: dict[str, Callable[[harness.Run], Result[Any]]] = {
    "ablate": lambda run: run.ablate("louvain", settings=AblationSettings(draws=3, together=1)),
    "foreground": lambda run: run.foreground(BrightnessThreshold(128), candidates=True),
}
PARTITION = "louvain@level=0.49,layer=2,head=1"
# Elements without an end.
VOID = {"br"}


class Elements(HTMLParser):
    """The text of a document, and its elements, each of which has to end where it should."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.text, self.names = "", set[str]()
        self._open: list[str] = []
        self.feed(document)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attributes} <= {"style", "title"}
        self.names.add(tag)
        self._open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def run(deep: Path) -> harness.Run:
    return harness.open_run(deep)


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    """A run whose model can be ablated."""
    out = tmp_path_factory.mktemp("result") / "out"
    return small_run(out, images="noise[count=2]", extractors="one-layer-vit")


@pytest.fixture(scope="module", params=[*OF_RUN, *OF_CLASSIFIER])
def result(
    request: pytest.FixtureRequest, run: harness.Run, classified: harness.Run
) -> Result[Any]:
    if request.param in OF_CLASSIFIER:
        return OF_CLASSIFIER[request.param](classified)
    return OF_RUN[request.param](run)


def test_every_method_that_returns_a_result_is_tested() -> None:
    returned = {
        name: method.__annotations__.get("return")
        for name, method in inspect.getmembers(harness.Run, inspect.isfunction)
    }
    results = {
        name
        for name, kind in returned.items()
        if isinstance(kind, type) and issubclass(kind, Result)
    }

    assert results == {*OF_RUN, *OF_CLASSIFIER}


def test_text_fits_the_terminal(result: Result[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda fallback: (80, 24))
    # As a notebook's kernel does.
    monkeypatch.setenv("FORCE_COLOR", "1")

    lines = repr(result).splitlines()

    assert lines
    assert all(line.isprintable() and cell_len(line) <= 80 for line in lines)


def test_html_has_the_table_and_no_scripts(result: Result[Any]) -> None:
    elements = Elements(result._repr_html_())

    assert elements.names <= {
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "br",
        "pre",
        "span",
    }
    assert elements.text.strip()


def test_frames_have_plain_columns(result: Result[Any]) -> None:
    frame = result.to_frame()

    assert len(frame)
    assert not {name for name in frame if frame[name].dtype == object}


def test_a_result_is_iterated_and_indexed(result: Result[Any]) -> None:
    values = list(result)

    assert len(result) == len(values) > 0
    assert result[0] is not None
    assert len(result[:1]) == 1
    first = result.to_frame().columns[0]
    pandas.testing.assert_series_equal(result[first], result.to_frame()[first])
    assert isinstance(result[[first]], pandas.DataFrame)


def test_a_column_that_is_not_there_is_refused_with_the_closest_one(run: harness.Run) -> None:
    for key in ("efect", ["clusterer", "efect"]):
        with pytest.raises(ValueError, match="no column 'efect'; did you mean 'effect'"):
            run.leaderboard()[key]


def test_a_figure_is_drawn_outside_pyplot_and_shown_as_a_picture(result: Result[Any]) -> None:
    figure = result.plot()

    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert not Gcf.figs


def test_figures_are_called_by_their_names(run: harness.Run) -> None:
    report = run.image_report(IMAGE)

    assert report.plot("side-by-side").get_suptitle() == (
        f"{IMAGE}, layer 0, head 0: the methods' clusters"
    )
    with pytest.raises(harness.HarnessError, match="no figure 'profil'; did you mean 'profile'"):
        report.plot("profil")


def test_a_figure_fits_the_width_that_is_asked_for(run: harness.Run) -> None:
    report = run.image_report(IMAGE)

    for width, inches in (("column", 3.4), ("page", 7.0)):
        assert report.plot(width=width).get_size_inches()[0] < inches + 0.01  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="width: expected column or page, not 'wide'"):
        report.plot(width="wide")  # type: ignore[arg-type]


def test_a_result_without_a_figure_says_so(run: harness.Run) -> None:
    one = run.layer_rows()

    with pytest.raises(harness.HarnessError, match="LayerRows: there is nothing to draw"):
        replace(one, rows=one.rows[:1]).plot()


def test_a_partition_gives_the_nodes_of_each_cluster(run: harness.Run) -> None:
    partition = run.partition(IMAGE, PARTITION)

    for number, nodes in enumerate(partition, 1):
        assert (partition.numbers[nodes] == number).all()
    assert sum(map(len, partition)) == (partition.labels >= 0).sum()


def test_a_run_shows_its_leaderboard(run: harness.Run) -> None:
    assert run._repr_html_() == run.leaderboard()._repr_html_()
    assert list(run) == list(run.leaderboard())
    assert isinstance(run.plot(), Figure)


def test_a_run_is_named_in_one_line(run: harness.Run) -> None:
    count = len(run.cells())

    assert repr(run) == f"<Run {run.folder}: louvain, infomap; cells: {count} ok>"


def test_a_run_whose_folder_is_gone_says_so(tmp_path: Path) -> None:
    gone = harness.Run(tmp_path)

    for shown in (repr(gone), gone._repr_html_()):
        assert f"{tmp_path}: no run is there" in shown
