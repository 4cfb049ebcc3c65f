from harness.metrics.ablation import Chance, Effect
from harness.views.figures import ablation


def test_an_effect_is_drawn_next_to_chance() -> None:
    random = Chance({"logit": 0.1}, -0.3, 0.5, 0.01)
    contiguous = Chance({"logit": 0.0}, -0.6, 0.6, 0.02)
    effect = Effect("alone", (0,), 5, {"logit": -2.0}, random, contiguous)
    figure = ablation.effect_bars([("cluster 0", effect)], title="t", what="logit of coat")

    (panel,) = figure.axes
    assert panel.patches[0].get_width() == -2.0
    assert list(panel.lines[0].get_xdata()) == [-0.3, 0.5]
    assert list(panel.lines[2].get_xdata()) == [-0.6, 0.6]
