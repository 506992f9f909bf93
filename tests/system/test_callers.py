"""Keys and deployments through the real `ringfence up` and the real gateway, with an engine on the loopback address."""

import json
import os
import signal
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from ringfence.gateway.worker import Place, end, running
from ringfence.kernel.actor import Role
from ringfence.testing.program import called, started

WITHIN = 2.0  # seconds until a key that was cut off must be refused
ANSWER = {"id": "c", "object": "text_completion", "created": 1, "model": "tiny"} | {
    "choices": [{"index": 0, "text": "hello", "finish_reason": "stop", "logprobs": None}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}


class Engine(BaseHTTPRequestHandler):
    """An engine that wants a key of its own and completes everything with the same word."""

    protocol_version = "HTTP/1.1"
    asked: list = []  # noqa: RUF012 - one engine for the module

    def do_GET(self):
        self._answer({"object": "list", "data": [{"id": "tiny", "object": "model"}]})

    def do_POST(self):
        self.asked.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
        self._answer(ANSWER)

    def _answer(self, document):
        known = self.headers.get("authorization") == "Bearer sk-engine"
        body = json.dumps(document if known else {}).encode()
        self.send_response(200 if known else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


@pytest.fixture(scope="module")
def engine():
    with ThreadingHTTPServer(("127.0.0.1", 0), Engine) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def up(home):
    """Run `ringfence up`; give the process and the gateway's address."""
    child = started(home.environment())
    try:
        said = []
        while "Ctrl-C" not in (line := child.stderr.readline()):
            said.append(line)
            assert line, "".join(said)
        (gateway,) = [line.split()[1] for line in said if line.startswith("gateway ")]
        assert gateway.startswith("http://127.0.0.1:"), said
        yield child, gateway
    finally:
        child.terminate()
        child.communicate(timeout=60)


@pytest.fixture
def place(home_now):
    """Where the gateway runs; one that a test left behind is ended."""
    found = Place(home_now.path / "gateway", home_now.path / "gateway.log", 0)
    yield found
    for pid in running(found):
        end(pid, lambda pid=pid: pid in running(found))


def do(home, *words, role=Role.ENGINEER):
    done = called(home.environment(role), *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def attach(home, engine, tmp_path):
    (tmp_path / "engine.key").write_text("sk-engine\n")
    (tmp_path / "engine.key").chmod(0o600)
    return do(home, "deploy", "attach", engine, "--as", "small", "--api-key-file", str(tmp_path / "engine.key"))


def ask(gateway, secret, model="small"):
    body = {"model": model, "prompt": "x"}
    headers = {"authorization": f"Bearer {secret}"}
    return httpx.post(f"{gateway}/completions", json=body, headers=headers, trust_env=False, timeout=20)


def until(status, act):
    """Repeat a request until it has a status; return the last answer."""
    deadline = time.monotonic() + 20
    while (answer := act()).status_code != status and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def test_a_key_opens_until_it_is_revoked(home_now, engine, tmp_path, place):
    with up(home_now) as (_, gateway):
        assert attach(home_now, engine, tmp_path)["saw"] == {"ready": True, "models": ["tiny"]}
        issued = do(home_now, "key", "issue", "anna", "--deployment", "small")
        answer = until(200, lambda: ask(gateway, issued["secret"]))
        assert (answer.status_code, answer.json()["choices"][0]["text"]) == (200, "hello")
        assert answer.headers["x-ringfence-digest-basis"] == "declared"
        assert Engine.asked[-1][1]["model"] == "tiny"
        another = issued["secret"][:-1] + ("E" if issued["secret"][-1] == "A" else "A")
        assert ask(gateway, another).status_code == 401

        key = issued["key"]["key"]
        do(home_now, "key", "block", key, "--reason", "tried", role=Role.SECURITY)
        assert until(403, lambda: ask(gateway, issued["secret"])).status_code in {401, 403}
        do(home_now, "key", "unblock", key, role=Role.SECURITY)
        assert until(200, lambda: ask(gateway, issued["secret"])).status_code == 200

        do(home_now, "key", "revoke", key, role=Role.SECURITY)
        time.sleep(WITHIN)
        assert ask(gateway, issued["secret"]).status_code == 401
        (shown,) = do(home_now, "key", "callers")["keys"]
        assert (shown["state"], shown["usage"]["requests"] > 0) == ("revoked", True)
    assert running(place) == []


def test_a_gateway_that_is_killed_is_started_again_and_one_that_outlived_us_is_replaced(
    home_now, engine, tmp_path, place
):
    with up(home_now) as (child, gateway):
        attach(home_now, engine, tmp_path)
        issued = called(home_now.environment(), "key", "issue", "anna")
        secret = issued.stdout.removesuffix("\n")  # the key and nothing else, so that a file can take it
        assert "shown this once" in issued.stderr
        assert until(200, lambda: ask(gateway, secret)).status_code == 200
        (first,) = running(place)
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while running(place) in ([], [first]) and time.monotonic() < deadline:
            time.sleep(0.05)
        (second,) = running(place)

        def again():
            try:
                return ask(gateway, secret)
            except httpx.TransportError:
                return httpx.Response(502)

        assert until(200, again).status_code == 200
        child.kill()  # `up`, without a chance to stop what it started
        child.wait()
        assert running(place) == [second]
        assert ask(gateway, secret).status_code == 200  # for as long as the snapshot is good
    with up(home_now) as (_, address):
        (third,) = running(place)
        assert third != second
        assert until(200, lambda: ask(address, secret)).status_code == 200
    assert running(place) == []


def test_up_says_why_the_gateway_does_not_run(home_now, place):
    (home_now.path / "keys" / "gateway.json").unlink()
    (home_now.path / "keys" / "root.json").rename(home_now.path.parent / "root.json")
    child = started(home_now.environment())
    try:
        said = "".join(child.stderr.readline() for _ in range(3))
        assert "gateway       does not run: the gateway's key is not enrolled" in said
        assert "--root-key" in said
    finally:
        child.terminate()
        child.communicate(timeout=60)
    assert running(place) == []
