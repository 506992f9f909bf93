"""The gateway as a process in front of small engines, asked by the official `openai` client and by raw sockets."""

import asyncio
import json
import os
import signal
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import openai
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ringfence.gateway.model import Basis, DeploymentName, Limits, Protocol, ServedModel, Upstream
from ringfence.testing import upstreams as engines
from ringfence.testing.gateway import LIMITS, SECRET, api_key, deployment
from ringfence.testing.gateway_process import GatewayProcess
from ringfence.testing.upstreams import Engine

OTHER = "rfk-ba9876543210-" + "B" * 43
CHAT = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def engine():
    with Engine() as running:
        yield running


@pytest.fixture(autouse=True)
def honest(request):
    """Every test begins with an honest engine."""
    if "engine" in request.fixturenames:
        running = request.getfixturevalue("engine")
        running.behave = engines.openai
        running.requests.clear()
        running.lost.clear()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, engine):
    process = GatewayProcess(
        tmp_path_factory.mktemp("gateway") / "home",
        tune=["first_byte=0.9", "between_bytes=0.9", "head=0.9", "body=0.9", "linger=0.3"],
    )
    process.prepare()
    served(process, engine)
    with process:
        yield process


def served(process, engine, **facts):
    v2 = deployment(
        "tree",
        engine.url.replace("/v1", "/v2"),
        protocol=Protocol.INFERENCE_V2,
        model=ServedModel("m1", None, Basis.DECLARED),
    )
    keys = [api_key(), api_key(OTHER, deployments=(DeploymentName("tree"),))]
    process.publish(keys, [deployment("small", engine.url), v2], **facts)


@pytest.fixture
def client(gateway):
    with openai.OpenAI(base_url=gateway.url, api_key=SECRET, max_retries=0, timeout=20) as made:
        yield made


def post(body, *, path="/v1/chat/completions", key=SECRET, headers="", length=None):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = f"Content-Length: {len(data) if length is None else length}\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n{length}{headers}\r\n"
    return head.encode() + data


def closing(body, **facts):
    return post(body, headers="Connection: close\r\n", **facts)


def parts(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head.lower(), body


def error(answer):
    status, _, body = parts(answer)
    told = json.loads(body)["error"]
    assert set(told) == {"message", "type", "param", "code"}
    return status, told["code"]


# The official client


def test_chat(client, engine):
    raw = client.chat.completions.with_raw_response.create(**CHAT)
    assert raw.parse().choices[0].message.content == engines.ANSWER
    assert raw.headers["x-ringfence-model-digest"].startswith("sha256:")
    assert raw.headers["x-ringfence-digest-basis"] == "declared"
    assert raw.headers["x-request-id"].startswith("req-")
    assert (
        raw.http_response.content
        == json.dumps(engines.completion({"model": "engine-model"}, "/chat/completions")).encode()
    )
    assert engine.requests[-1].document["model"] == "engine-model"
    assert SECRET.encode() not in engine.requests[-1].head


def test_chat_streamed(client):
    said = [part.choices[0].delta.content for part in client.chat.completions.create(**CHAT, stream=True)]
    assert said == [f"word{number} " for number in range(engines.EVENTS)]


def test_a_stream_carries_the_usage_that_was_asked_for(client, gateway):
    parts_ = list(client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))
    assert parts_[-1].usage.completion_tokens == 5
    time.sleep(0.3)
    seen = next(each for each in reversed(gateway.accesses(1)) if each["completion_tokens"] == 5)
    assert (seen["prompt_tokens"], seen["finish_reason"], seen["status"]) == (7, "stop", 200)


def test_completions_plain_and_streamed(client):
    assert client.completions.create(model="small", prompt="hi").choices[0].text == engines.ANSWER
    streamed = client.completions.create(model="small", prompt="hi", stream=True)
    assert "".join(part.choices[0].text for part in streamed).startswith("word0 word1 ")


def test_embeddings(client):
    made = client.embeddings.create(model="small", input="hi", encoding_format="float")
    assert made.data[0].embedding == [0.25, -0.5, 0.125]


