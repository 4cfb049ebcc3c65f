"""A web server whose answers a test chooses, and archives for it to send."""

import io
import re
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from harness_plugins.datasets.catalogue import Download


@dataclass
class Site:
    """What a local server sends, how, and what it was asked for."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    has_ranges: bool = True
    says_length: bool = True
    # Bytes after which the next answer breaks off, and how far its range begins too late.
    cut: int | None = None
    shift: int = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def download(self, name: str, content: bytes) -> Download:
        """The entry of a file that is served under that name."""
        self.files[name] = content
        checksum = f"sha256:{sha256(content).hexdigest()}"
        return Download(name, f"{self.address}/{name}", len(content), checksum)


@contextmanager
def serve() -> Iterator[Site]:
    """Run a web server on this machine."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            wanted = self.headers.get("Range")
            site.asked.append((name, wanted))
            if name in site.redirects:
                self.send_response(302)
                self.send_header("Location", site.redirects[name])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if name not in site.files:
                self.send_error(404)
                return
            content, start = site.files[name], 0
            if wanted and site.has_ranges:
                start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) + site.shift  # type: ignore[index]
                self.send_response(206)
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            else:
                self.send_response(200)
            body = content[start:]
            if site.says_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: site.cut])
            site.cut = None

        def log_message(self, *_: object) -> None:
            pass

    with answering(Handler) as site.address:
        yield site


@contextmanager
def answering(handler: Callable[..., Any]) -> Iterator[str]:
    """The address of a web server that answers by a handler of `http.server`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        # How long stopping may wait.
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def pack(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar file of files by their names."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return written.getvalue()
