"""Exceptions that the user can act on, and how settings, unknown names and text are shown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# Characters of a reason.
REASON = 1000


class HarnessError(Exception):
    """A problem that the user can solve; the command line prints it as one line.

    Plugins raise it for wrong parameters, and for images, maps or files that cannot be read. If it
    concerns one image or map, only that one is excluded. The message says what is wrong, where, and
    what would be right.

    Examples
    --------
    >>> raise harness.HarnessError("top-k: start must be 0 … 1, not 2.0")
    Traceback (most recent call last):
        ...
    harness.errors.HarnessError: top-k: start must be 0 … 1, not 2.0
    """


class WrongValueError(HarnessError, ValueError):
    """An argument, a parameter, a setting or a name has a wrong value."""


class MissingFileError(HarnessError, FileNotFoundError):
    """A file or folder that was named does not exist, or is not what it should be."""


class InvalidResultError(HarnessError):
    """A plugin's method returned an invalid value, or changed its arguments."""


class RunStoppedError(HarnessError):
    """A problem of the whole run rather than of one cell: once it is solved, the run resumes."""


class FolderOfRunsError(HarnessError):
    """A folder that holds runs was given for a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder}: a folder of runs, not a run; choose one of them")


# What messages call settings that are not called by their keywords.
_NAMES: dict[str, str] = {}


def setting_name(keyword: str) -> str:
    """What messages call a setting: its keyword, or its flag while a command runs."""
    return _NAMES.get(keyword, keyword)


@contextmanager
def naming(names: Mapping[str, str]) -> Iterator[None]:
    """A context in which messages call settings by these names, instead of their keywords.

    >>> with naming({"nulls": "--nulls"}):
    ...     setting_name("nulls"), setting_name("levels")
    ('--nulls', 'levels')
    """
    before = dict(_NAMES)
    _NAMES.clear()
    _NAMES.update(names)
    try:
        yield
    finally:
        _NAMES.clear()
        _NAMES.update(before)


def reason_of(error: BaseException) -> str:
    """One line that says what went wrong; the type of our own errors would add nothing."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = "(its message cannot be read)"
    text = (
        said if isinstance(error, HarnessError) else f"{type(error).__name__}: {said}".rstrip(": ")
    )
    return text if len(text) <= REASON else f"{text[:REASON]}…"


def escape_controls(text: str) -> str:
    """Escape every character that cannot be printed, except line breaks and tabs.

    Terminals obey escape sequences, and some characters change the direction of text; names of
    files and output of plugins may contain both. Bytes of names that are no text become `\\xe9`.
    """
    return "".join(
        character if character.isprintable() or character in "\n\t" else _escape(character)
        for character in text
    )


def escape_line(text: str) -> str:
    """Escape line breaks and tabs too, so that the text takes one line."""
    return escape_controls(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(character: str) -> str:
    # Python decodes the byte 0xe9 in a name as this surrogate.
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` with the closest known word, or nothing if none is close."""
    import difflib

    close = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def hint(wrong: str, known: Iterable[str], most: int = 100, there: str = "there are") -> str:
    """The end of a message about an unknown word: the closest known one, else what there is."""
    words = list(known)
    more = f" and {len(words) - most} more" if len(words) > most else ""
    shown = f"; {there} {', '.join(words[:most])}{more}" if words else "; it has none"
    return did_you_mean(wrong, words) or shown


def refuse_unknown(where: str, given: Iterable[str], known: Sequence[str], there: str) -> None:
    """Raise WrongValueError for a name that is not known, with the closest one or all of them."""
    for name in given:
        if name not in known:
            raise WrongValueError(f"{where} {name!r}{hint(str(name), known, there=there)}")