def test_models(client):
    assert [each.id for each in client.models.list()] == ["small"]
    one = client.models.retrieve("small")
    assert (one.owned_by, one.digest_basis) == ("acme", "declared")


def test_the_asynchronous_client(gateway):
    async def run():
        async with openai.AsyncOpenAI(base_url=gateway.url, api_key=SECRET, max_retries=0, timeout=20) as client:
            plain = [client.chat.completions.create(**CHAT) for _ in range(8)]
            streamed = await client.chat.completions.create(**CHAT, stream=True)
            said = [part.choices[0].delta.content async for part in streamed]
            return [each.choices[0].message.content for each in await asyncio.gather(*plain)], said

    answers, said = asyncio.run(run())
    assert answers == [engines.ANSWER] * 8
    assert len(said) == engines.EVENTS


@pytest.mark.parametrize(
    ("key", "model", "kind", "code"),
    [
        ("rfk-0123456789ab-" + "C" * 43, "small", openai.AuthenticationError, "invalid_api_key"),
        ("rfk-000000000000-" + "C" * 43, "small", openai.AuthenticationError, "invalid_api_key"),
        ("nonsense", "small", openai.AuthenticationError, "missing_api_key"),
        (SECRET, "other", openai.NotFoundError, "model_not_found"),
        (OTHER, "small", openai.NotFoundError, "model_not_found"),
        (SECRET, "tree", openai.BadRequestError, "wrong_protocol"),
    ],
)
def test_errors_are_those_of_the_client(gateway, engine, key, model, kind, code):
    with (
        openai.OpenAI(base_url=gateway.url, api_key=key, max_retries=0) as client,
        pytest.raises(kind) as caught,
    ):
        client.chat.completions.create(**{**CHAT, "model": model})
    assert caught.value.code == code
    assert engine.requests == []


def test_an_engines_own_error_passes_unchanged(client, engine):
    body = b'{"error": {"message": "too long", "type": "x", "param": null, "code": "context_length"}}'
    engine.behave = engines.raw(engines.whole(body, status="400 Bad Request"))
    with pytest.raises(openai.BadRequestError, match="too long"):
        client.chat.completions.create(**CHAT)


# The Open Inference Protocol


def test_inference_v2(gateway, engine):
    status, head, body = parts(gateway.talk(closing({"inputs": []}, path="/v2/models/tree/infer", key=OTHER)))
    assert (status, json.loads(body)["model_name"]) == (200, "engine-model")
    assert b"x-ringfence-model-digest: unknown" in head
    assert engine.requests[-1].path == "/v2/models/m1/infer"


@pytest.mark.parametrize("path", ["/v2/models/tree", "/v2/models/tree/ready"])
def test_what_a_model_says_of_itself_is_asked_of_its_engine(gateway, engine, path):
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OTHER}\r\nConnection: close\r\n\r\n"
    assert parts(gateway.talk(head.encode()))[0] == 200
    assert engine.requests[-1].path == path.replace("tree", "m1")


@pytest.mark.parametrize("path", ["/healthz", "/v2/health/live", "/v2/health/ready"])
def test_health_needs_no_key(gateway, path):
    assert parts(gateway.talk(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()))[0] == 200


# Requests that are not what they should be

