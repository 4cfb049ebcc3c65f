import matplotlib
import pytest

from harness.views.figures import style
from harness.views.figures.style import LETTER, TITLE


def titled(title: str, width: float = 4.0) -> object:
    with style.style():
        figure, ((panel,),) = style.new_figure(1, 1, width, 3, title)
        panel.plot([0, 1], [1, 0], label="a curve")
        style.legend_below(figure, [panel])
        return figure


def test_a_long_title_is_broken_into_lines_that_fit() -> None:
    lines = style.wrapped("a word " * 40, 4, TITLE).splitlines()

    assert len(lines) > 1
    assert max(map(len, lines)) * LETTER * TITLE <= 4 * 72


def test_lines_of_a_text_stay_apart() -> None:
    assert style.wrapped("cluster 1\nsalience .02", 4) == "cluster 1\nsalience .02"


@pytest.mark.parametrize(("count", "most", "rows"), [(1, 4, 1), (5, 4, 2), (9, 4, 3), (3, 0, 3)])
def test_panels_are_spread_evenly_over_as_few_rows_as_possible(
    count: int, most: int, rows: int
) -> None:
    found, columns = style.balanced(count, most)

    assert found == rows
    assert count <= rows * columns < count + rows


def test_no_text_is_smaller_than_seven_points() -> None:
    sizes = [value for name, value in style.SETTINGS.items() if name.endswith("size")]

    assert min(sizes) == 7


def test_nothing_is_changed_for_others() -> None:
    before = dict(matplotlib.rcParams)
    titled("A title")
    assert dict(matplotlib.rcParams) == before
