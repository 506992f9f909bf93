"""What comes over the network is bounded, unredirected, and asked for no more often than needed."""

import http.server
import json
import threading
from contextlib import contextmanager

import pytest

from ringfence.identity.federation.model import Client
from ringfence.identity.federation.providers import ClientFile, HttpProvider
from ringfence.kernel.errors import MalformedInput, NotFound, RingfenceError, Unavailable, VerificationFailed


@contextmanager
def serving(answers):
    """Serve what `answers` says for each path; give the issuer and what was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("authorization")))
            status, headers, body = answers(issuer, self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.form = self.rfile.read(int(self.headers["content-length"])).decode()
            asked.append(("form", self.form))
            self.do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def honest(issuer, path):
    named = {"authorization_endpoint": "/a", "token_endpoint": "/t", "jwks_uri": "/k"}
    document = {"issuer": issuer} | {name: issuer + place for name, place in named.items()}
    found = {
        "/.well-known/openid-configuration": document,
        "/k": {"keys": [{"kty": "RSA", "kid": "a"}]},
        "/t": {"id_token": "a.b.c"},
    }
    return (200, {}, json.dumps(found[path]).encode()) if path in found else (404, {}, b"")


def known(issuer, *, public=False):
    client = Client(issuer, "ringfence", "http://localhost:8400/login/oidc/callback", "" if public else "s")
    return HttpProvider(lambda: client)


def test_metadata_and_keys_are_fetched_once_and_fresh_keys_not_at_once_again():
    with serving(honest) as (issuer, asked):
        provider = known(issuer)
        for _ in range(3):
            assert provider.metadata().issuer == issuer
            assert provider.keys() == provider.keys(fresh=True)
        assert len(asked) == 2


def test_the_code_goes_to_the_token_endpoint_with_verifier_and_secret():
    with serving(honest) as (issuer, asked):
        assert known(issuer).exchange("c0de", "ver") == "a.b.c"
        assert "code_verifier=ver" in asked[1][1]
        assert asked[2][1].startswith("Basic ")
        known(issuer, public=True).exchange("c0de", "ver")
        assert asked[-1][1] is None  # a public client has no secret to send


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((302, {"location": "http://127.0.0.1:1/"}, b""), VerificationFailed),
        ((400, {}, b"{}"), VerificationFailed),
        ((503, {}, b""), Unavailable),
        ((200, {}, b"x" * 70_000), VerificationFailed),
        ((200, {}, b"[" * 60_000), MalformedInput),
        ((200, {}, b'{"id_token":1}'), MalformedInput),
        ((200, {}, b"\xff"), MalformedInput),
    ],
)
def test_what_a_provider_may_not_answer(answer, kind):
    def hostile(issuer, path):
        return answer if path == "/t" else honest(issuer, path)

    with serving(hostile) as (issuer, _), pytest.raises(kind):
        known(issuer).exchange("code", "verifier")


def test_nobody_there_is_unavailable():
    with pytest.raises(Unavailable):
        known("http://127.0.0.1:9").metadata()


def test_a_home_without_the_file_has_no_provider(tmp_path):
    assert ClientFile(tmp_path / "oidc.json")() is None
    with pytest.raises(NotFound):
        HttpProvider(ClientFile(tmp_path / "oidc.json")).metadata()


def test_a_file_that_others_can_read_is_refused(tmp_path):
    file = tmp_path / "oidc.json"
    file.write_text("{}")
    file.chmod(0o644)
    with pytest.raises(RingfenceError):
        ClientFile(file)()


def test_another_provider_in_the_file_is_not_taken_for_the_last_one():
    """Else a code and the new provider's secret go to the old one."""
    with serving(honest) as (old, asked_before), serving(honest) as (new, _):
        clients = [
            Client(issuer, "ringfence", "http://localhost:8400/login/oidc/callback", "s") for issuer in (old, new)
        ]
        provider = HttpProvider(lambda: clients[0])
        provider.keys()
        clients.pop(0)
        before = len(asked_before)
        assert provider.metadata().issuer == new
        provider.keys()
        provider.exchange("c0de", "ver")
        assert len(asked_before) == before
