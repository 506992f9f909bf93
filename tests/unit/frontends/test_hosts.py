"""Pages and API answer to the names that they have; a page elsewhere whose name leads here is refused."""

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from starlette.responses import PlainTextResponse

from ringfence.frontends.hosts import KnownHosts, parse_names
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import UsageError
from ringfence.server import create_app

NAMES = ("files.example", "10.0.0.7", "2001:db8::7")
OURS = [
    *("localhost", "localhost:8400", "LOCALHOST:1", "localhost.", "127.0.0.1:8400", "127.8.8.8", "[::1]:8400"),
    *("Files.Example", "files.example:443", "10.0.0.7:8400", "[2001:db8::7]", "a.localhost:8400"),
]
FOREIGN = [
    *("rebound.example", "rebound.example:8400", "localhost.rebound.example", "127.0.0.1.rebound.example", ""),
    *("10.0.0.8", "files.example.evil", "xfiles.example", "ringfence", "[::2]", "[::1", "localhost:80:80", "::1"),
    *("localhost@evil", "2130706433", "0x7f000001", "localhost/", "127.0.0.1, evil.example", "[fe80::1%lo]"),
]


def fetch(app, *hosts: str, path: str = "/", base: str = "http://127.0.0.1:8400") -> httpx.Response:
    """Return the answer to one GET under these names."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as client:
            request = client.build_request("GET", path)
            others = [(name, value) for name, value in request.headers.raw if name.lower() != b"host"]
            named = [(b"host", host.encode()) for host in hosts]
            return await client.send(httpx.Request("GET", request.url, headers=[*others, *named]))

    with start_blocking_portal() as portal:
        return portal.call(ask)


@pytest.fixture
def app():
    return KnownHosts(PlainTextResponse("answered"), NAMES)


@pytest.mark.parametrize("host", OURS)
def test_names_of_this_machine_and_those_that_are_configured_are_answered(app, host):
    assert fetch(app, host).text == "answered"


@pytest.mark.parametrize("hosts", [*((host,) for host in FOREIGN), ("localhost", "rebound.example")])
def test_every_other_name_is_refused_with_a_problem(app, hosts):
    answer = fetch(app, *hosts)
    assert (answer.status_code, answer.headers["content-type"]) == (421, "application/problem+json")
    assert answer.json()["type"] == "urn:ringfence:problem:misdirected"
    assert "RINGFENCE_HOSTS" in answer.json()["detail"]
    assert "evil" not in answer.text


def test_the_socket_in_the_home_has_no_name(app):
    assert fetch(app, "ringfence", base="http://ringfence").text == "answered"


def test_the_console_and_the_api_are_behind_it(services, home):
    app = create_app(services, console="https://console.example", hosts=NAMES)
    with home.http(services, role=Role.OWNER, app=app) as http:
        for path in ("/healthz", "/login", "/api/v1/me", "/assets/console.css"):
            refused = http.get(path, headers={"host": "rebound.example"})
            assert refused.status_code == 421
            assert "x-content-type-options" in refused.headers
            assert "set-cookie" not in refused.headers
        assert http.get("/api/v1/me", headers={"host": "console.example"}).status_code == 200
        assert http.get("/api/v1/me", headers={"host": "files.example"}).status_code == 200
        assert http.get("/api/v1/me").status_code == 200


def test_names_are_parsed_strictly():
    assert parse_names(" Files.example, 10.0.0.7 ,::1,") == ("files.example", "10.0.0.7", "::1")
    assert parse_names("") == ()
    for wrong in ("http://files.example", "files.example:80", "*", "a b", "-a"):
        with pytest.raises(UsageError, match="RINGFENCE_HOSTS"):
            parse_names(wrong)
