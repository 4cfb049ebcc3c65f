"""The one exception that stands for a user's mistake."""


class HarnessError(Exception):
    """Something the user can put right; the command line prints it as one line.

    The message says what was wrong, where, and what would be right.
    """
