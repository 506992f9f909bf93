import json
import socket
import threading
from base64 import b64decode
from dataclasses import replace

import httpx
import pytest

from ringfence.frontends.client import Client, connect, operator_path
from ringfence.kernel import drafts, errors
from ringfence.kernel.actor import Role
from ringfence.kernel.envelope import parse
from ringfence.kernel.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    RingfenceError,
    Unauthenticated,
    Unavailable,
    UsageError,
)
from ringfence.obligations.scope.rules import sample
from ringfence.settings import Settings
from ringfence.storage import keyfile
from ringfence.testing.home import TENANT, draft

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RingfenceError)]


def answering(answer, settings):
    transport = httpx.MockTransport(lambda request: answer(request) if callable(answer) else answer)
    return Client(httpx.Client(base_url="http://x", transport=transport), settings)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not RingfenceError])
def test_problem_details_become_the_error_that_they_were(home, kind):
    body = {"type": f"urn:ringfence:problem:{kind.slug}", "detail": "what to do"}
    client = answering(httpx.Response(kind.http_status, json=body), home.settings())
    with pytest.raises(kind, match="what to do") as caught:
        client.get("/x")
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, text="<html>"),
        httpx.Response(404, json=[]),
        httpx.Response(404, json={"type": 5}),
        httpx.Response(302, headers={"location": "http://elsewhere"}),
        httpx.Response(200, text="<html>", headers={"content-type": "text/html"}),
        httpx.Response(200, text="{", headers={"content-type": "application/json"}),
        httpx.Response(200, content=b"\xff", headers={"content-type": "application/json"}),
        httpx.Response(204),
    ],
    ids=range(8),
)
def test_what_is_not_ringfence_is_unavailable(home, answer):
    with pytest.raises(Unavailable, match="is this Ringfence"):
        answering(answer, home.settings()).get("/x")


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")])
def test_a_broken_connection_is_unavailable(home, error):
    def answer(_request):
        raise error

    with pytest.raises(Unavailable):
        answering(answer, home.settings()).get("/x")


class Server:
    """A ledger that lets others be faster for a while."""

    def __init__(self, losing):
        self.losing, self.posted = losing, []

    def __call__(self, request):
        if request.url.path == "/api/v1/me":
            return httpx.Response(200, json={"tenant": "main", "log": "a.example/log", "demo": False})
        if request.method == "GET":
            return httpx.Response(200, json={"next": len(self.posted) + 1})
        self.posted.append(json.loads(request.content))
        if len(self.posted) <= self.losing:
            body = {"type": "urn:ringfence:problem:conflict", "detail": "the next has sequence 9, not 8"}
            return httpx.Response(409, json=body)
        return httpx.Response(201, json={"statement": {}})


def test_a_lost_race_is_run_again_with_the_same_idempotency_key(home):
    server = Server(losing=3)
    answering(server, home.settings()).state(draft(details={"a": "b"}))
    sent = [parse(b64decode(body["envelope"])).statement for body in server.posted]
    assert [statement.issuance.sequence for statement in sent] == [1, 2, 3, 4]
    assert len({statement.issuance.idempotency_key for statement in sent}) == 1
    assert len({body["opening"] for body in server.posted}) == 1


def test_it_does_not_race_for_ever(home):
    with pytest.raises(Conflict):
        answering(Server(losing=1000), home.settings()).state(draft())


# Who acts


def test_without_a_home_it_says_how_to_make_one(tmp_path):
    with pytest.raises(NotFound, match="ringfence init"):
        operator_path(Settings(home=tmp_path))


@pytest.mark.parametrize("name", ["../x", "person-", "person-../x", "root", "person-a/b", ""])
def test_an_operator_is_a_person_and_no_path(home, name):
    (home.path / "operator").write_text(name or "x")
    with pytest.raises(UsageError):
        operator_path(Settings(home=home.path, operator=name))


def test_a_damaged_token_is_one_sentence(home):
    path = operator_path(home.settings())
    seed = keyfile.load(path, None).secret("signing")
    path.unlink()
    keyfile.create(path, {"signing": seed, "token": b"\xff\xfe"}, None)
    with pytest.raises(MalformedInput, match="token"), connect(home.settings()):
        pass


# Which way


def test_in_this_process_it_is_the_whole_app(home_now):
    from ringfence.main import run

    assert run  # importing it says how the app is opened
    with connect(home_now.settings(Role.AUDITOR)) as client:
        assert client.tenant == TENANT
        assert client.person == home_now.people[Role.AUDITOR].id
        assert client.home == home_now.path


def test_a_socket_that_nobody_listens_on_is_passed_over(home_now):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(home_now.path / "ringfence.sock"))
    left.close()
    with connect(home_now.settings()) as client:
        assert client.tenant == TENANT


def test_a_wrong_token_is_refused(home_now):
    with connect(replace(home_now.settings(), token="rf-wrong")) as client, pytest.raises(Unauthenticated):
        client.get("/api/v1/me")


def test_clients_of_several_threads_state_without_gaps(home_now):
    done = []

    def work(client):
        for _ in range(3):
            made = client.post("/api/v1/scope/drafts", {"profile": sample()})["drafts"][0]
            done.append(client.state(drafts.from_json(made))["statement"]["sequence"])

    # FastAPI changes the warning filters of the process while it builds routes, and warnings are errors here. It builds
    # them for the first request: both ask once before they race.
    with connect(home_now.settings()) as one, connect(home_now.settings()) as two:
        work(one)
        work(two)
        threads = [threading.Thread(target=work, args=[client]) for client in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(done) == list(range(1, 13))
