"""What figures show."""

from typing import Any


def texts(figure: Any) -> str:
    """All texts of a figure, joined by spaces."""
    return " ".join(
        text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text"))
    )