HOSTILE = {
    "both lengths": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", 400),
    "signed length": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd", 400),
    "folded header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    "bare line feed": (b"GET /healthz HTTP/1.1\nHost: x\n\n", 400),
    "bare line feed in the headers": (b"GET /healthz HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400),
    "blank before the colon": (b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    "NUL in a header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    "absolute target": (b"GET http://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "old version": (b"GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n", 505),
    "upgrade": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", 400),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "unknown coding": (post(b"", headers="Transfer-Encoding: cow\r\n"), 400),
    "many headers": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
    "long header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 40_000, 431),
    "body of a GET": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 413),
    "other method": (b"DELETE /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    "no such route": (b"GET /admin HTTP/1.1\r\nHost: x\r\n\r\n", 404),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_request_is_refused_and_closes_the_connection(gateway, engine, name):
    sent, status = HOSTILE[name]
    answer = gateway.talk(sent)
    assert error(answer)[0] == status
    assert answer.count(b"x-request-id") == 1
    assert engine.requests == []


CHUNKED = (
    f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n"
    "Transfer-Encoding: chunked\r\n\r\n"
).encode()


@pytest.mark.parametrize(
    "rest", [b"zz\r\n", b"-1\r\n", b"0x4\r\n", b"4\nabcd", b"4\r\nabcde\r\n", b"fffffffffffffffff\r\n"]
)
def test_a_bad_chunk_is_refused(gateway, engine, rest):
    assert error(gateway.talk(CHUNKED + rest))[0] == 400
    assert engine.requests == []


def test_trailers_are_refused(gateway, engine):
    body = json.dumps(CHAT).encode()
    answer = gateway.talk(CHUNKED + engines.chunk(body) + b"0\r\nAuthorization: Bearer x\r\n\r\n")
    assert error(answer) == (400, "no_trailers")
    assert engine.requests == []


def test_a_chunked_body_is_taken(gateway, engine):
    body = json.dumps(CHAT).encode()
    sent = (
        CHUNKED.replace(b"Host", b"Connection: close\r\nHost")
        + engines.chunk(body[:9])
        + engines.chunk(body[9:])
        + b"0\r\n\r\n"
    )
    assert parts(gateway.talk(sent))[0] == 200
    assert b"transfer-encoding" not in engine.requests[-1].head.lower()


def test_a_smuggled_request_is_a_request_of_its_own_without_a_key(gateway, engine):
    inner = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    answer = gateway.talk(post(CHAT) + inner)
    first, rest = answer.split(b"HTTP/1.1 401", 1)
    assert first.startswith(b"HTTP/1.1 200")
    assert b"missing_api_key" in rest
    assert len(engine.requests) == 1


def test_pipelined_requests_are_answered_in_their_order(gateway, engine):
    many = [{**CHAT, "user": str(number)} for number in range(5)]
    answer = gateway.talk(b"".join(map(post, many[:4])) + closing(many[4]))
    assert answer.count(b"HTTP/1.1 200 OK") == 5
    assert [each.document["user"] for each in engine.requests] == list("01234")


def test_more_than_a_few_pipelined_requests_are_refused(gateway):
    answer = gateway.talk(b"".join([post(CHAT)] * 40))
    assert b"too_many_pipelined" in answer


def test_half_a_request_ends_with_a_timeout(gateway):
    assert error(gateway.talk(b"POST /v1/chat/comp")) == (408, "request_timeout")
    assert error(gateway.talk(post(CHAT, length=5000))) == (408, "request_timeout")


def test_a_caller_that_says_nothing_is_let_go(gateway):
    assert gateway.talk() == b""


def test_continue_is_said_only_to_those_who_may_send(gateway):
    head = post(b"", length=len(json.dumps(CHAT)), headers="Expect: 100-continue\r\nConnection: close\r\n")
    answer = gateway.talk(head, json.dumps(CHAT).encode(), pause=0.2)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    refused = gateway.talk(post(b"", length=10, key=OTHER[:-1] + "C", headers="Expect: 100-continue\r\n"))
    assert error(refused)[0] == 401


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xff\xfe", "invalid_utf8"),
        (b"[]", "invalid_json"),
        (b'{"model": "small"', "invalid_json"),
        (b'{"model": "small"} x', "invalid_json"),
        (b'{"model": "small", "model": "tree"}', "duplicate_key"),
        (b'{"model": "small", "mod\\u0065l": "tree"}', "duplicate_key"),
        (b'{"model": "small", "MODEL": "tree"}', "duplicate_key"),
        ('{"stream": true, "\u017ftream": false, "model": "small"}'.encode(), "duplicate_key"),
        (b'{"model": 5}', "invalid_model"),
        (b"{}", "invalid_model"),
        (b'{"model": "small", "stream": 1}', "invalid_stream"),
        (b'{"model": "small", "n": NaN}', "invalid_json"),
        (b'{"model": "small", "x": ' + b"[" * 100_000, "invalid_json"),
        (b'{"model": "small", "x": ' + b"1" * 5000 + b"}", "invalid_json"),
    ],
)
def test_a_bad_body_is_refused_and_not_forwarded(gateway, engine, body, code):
    assert error(gateway.talk(closing(body))) == (400, code)
    assert engine.requests == []


def test_a_body_that_is_too_long_is_refused_before_it_is_read(gateway, engine):
    assert error(gateway.talk(post(b"{", length=LIMITS.body_bytes + 1))) == (413, "body_too_large")
    assert engine.requests == []


def test_only_json_is_taken(gateway, engine):
    for header in ("Content-Type: text/plain", "Content-Encoding: gzip", "Inference-Header-Content-Length: 3"):
        assert error(gateway.talk(post(CHAT, headers=f"{header}\r\nConnection: close\r\n")))[0] == 415
    assert engine.requests == []


# Engines that are not what they should be

GARBAGE = {
    "no HTTP": [b"hello\r\n\r\n"],
    "two answers": [engines.whole(b"{}") + engines.whole(b"{}")],
    "no length": [b"HTTP/1.1 200 OK\r\n\r\n{}"],
    "two lengths": [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}"],
    "both lengths": [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"],
    "redirect": [b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n"],
    "switch": [b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"],
    "no end of the headers": [b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000],
    "bare line feeds": [b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"],
    "refused credential": [engines.whole(b"{}", status="401 Unauthorized")],
}


@pytest.mark.parametrize("name", GARBAGE)
def test_an_engine_that_lies_before_its_answer_is_a_bad_gateway(gateway, engine, name):
    engine.behave = engines.raw(*GARBAGE[name], close=name == "no length")
    assert error(gateway.talk(closing(CHAT)))[0] == 502


def test_an_engine_that_dies_before_its_answer(gateway, engine):
    engine.behave = engines.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", close=True)
    assert error(gateway.talk(closing(CHAT))) == (502, "upstream_failed")


def test_an_engine_that_never_answers(gateway, engine):
    engine.behave = engines.silent
    assert error(gateway.talk(closing(CHAT))) == (504, "upstream_stalled")
    assert engine.lost.wait(5)


@pytest.mark.parametrize("stall", [True, False])
def test_a_stream_that_breaks_off_does_not_look_complete(gateway, engine, stall):
    engine.behave = engines.broken_after(3, stall=stall)
    status, _, body = parts(gateway.talk(closing({**CHAT, "stream": True})))
    assert status == 200
    assert body.count(b"data: ") == 3
    assert not body.endswith(b"0\r\n\r\n")
    with (
        openai.OpenAI(base_url=gateway.url, api_key=SECRET, max_retries=0) as client,
        pytest.raises(Exception, match="Connection error"),
    ):
        list(client.chat.completions.create(**CHAT, stream=True))


def test_a_stream_with_a_broken_chunk_breaks_off(gateway, engine):
    event = engines.chunk(b"data: {}\n\n")
    engine.behave = engines.raw(engines.STREAM_HEAD + event, b"zz\r\n", pause=0.1)
    body = parts(gateway.talk(closing({**CHAT, "stream": True})))[2]
    assert body == event


def test_each_event_leaves_at_once_and_unchanged(gateway, engine):
    go = threading.Event()

    async def behave(_received, writer):
        writer.write(engines.STREAM_HEAD + engines.chunk(b'data: {"a": 1}\n') + engines.chunk(b"\n: note\r\n"))
        await writer.drain()
        await asyncio.to_thread(go.wait, 10)
        writer.write(engines.chunk(b"\r\nid: 7\ndata:\xc3\xa9\n\ndata: [DONE]\n\n") + b"0\r\n\r\n")

    engine.behave = behave
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(closing({**CHAT, "stream": True}))
        received = b""
        while b'{"a": 1}\n\n' not in received:
            received += connection.recv(65536)
        go.set()
        while data := connection.recv(65536):
            received += data
    body = parts(received)[2]
    sent = b"".join(line for number, line in enumerate(chunks(body)) if number >= 0)
    assert sent == b'data: {"a": 1}\n\n: note\r\n\r\nid: 7\ndata:\xc3\xa9\n\ndata: [DONE]\n\n'


def chunks(body):
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        yield body[:length]
        body = body[length + 2 :]


def test_a_caller_that_leaves_cancels_the_engine(gateway, engine):
    engine.behave = engines.broken_after(2, stall=True)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(post({**CHAT, "stream": True}))
        connection.recv(1000)
    assert engine.lost.wait(5)


def test_a_slow_caller_holds_the_engine_back(gateway, engine):
    sent = []

    async def behave(_received, writer):
        writer.write(engines.STREAM_HEAD)
        for _ in range(1000):
            writer.write(engines.chunk(b"data: " + b"x" * 65_536 + b"\n\n"))
            await writer.drain()
            sent.append(1)
        writer.write(b"0\r\n\r\n")

    engine.behave = behave
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(post({**CHAT, "stream": True}))
        connection.recv(1000)
        time.sleep(0.5)
        assert len(sent) < 400  # of 65 MB; what sockets buffer, and no more


def test_a_long_plain_answer_arrives_whole(gateway, engine):
    body = json.dumps({"data": "x" * 3_000_000}).encode()
    for answer in (
        engines.whole(body),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + engines.chunk(body) + b"0\r\n\r\n",
    ):
        engine.behave = engines.raw(answer)
        _, head, received = parts(gateway.talk(closing(CHAT)))
        assert (b"".join(chunks(received)) if b"chunked" in head else received) == body


def test_connections_to_engines_are_kept(engine, client):
    before = engine.connections
    for _ in range(5):
        client.chat.completions.create(**CHAT)
    assert engine.connections - before <= 1


# Limits, keys, snapshots, records: each with a gateway of its own, since they change it


@pytest.fixture
def own(tmp_path, engine):
    process = GatewayProcess(tmp_path / "home")
    process.prepare()
    served(process, engine)
    with process:
        yield process


def seen(process, wanted):
    """Ask until the answer is the wanted one: a new snapshot is seen within a moment."""
    answer = b""
    for _ in range(60):
        answer = process.talk(closing(CHAT))
        if parts(answer)[0] == wanted:
            return answer
        time.sleep(0.1)
    raise AssertionError(answer)


def test_a_block_takes_effect_at_once_and_says_so(own, engine):
    assert parts(own.talk(closing(CHAT)))[0] == 200
    own.publish([api_key(blocked="guessing")], [deployment("small", engine.url)])
    assert error(seen(own, 403)) == (403, "blocked_api_key")
    own.publish([api_key(revoked_at=datetime(2026, 1, 1, tzinfo=UTC))], [deployment("small", engine.url)])
    assert error(seen(own, 401)) == (401, "revoked_api_key")


def test_an_expired_snapshot_refuses_and_a_forged_one_changes_nothing(own, engine):
    forger = GatewayProcess(own.home, version=100)
    forger.publish([api_key()], [])
    time.sleep(0.6)
    assert parts(own.talk(closing(CHAT)))[0] == 200
    now = datetime.fromtimestamp(time.time_ns() / 1e9, tz=UTC)
    own.version += 1
    own.publish([api_key()], [deployment("small", engine.url)], at=now - timedelta(seconds=61))
    assert error(seen(own, 503)) == (503, "snapshot_expired")
    engine.requests.clear()
    assert error(own.talk(closing(CHAT)))[0] == 503
    assert parts(own.talk(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))[0] == 503
    assert engine.requests == []


def test_the_rate_and_the_number_of_running_requests_are_limited(own, engine):
    own.publish([api_key(limits=Limits(3, 2, 1000))], [deployment("small", engine.url)])
    time.sleep(0.6)
    engine.behave = engines.silent
    with (
        socket.create_connection(("127.0.0.1", own.port)) as one,
        socket.create_connection(("127.0.0.1", own.port)) as two,
    ):
        one.sendall(post(CHAT))
        two.sendall(post(CHAT))
        time.sleep(0.3)
        assert error(own.talk(closing(CHAT))) == (429, "too_many_running")
    engine.behave = engines.openai
    time.sleep(0.3)
    assert parts(own.talk(closing(CHAT)))[0] == 200
    answer = own.talk(closing(CHAT))
    assert error(answer) == (429, "rate_limit_exceeded")
    assert 1 <= int(parts(answer)[1].partition(b"retry-after: ")[2].split(b"\r\n")[0]) <= 60


def test_where_the_journal_cannot_write_nothing_is_forwarded(own, engine):
    import resource

    assert parts(own.talk(closing(CHAT)))[0] == 200
    engine.requests.clear()
    resource.prlimit(own.process.pid, resource.RLIMIT_FSIZE, (1, 1))
    for _ in range(3):
        status, code = error(own.talk(closing(CHAT)))
        assert (status, code) == (503, "recording_failed")
    told = engine.requests
    assert len(told) <= 1  # what was under way when the disk first refused; its answer was withheld


def test_a_terminated_gateway_ends_what_runs_and_refuses_the_rest(own, engine):
    async def behave(received, writer):
        await asyncio.sleep(0.7)
        await engines.openai(received, writer)

    engine.behave = behave
    with socket.create_connection(("127.0.0.1", own.port), timeout=10) as connection:
        connection.sendall(post(CHAT))
        time.sleep(0.2)
        os.kill(own.process.pid, signal.SIGTERM)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert own.process.wait(10) == 0


def test_neither_secrets_nor_texts_are_written_anywhere(own, engine):
    credential = own.folder / "token"
    credential.write_text("upstream-secret-token\n")
    named = deployment("small", "x", upstream=Upstream(engine.url, credential="token"))
    own.publish([api_key()], [named])
    time.sleep(0.6)
    assert parts(own.talk(closing({**CHAT, "user": "some-private-words"})))[0] == 200
    assert b"authorization: Bearer upstream-secret-token" in engine.requests[-1].head
    own.talk(post(CHAT, key=SECRET[:-1] + "B"))
    own.stop()
    for path in own.home.rglob("*"):
        if path.is_file() and path != credential:
            data = path.read_bytes()
            for word in (
                SECRET.encode(),
                SECRET[17:].encode(),
                b"upstream-secret-token",
                b"some-private-words",
                b"small engine",
            ):
                assert word not in data, path


def test_an_engine_behind_a_unix_socket(own, tmp_path):
    with Engine(socket=tmp_path / "engine.sock") as hidden:
        upstream = Upstream("http://node", socket=str(tmp_path / "engine.sock"))
        own.publish([api_key()], [deployment("small", "x", upstream=upstream)])
        time.sleep(0.6)
        assert parts(own.talk(closing(CHAT)))[0] == 200
        assert hidden.requests[-1].path == "/v1/chat/completions"
        assert b"host: node" in hidden.requests[-1].head


@pytest.fixture
def certified(tmp_path):
    """A certificate for 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine")])
    now = datetime.fromtimestamp(time.time_ns() / 1e9, tz=UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = tmp_path / "engine.pem"
    certificate.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "engine.key").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "engine.key")
    return certificate, context


@pytest.mark.parametrize("trusted", [True, False])
def test_an_engine_behind_tls_must_be_trusted(tmp_path, certified, monkeypatch, trusted):
    certificate, context = certified
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Engine(context=context) as hidden, GatewayProcess(tmp_path / "home") as process:
        process.publish([api_key()], [deployment("small", hidden.url)])
        answer = seen(process, 200 if trusted else 502)
        assert trusted or error(answer)[1] == "upstream_broken"
        assert len(hidden.requests) == (1 if trusted else 0)
