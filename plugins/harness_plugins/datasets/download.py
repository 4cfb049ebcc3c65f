"""Published files over HTTP: taken up again where they broke off, bounded, and checked."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from harness import HarnessError
from harness_plugins.datasets.catalogue import Download

if TYPE_CHECKING:
    from requests import Response

# How much there is of how much, in bytes.
Report = Callable[[int, int], None]

CHUNK = 1 << 16
NAMES = {"sha256": "SHA-256", "md5": "MD5"}
# Seconds without an answer or a byte.
PATIENCE = 30


def download(file: Download, path: Path, report: Report) -> None:
    """Have a published file at `path`; what is there already is gone on with.

    If the server cannot send the rest alone it sends the whole again. Raises HarnessError if it
    sends nothing, something of another size, or breaks off, which leaves what came for the next
    time; or if the checksum is wrong, which leaves nothing.
    """
    kept = path.stat().st_size if path.exists() else 0
    if kept != file.size:
        with path.open("r+b" if kept else "wb") as output:
            _append(file, _Bounded(output, file, kept if kept < file.size else 0, report))
    _check(file, path)


class _Bounded:
    """A file that is written from a place on, and never beyond the size it should have."""

    def __init__(self, output: BinaryIO, file: Download, start: int, report: Report) -> None:
        self._output = output
        self._file = file
        self._report = report
        self.start_at(start)

    def start_at(self, place: int) -> None:
        """Forget what is written after this place."""
        self._output.seek(place)
        self._output.truncate()
        self.place = place
        self._report(place, self._file.size)

    def write(self, content: bytes) -> int:
        self.place += len(content)
        if self.place > self._file.size:
            raise HarnessError(
                f"{self._file.url}: sent more than the {self._file.size} expected bytes"
            )
        self._report(self.place, self._file.size)
        return self._output.write(content)

    def flush(self) -> None:
        """Left to the file: pooch asks for it after every chunk."""


def _append(file: Download, output: _Bounded) -> None:
    import pooch
    import requests

    def begin(response: "Response", **_: Any) -> None:
        """Before the content is read: what the server chose to send."""
        if response.status_code == requests.codes.ok:
            output.start_at(0)
        elif response.status_code == requests.codes.partial_content:
            sent = response.headers.get("Content-Range", "")
            if not sent.startswith(f"bytes {output.place}-"):
                raise HarnessError(
                    f"{file.url}: sent {sent or 'an unnamed range'}, not from byte {output.place}"
                )
        else:
            return
        length = response.headers.get("Content-Length")
        if length is not None and length != str(file.size - output.place):
            raise HarnessError(
                f"{file.url}: sends {length} bytes, expected {file.size - output.place}"
            )

    # Otherwise servers may send, and requests may unpack, another encoding of the file.
    headers = {"Accept-Encoding": "identity"}
    if output.place:
        headers["Range"] = f"bytes={output.place}-"
    fetcher = pooch.HTTPDownloader(
        chunk_size=CHUNK, timeout=PATIENCE, headers=headers, hooks={"response": begin}
    )
    try:
        fetcher(file.url, output, None)
    except requests.HTTPError as error:
        raise HarnessError(f"{file.url}: {error}") from error
    except requests.RequestException as error:
        raise _stopped(file, output.place, _cause(error)) from error
    if output.place < file.size:
        raise _stopped(file, output.place, "nothing more was sent")


def _stopped(file: Download, place: int, reason: str) -> HarnessError:
    return HarnessError(
        f"{file.url}: stopped after {place} of {file.size} bytes: {reason}; the same command goes "
        "on from there"
    )


def _cause(error: BaseException) -> str:
    """What lies at the bottom of a connection's error, which says the rest many times over."""
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
            f"{file.url}: found {NAMES[algorithm]} {found}, expected {expected}; what was "
            "downloaded is thrown away"
        )
