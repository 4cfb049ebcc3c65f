from harness.metrics.ablation import Chance, Effect
from harness.views.figures import ablation


def test_an_effect_is_drawn_next_to_chance() -> None:
    random = Chance({"logit": 0.1}, -0.3, 0.5, 0.01)
    contiguous = Chance({"logit": 0.0}, -0.6, 0.6, 0.02)
    effect = Effect("alone", (0,), 5, {"logit": -2.0}, random, contiguous)
    figure = ablation.effect_dots([("cluster 0", effect)], title="t", what="logit of coat")

    (panel,) = figure.axes
    removed, low_to_high, mean, *of_contiguous, _ = [line.get_xdata() for line in panel.lines]
    assert [*removed, *mean] == [-2.0, 0.1]
    assert [list(low_to_high), list(of_contiguous[0])] == [[-0.3, 0.5], [-0.6, 0.6]]
