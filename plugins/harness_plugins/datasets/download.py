"""Downloads published files over HTTP: resumable, bounded in size, and checked."""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from harness import HarnessError, Requirement
from harness_plugins.datasets.catalogue import Download

if TYPE_CHECKING:
    from requests import Response

DATA = Requirement("attention-harness[data]", ("requests",))
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
            output.seek(present if present < file.size else 0)
            _append(file, output, report)
    _check(file, path)


def _append(file: Download, output: BinaryIO, report: Report) -> None:
    """Write the rest of a file from the output's position on, never beyond its expected size."""
    import requests

    # Otherwise servers may send, and requests may decode, another encoding of the file.
    headers = {"Accept-Encoding": "identity"}
    output.truncate()
    if done := output.tell():
        headers["Range"] = f"bytes={done}-"
    report(done, file.size)
    try:
        with requests.get(file.url, headers=headers, stream=True, timeout=PATIENCE) as response:
            response.raise_for_status()
            if response.status_code == HTTPStatus.OK:
                # The server sends the whole file, from its beginning.
                output.seek(0)
                output.truncate()
            _check_response(file, response, output.tell())
            for chunk in response.iter_content(CHUNK):
                if output.tell() + len(chunk) > file.size:
                    raise HarnessError(f"{file.url}: sent more than the {file.size} expected bytes")
                output.write(chunk)
                report(output.tell(), file.size)
    except requests.HTTPError as error:
        raise HarnessError(f"{file.url}: {error}") from error
    except requests.RequestException as error:
        raise _stopped(file, output.tell(), _cause(error)) from error
    if output.tell() < file.size:
        raise _stopped(file, output.tell(), "the server sent no more")


def _check_response(file: Download, response: "Response", offset: int) -> None:
    """Raise HarnessError unless the response is the file from this offset on."""
    if response.status_code == HTTPStatus.PARTIAL_CONTENT:
        sent = response.headers.get("Content-Range", "")
        if not sent.startswith(f"bytes {offset}-"):
            raise HarnessError(
                f"{file.url}: sent {sent or 'an unnamed range'}, not from byte {offset}"
            )
    length = response.headers.get("Content-Length")
    if length is not None and length != str(file.size - offset):
        raise HarnessError(f"{file.url}: sends {length} bytes, expected {file.size - offset}")


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
    algorithm, _, expected = file.checksum.partition(":")
    with path.open("rb") as content:
        found = hashlib.file_digest(content, algorithm).hexdigest()
    if found != expected:
        path.unlink()
        raise HarnessError(
            f"{file.url}: found {NAMES[algorithm]} {found}, expected {expected}; the "
            "download is deleted"
        )
