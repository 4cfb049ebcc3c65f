"""What map controls say of structure that noise may have and their draws lose."""

from typing import Literal

Structure = Literal["hubs", "locality"]


def caveat(*lost: Structure) -> str:
    """The caveat of a control whose draws lose these; "" if they lose none."""
    if not lost:
        return ""
    return f"noise may have {' and '.join(lost)}, which its draws lose; a small p may show no more"
