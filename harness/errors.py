"""The exceptions that stand for what the user can put right, and how such words are shown."""


class HarnessError(Exception):
    """Something the user can put right; the command line prints it as one line.

    The message says what was wrong, where, and what would be right.
    """


class InvalidResultError(HarnessError):
    """A plugin's method returned what it must not, or changed what it was given."""


class RunStoppedError(HarnessError):
    """Nothing that a cell is to blame for: the run ends, and goes on when that is put right."""


def escape_controls(text: str) -> str:
    """The text with every control character but line breaks and tabs spelled out.

    Names of files and words of plugins go to terminals, which obey escape sequences.
    """
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape").decode()
        for character in text
    )
