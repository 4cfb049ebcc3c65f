"""Files that are written complete or not at all, and errors of those that cannot be."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file that takes the place of `path` once the block has written it.

    Without success nothing is left of it, and an old file stays as it was. Devices and pipes, such
    as /dev/stdout, are written directly. Raises HarnessError if the path cannot be written.
    """
    with one_line_errors(path):
        if path.absolute().is_relative_to("/dev") or (path.exists() and not path.is_file()):
            yield path
            return
        # A link stays; the file that it leads to is replaced.
        target = Path(os.path.realpath(path))
        new = target.with_name(f".harness-{os.getpid()}.partial")
        try:
            yield new
            with new.open("rb") as written:
                os.fsync(written.fileno())
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)


@contextmanager
def one_line_errors(path: Path) -> Iterator[None]:
    """Raises HarnessError if the path cannot be written."""
    try:
        yield
    except FileExistsError as error:
        # Only folders are made where something may be.
        raise HarnessError(f"{path}: cannot be written: it is not a folder") from error
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {error.strerror}") from error
