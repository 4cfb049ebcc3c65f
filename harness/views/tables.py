"""How figures are written wherever the terminal shows some."""

from harness.metrics.inference import Estimate

NOTHING = "–"


def p_text(value: float | None) -> str:
    """A p value; where it is smaller than .001, that it is."""
    if value is None:
        return NOTHING
    return f"{value:.3f}".removeprefix("0") if value >= 0.001 else "<.001"


def signed(value: float, digits: int = 2) -> str:
    """With its sign, and no sign of a 0 that was rounded down."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def estimate_text(estimate: Estimate) -> str:
    """A mean with its sign, and its interval where there is one."""
    if estimate.low is None or estimate.high is None:
        return signed(estimate.mean)
    return f"{signed(estimate.mean)} ({signed(estimate.low)}…{signed(estimate.high)})"


def short(value: float) -> str:
    """Two digits, and no 0 before the point."""
    text = f"{round(value, 2) + 0.0:.2f}"
    return text.replace("0.", ".", 1) if abs(value) < 0.995 else text
