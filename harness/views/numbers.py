"""How figures are written wherever the terminal shows some."""

NOTHING = "–"


def p_text(value: float | None) -> str:
    """A p value; where it is smaller than .001, that it is."""
    if value is None:
        return NOTHING
    return f"{value:.3f}".removeprefix("0") if value >= 0.001 else "<.001"
