"""Who gets an answer from the server of a page, and what: real requests to a real server."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from harness.cli.page_server import Document, PageServer, serving
from harness.errors import HarnessError

PAGE, DATA = b"<p>the page</p>", b'{"the": "data"}'
Answer = tuple[int, bytes, dict[str, str]]


def broken() -> bytes:
    raise HarnessError("the run is gone")


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    documents = {
        "": Document("text/html", lambda: PAGE, "default-src 'self'"),
        "data.json": Document("application/json", lambda: DATA),
        "broken": Document("text/plain", broken),
    }
    found = PageServer(documents)
    with serving(found):
        yield found


def ask(
    server: PageServer, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> Answer:
    given = {"Host": f"127.0.0.1:{server.server_port}"} | (headers or {})
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def own(server: PageServer, name: str = "") -> str:
    return f"/{server.token}/{name}"


@pytest.mark.parametrize(("name", "content"), [("", PAGE), ("data.json", DATA), ("?a=b", PAGE)])
def test_whoever_knows_the_address_gets_the_page_and_its_data(
    server: PageServer, name: str, content: bytes
) -> None:
    assert ask(server, own(server, name))[:2] == (200, content)


def test_the_address_is_that_of_the_page(server: PageServer) -> None:
    assert server.address == f"http://127.0.0.1:{server.server_port}{own(server)}"
    # 128 bits at least, in characters of 6.
    assert len(server.token) >= 22


def test_two_servers_have_two_tokens(server: PageServer) -> None:
    other = PageServer({})
    other.server_close()

    assert other.token != server.token


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/data.json",
        "/wrong/",
        "/wrong/data.json",
        "/{token}",
        "/{token}x/",
        "/{token}/other",
        "/{token}/data.json/",
        "/{token}/../{token}/",
        "/{token}/../../etc/passwd",
        "/{token}/%2e%2e/%2e%2e/etc/passwd",
        "/{token}//etc/passwd",
        "/x/{token}/",
        "http://127.0.0.1/{token}/",
        "/%00/",
        "/\xff\xff/",
        "*",
    ],
)
def test_nothing_else_is_served(server: PageServer, path: str) -> None:
    asked = path.format(token=server.token).encode("latin-1").decode("latin-1")
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        host = f"127.0.0.1:{server.server_port}"
        connection.sendall(f"GET {asked} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.0 404 ")
    assert server.token.encode() not in answer
    assert answer.endswith(b"\r\n\r\nNot Found\n")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost", "127.0.0.1:1", "evil.example:{port}", ""]
)
def test_a_name_that_leads_here_from_elsewhere_is_refused(server: PageServer, host: str) -> None:
    asked = {"Host": host.format(port=server.server_port)}

    status, content, _ = ask(server, own(server), headers=asked)

    assert (status, content) == (421, b"Misdirected Request\n")


def test_the_machine_may_be_called_localhost(server: PageServer) -> None:
    asked = {"Host": f"localhost:{server.server_port}"}

    assert ask(server, own(server), headers=asked)[0] == 200


@pytest.mark.parametrize("hosts", [[], ["127.0.0.1:{port}", "evil.example"]])
def test_a_request_has_one_host(server: PageServer, hosts: list[str]) -> None:
    lines = "".join(f"Host: {each.format(port=server.server_port)}\r\n" for each in hosts)
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        connection.sendall(f"GET {own(server)} HTTP/1.1\r\n{lines}\r\n".encode())

        assert connection.recv(100).startswith(b"HTTP/1.0 421 ")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1:{port}"]
)
def test_another_site_is_refused(server: PageServer, origin: str) -> None:
    asked = {"Origin": origin.format(port=server.server_port)}

    status, content, _ = ask(server, own(server, "data.json"), headers=asked)

    assert (status, content) == (403, b"Forbidden\n")


def test_the_page_itself_may_ask(server: PageServer) -> None:
    asked = {"Origin": f"http://127.0.0.1:{server.server_port}"}

    assert ask(server, own(server, "data.json"), headers=asked)[:2] == (200, DATA)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"])
def test_there_is_no_verb_but_get(server: PageServer, method: str) -> None:
    status, content, headers = ask(server, own(server), method)

    assert (status, headers["Allow"]) == (405, "GET")
    assert PAGE not in content


@pytest.mark.parametrize("name", ["", "data.json", "nothing"])
def test_every_answer_tells_browsers_to_keep_it_to_themselves(
    server: PageServer, name: str
) -> None:
    _, _, headers = ask(server, own(server, name))

    expected = {
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    assert expected.items() <= headers.items()
    assert headers["Content-Security-Policy"].startswith("default-src ")
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Server"].strip() == "harness"


def test_what_has_not_changed_is_not_sent_again(server: PageServer) -> None:
    tag = ask(server, own(server))[2]["ETag"]

    assert ask(server, own(server), headers={"If-None-Match": tag})[:2] == (304, b"")
    assert ask(server, own(server), headers={"If-None-Match": '"other"'})[0] == 200


def test_what_cannot_be_read_now_is_unavailable(server: PageServer) -> None:
    status, content, _ = ask(server, own(server, "broken"))

    assert (status, content) == (503, b"Service Unavailable\n")


@pytest.mark.parametrize("request_line", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9.9\r\n\r\n"])
def test_a_request_that_cannot_be_read_stops_nothing(
    server: PageServer, request_line: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        connection.sendall(request_line)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    assert ask(server, own(server))[0] == 200
    assert capfd.readouterr() == ("", "")


def test_only_this_machine_is_listened_to(server: PageServer) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_there_is_not_costs_one_line(port: int) -> None:
    with pytest.raises(HarnessError, match=f"port {port}: cannot be used"):
        PageServer({}, port)


def test_a_port_in_use_costs_one_line(server: PageServer) -> None:
    with pytest.raises(HarnessError, match="cannot be used: Address already in use"):
        PageServer({}, server.server_port)
