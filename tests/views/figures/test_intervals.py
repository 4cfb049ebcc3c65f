from harness.views.figures.intervals import Interval, interval_panels

PANELS = {
    "daisy": [Interval("nothing", "here", 1.0), Interval("cluster 1", "here", 0.5)],
    "tulips": [
        Interval("nothing", "here", 3.0),
        Interval("cluster 1", "here", 2.0),
        Interval("cluster 1", "random", 2.8, 2.5, 3.1),
    ],
}


def test_panels_share_rows_and_mark_their_own_value() -> None:
    figure = interval_panels(PANELS, title="t", axis="logit", marked={"daisy": 1.0, "tulips": 3.0})

    daisy, tulips = figure.axes
    assert [panel.get_title() for panel in (daisy, tulips)] == ["daisy", "tulips"]
    assert [text.get_text() for text in daisy.get_yticklabels()] == ["nothing", "cluster 1"]
    assert daisy.get_ylim() == tulips.get_ylim()
    assert [list(panel.lines[-1].get_xdata()) for panel in (daisy, tulips)] == [[1, 1], [3, 3]]


def test_what_stands_alone_in_its_row_is_in_its_middle_and_others_are_beside_it() -> None:
    figure = interval_panels(PANELS, title="t", axis="logit", marked={"daisy": 1.0, "tulips": 3.0})

    daisy, tulips = figure.axes
    assert [line.get_ydata()[0] for line in daisy.lines[:-1]] == [0, 1]
    nothing, removed, interval, mean = (line.get_ydata()[0] for line in tulips.lines[:-1])
    assert nothing == 0
    assert removed < 1 < interval == mean
    assert list(tulips.lines[2].get_xdata()) == [2.5, 3.1]
