"""One-line reasons from the errors of libraries."""


def first_line(error: Exception) -> str:
    """The first line of an error's message; its type's name if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
