"""Names of columns: the fields of results, and the headings that tables have for them."""

from collections.abc import Collection, Iterable

from harness.errors import WrongValueError, hint

# Headings of fields that are not their names with spaces.
HEADINGS = {
    "modularity": "Q",
    "control_modularity": "control",
    "effect_low": "95 %",
    "across_images": "±images",
    "across_seeds": "±seeds",
    "p_value": "p",
    "significant": "signif",
    "jaccard": "Jaccard",
    "ari": "ARI",
    "ami": "AMI",
    "false_alarms": "false",
    "n_clusters": "k",
    "accepted": "found",
    "seconds": "s",
}


def heading_of(field: str) -> str:
    """The heading of a field's column.

    >>> heading_of("p_value"), heading_of("image_set")
    ('p', 'image set')
    """
    return HEADINGS.get(field, field.replace("_", " "))


def field_named(text: str, fields: Collection[str], context: str) -> str:
    """The field that a user names by its name or its heading, in any case.

    Raises WrongValueError, which begins with the context, if there is none.

    >>> field_named("Q", ["modularity", "excess"], "--by Q: no such column")
    'modularity'
    """
    names = _names(fields)
    exact = names.get(text.strip())
    if exact is not None:
        return exact
    by_key = {_key(name): field for name, field in names.items()}
    if (found := by_key.get(_key(text))) is None:
        raise WrongValueError(f"{context}{hint(text, names)}")
    return found


def refuse_taken(scores: Iterable[str], fields: Iterable[str]) -> None:
    """Raise HarnessError for a score that is called as a field, or as its heading, is.

    >>> refuse_taken(["Q"], ["modularity"])
    Traceback (most recent call last):
    ...
    harness.errors.WrongValueError: the score 'Q' has the name of the column modularity; rename it
    """
    taken = {_key(name): field for name, field in _names(fields).items()}
    for score in scores:
        if field := taken.get(_key(score)):
            raise WrongValueError(
                f"the score {score!r} has the name of the column {field}; rename it"
            )


def _names(fields: Iterable[str]) -> dict[str, str]:
    """Fields by all their names."""
    known = list(fields)
    return {field: field for field in known} | {heading_of(field): field for field in known}


def _key(name: str) -> str:
    """What two ways to write a name share."""
    return "".join(name.casefold().replace("_", " ").replace("-", " ").split())
