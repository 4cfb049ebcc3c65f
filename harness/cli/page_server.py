"""Serves one page and its data to its owner's browser, on this machine alone.

Other users of the machine do not know the token in the address, and other sites do not get past the
checks of host and origin. Nothing but the two documents is served, whatever a request asks for.
"""

import hmac
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from harness.errors import HarnessError

HOST = "127.0.0.1"
# What browsers may call this machine; a name that leads here from elsewhere is none of them.
NAMES = (HOST, "localhost")
# Seconds that a client may take for its request.
PATIENCE = 10.0
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Document:
    """What is served under a name: its type, its bytes when they are asked for, and its policy."""

    kind: str
    content: Callable[[], bytes]
    policy: str = "default-src 'none'; frame-ancestors 'none'"


class PageServer(ThreadingHTTPServer):
    """Serves documents by their names, "" for the page itself, below a path that is a secret.

    Raises HarnessError if the port cannot be used; 0 takes a free one.
    """

    daemon_threads = True

    def __init__(self, documents: dict[str, Document], port: int = 0) -> None:
        self.documents = documents
        self.token = secrets.token_urlsafe(32)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise HarnessError(f"port {port}: cannot be used: {reason}") from error

    @property
    def address(self) -> str:
        """The address of the page, which is all that is needed to read it."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def server_bind(self) -> None:
        """Bind the socket, without asking a name server what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away."""


@contextmanager
def serving(server: PageServer) -> Iterator[None]:
    """Answer requests in threads of their own until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = PATIENCE
    server_version = "harness"
    sys_version = ""

    def do_GET(self) -> None:
        if (refused := self._refused()) is not None:
            self._answer(refused)
        elif (document := self._asked_for()) is None:
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            self._serve(document)

    def __getattr__(self, name: str) -> Any:
        # The method of every other verb, known or not.
        if name.startswith("do_"):
            return self._refuse_verb
        raise AttributeError(name)

    def _refuse_verb(self) -> None:
        self._answer(self._refused() or HTTPStatus.METHOD_NOT_ALLOWED)

    def _refused(self) -> HTTPStatus | None:
        """Why a request is not answered whatever it asks for; None if it may ask."""
        hosts = [f"{name}:{self.server.server_port}" for name in NAMES]
        (host, *others) = self.headers.get_all("Host") or [""]
        if others or host not in hosts:
            return HTTPStatus.MISDIRECTED_REQUEST
        origins = self.headers.get_all("Origin") or []
        if any(origin != f"http://{host}" for origin in origins):
            return HTTPStatus.FORBIDDEN
        return None

    def _asked_for(self) -> Document | None:
        path = self.path.partition("?")[0]
        start, token, *rest = path.split("/", 2) if path.count("/") > 1 else ("", "", "")
        # Compared in a time that says nothing of the token.
        known = hmac.compare_digest(token.encode(errors="replace"), self.server.token.encode())
        return self.server.documents.get(rest[0]) if known and not start else None

    def _serve(self, document: Document) -> None:
        try:
            content = document.content()
        except HarnessError:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        tag = f'"{sha256(content).hexdigest()}"'
        if self.headers.get("If-None-Match") == tag:
            self._answer(HTTPStatus.NOT_MODIFIED, ETag=tag)
            return
        self._answer(HTTPStatus.OK, content, document.kind, document.policy, ETag=tag)

    def _answer(
        self,
        status: HTTPStatus,
        content: bytes = b"",
        kind: str = "text/plain",
        policy: str = Document.policy,
        **more: str,
    ) -> None:
        if not content and status not in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            content = f"{status.phrase}\n".encode()
        self.send_response(status)
        headers = {
            **HEADERS,
            "Content-Security-Policy": policy,
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(content)),
            **more,
        }
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = "GET"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that cannot be read, without repeating any of it."""
        self.command = getattr(self, "command", None) or ""
        self._answer(HTTPStatus(code))

    def log_message(self, format: str, *values: Any) -> None:
        """Write no log: it would have the token."""
