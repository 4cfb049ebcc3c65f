"""Downloads published files over HTTP: resumable, bounded in size, and checked."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from harness import HarnessError
from harness_plugins.datasets.catalogue import Download

if TYPE_CHECKING:
    from requests import Response

# Bytes done, and bytes in all.
Report = Callable[[int, int], None]

CHUNK = 1 << 16
NAMES = {"sha256": "SHA-256", "md5": "MD5"}
# Seconds to wait for an answer or more data.
PATIENCE = 30


def download(file: Download, path: Path, report: Report) -> None:
    """Download a published file to `path`, resuming a partial download that is there.

    If the server cannot send the rest only, the whole file is downloaded again. Raises
    HarnessError if the server sends nothing, a file of another size, or stops, in which case the
    partial file stays; or if the checksum is wrong, in which case the file is deleted.
    """
    present = path.stat().st_size if path.exists() else 0
    if present != file.size:
        with path.open("r+b" if present else "wb") as output:
            _append(file, _Bounded(output, file, present if present < file.size else 0, report))
    _check(file, path)


class _Bounded:
    """A file that is written from an offset on, never beyond its expected size."""

    def __init__(self, output: BinaryIO, file: Download, start: int, report: Report) -> None:
        self._output = output
        self._file = file
        self._report = report
        self.start_at(start)

    def start_at(self, offset: int) -> None:
        """Discard the content from this offset on."""
        self._output.seek(offset)
        self._output.truncate()
        self.offset = offset
        self._report(offset, self._file.size)

    def write(self, content: bytes) -> int:
        self.offset += len(content)
        if self.offset > self._file.size:
            raise HarnessError(
                f"{self._file.url}: sent more than the {self._file.size} expected bytes"
            )
        self._report(self.offset, self._file.size)
        return self._output.write(content)

    def flush(self) -> None:
        """Does nothing: pooch calls it after every chunk."""


def _append(file: Download, output: _Bounded) -> None:
    import pooch
    import requests

    def begin(response: "Response", **_: Any) -> None:
        """Check the response before its content is read."""
        if response.status_code == requests.codes.ok:
            output.start_at(0)
        elif response.status_code == requests.codes.partial_content:
            sent = response.headers.get("Content-Range", "")
            if not sent.startswith(f"bytes {output.offset}-"):
                raise HarnessError(
                    f"{file.url}: sent {sent or 'an unnamed range'}, not from byte {output.offset}"
                )
        else:
            return
        length = response.headers.get("Content-Length")
        if length is not None and length != str(file.size - output.offset):
            raise HarnessError(
                f"{file.url}: sends {length} bytes, expected {file.size - output.offset}"
            )

    # Otherwise servers may send, and requests may decode, another encoding of the file.
    headers = {"Accept-Encoding": "identity"}
    if output.offset:
        headers["Range"] = f"bytes={output.offset}-"
    fetcher = pooch.HTTPDownloader(
        chunk_size=CHUNK, timeout=PATIENCE, headers=headers, hooks={"response": begin}
    )
    try:
        fetcher(file.url, output, None)
    except requests.HTTPError as error:
        raise HarnessError(f"{file.url}: {error}") from error
    except requests.RequestException as error:
        raise _stopped(file, output.offset, _cause(error)) from error
    if output.offset < file.size:
        raise _stopped(file, output.offset, "the server sent no more")


def _stopped(file: Download, offset: int, reason: str) -> HarnessError:
    return HarnessError(
        f"{file.url}: stopped after {offset} of {file.size} bytes: {reason}; the same command "
        "resumes there"
    )


def _cause(error: BaseException) -> str:
    """The message of the innermost cause; connection errors repeat it at every level."""
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    return getattr(error, "strerror", None) or str(error)


def _check(file: Download, path: Path) -> None:
    import pooch

    algorithm, _, expected = file.checksum.partition(":")
    found = pooch.file_hash(str(path), algorithm)
    if found != expected:
        path.unlink()
        raise HarnessError(
            f"{file.url}: found {NAMES[algorithm]} {found}, expected {expected}; the "
            "download is deleted"
        )
