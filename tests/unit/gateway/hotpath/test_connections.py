import asyncio
import json
from datetime import timedelta

import pytest

from ringfence.gateway.hotpath.tuning import Tuning
from ringfence.gateway.model import Limits
from ringfence.testing.gateway import SECRET, api_key
from ringfence.testing.gateway_desk import DeskLab
from ringfence.testing.upstreams import whole

CHAT = b'{"model": "small", "messages": []}'


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n\r\n".encode()


def post(body=CHAT, headers=b""):
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n%b\r\n%b"
        % (SECRET.encode(), len(body), headers, body)
    )


def code(caller):
    return json.loads(caller.sent.partition(b"\r\n\r\n")[2])["error"]["code"]


def in_lab(test, **facts):
    async def run():
        lab = DeskLab(asyncio.get_running_loop(), **facts)
        await test(lab)

    asyncio.run(run())


def test_requests_on_one_connection_are_answered_in_their_order():
    async def test(lab):
        caller = lab.caller()
        caller.receive(post() + get("/v1/models") + get("/healthz"))
        assert caller.paused
        assert caller.sent == b""
        lab.engine.receive(whole(b'{"first": 1}'))
        await lab.settle()
        assert [part[:3] for part in caller.sent.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 3
        assert caller.sent.index(b"first") < caller.sent.index(b'"object":"list"') < caller.sent.index(b'"status":"ok"')
        assert not caller.paused
        assert [json.loads(each)["route"] for each in lab.accesses.lines] == ["chat.completions", "models", ""]

    in_lab(test)


def test_what_is_no_request_is_refused_after_those_before_it():
    async def test(lab):
        caller = lab.caller()
        caller.receive(post() + b"GARBAGE\r\n\r\n")
        assert caller.sent == b""
        lab.engine.receive(whole(b"{}"))
        await lab.settle()
        assert caller.sent.count(b"HTTP/1.1 ") == 2
        assert b"malformed_request" in caller.sent
        assert caller.closed
        assert not caller.paused  # it is read on, so that the refusal arrives

    in_lab(test)


def test_deadlines_of_a_caller():
    async def test(lab):
        silent, slow_head, slow_body, kept = (lab.caller() for _ in range(4))
        slow_head.receive(b"GET /")
        slow_body.receive(post()[:-5])
        kept.receive(get("/healthz"))
        for each in (silent, slow_head, slow_body, kept):
            assert each.protocol.deadline < lab.loop.time() + 76
            each.protocol.expire()
        assert (silent.sent, silent.closed) == (b"", True)
        assert (code(slow_head), code(slow_body)) == ("request_timeout", "request_timeout")
        assert kept.sent.count(b"HTTP/1.1 ") == 1
        assert kept.closed

    in_lab(test)


def test_slowness_does_not_buy_time():
    async def test(lab):
        caller = lab.caller()
        caller.receive(b"GET /")
        first = caller.protocol.deadline
        await asyncio.sleep(0.01)
        caller.receive(b"health")
        assert caller.protocol.deadline == first
        await asyncio.sleep(0)

    in_lab(test)


def test_a_caller_that_does_not_read_is_let_go():
    async def test(lab):
        caller = lab.caller()
        caller.receive(post())
        caller.protocol.pause_writing()
        assert lab.engine.paused
        caller.unsent = 1
        caller.protocol.expire()
        assert caller.closed
        caller.lose()
        assert lab.engine.closed
        await lab.settle()
        assert json.loads(lab.accesses.lines[-1])["error"] == "client_gone"

    in_lab(test)


def test_a_caller_that_reads_again_lets_the_engine_go_on():
    async def test(lab):
        caller = lab.caller()
        caller.receive(post())
        caller.protocol.pause_writing()
        caller.protocol.resume_writing()
        assert not lab.engine.paused
        assert caller.protocol.deadline == float("inf")

    in_lab(test)


def test_a_slow_caller_gets_the_rest_of_its_last_answer():
    async def test(lab):
        caller = lab.caller()
        caller.receive(post(headers=b"Connection: close\r\n"))
        lab.engine.receive(whole(b"{}"))
        await lab.settle()
        caller.closed, caller.unsent = False, 1  # closed for writing only; something is still on the way
        caller.protocol.expire()
        assert not caller.closed
        assert caller.protocol.deadline < lab.loop.time() + 3
        caller.unsent = 0
        caller.protocol.expire()
        assert caller.closed

    in_lab(test)


def test_callers_far_beyond_the_limit_are_let_go():
    async def test(lab):
        made = [lab.caller() for _ in range(66)]
        assert made[-2].sent
        assert (made[-1].sent, made[-1].closed) == (b"", True)

    in_lab(test, tuning=Tuning(callers=1))


def test_too_many_callers_are_told():
    async def test(lab):
        first, second = lab.caller(), lab.caller()
        assert not first.closed
        assert code(second) == "too_many_connections"
        second.lose()
        first.lose()
        assert not lab.desk.connections

    in_lab(test, tuning=Tuning(callers=1))


def test_a_key_that_is_blocked_while_its_body_is_on_the_way():
    async def test(lab):
        caller = lab.caller()
        caller.receive(post()[:-5])
        lab.keys = [api_key(blocked="guessing")]
        changed = lab.desk.snapshot
        object.__setattr__(changed, "digest", None)
        lab.publish(lab.desk.clock.now())
        caller.receive(post()[-5:])
        assert code(caller) == "blocked_api_key"
        assert lab.engine.sent == b""

    in_lab(test)


@pytest.mark.parametrize("seconds", [61, -61])
def test_a_snapshot_that_is_too_old_or_from_the_future_refuses(seconds):
    async def test(lab):
        lab.publish(lab.desk.clock.now() - timedelta(seconds=seconds))
        caller = lab.caller()
        caller.receive(post())
        assert code(caller) == "snapshot_expired"
        assert json.loads(lab.accesses.lines[-1])["status"] == 503

    in_lab(test)


def test_where_accesses_cannot_be_recorded_nothing_is_served():
    async def test(lab):
        lab.accesses.broken = True
        for request in (post(), get("/v1/models"), get("/healthz")):
            caller = lab.caller()
            caller.receive(request)
            assert code(caller) == "recording_failed"
        assert lab.engine.sent == b""

    in_lab(test)


def test_limits_are_given_back():
    async def test(lab):
        for _ in range(3):
            caller = lab.caller()
            caller.receive(post(headers=b"Connection: close\r\n"))
            lab.engine.receive(whole(b"{}"))
            await lab.settle()
            assert caller.sent.startswith(b"HTTP/1.1 200")
        journal_broken = lab.caller()
        lab.journal.broken = True
        journal_broken.receive(post())
        assert lab.desk.callers.known["k-0123456789ab"].usage.running == 0

    in_lab(test, keys=[api_key(limits=Limits(100, 1, 1000))])


def test_draining_ends_idle_connections_and_waits_for_answers():
    async def test(lab):
        idle, busy = lab.caller(), lab.caller()
        busy.receive(post())
        lab.desk.draining = True
        for each in (idle, busy):
            each.protocol.drain()
        assert idle.closed
        assert not busy.closed
        lab.engine.receive(whole(b"{}"))
        await lab.settle()
        assert busy.sent.startswith(b"HTTP/1.1 200")
        assert busy.closed

    in_lab(test)


def test_a_refused_key_is_named_in_the_record_and_nobody_else_is():
    async def test(lab):
        for key, name in ((SECRET[:-1] + "B", "k-0123456789ab"), ("rfk-" + "f" * 12 + SECRET[16:], "")):
            lab.caller().receive(post().replace(SECRET.encode(), key.encode()))
            told = json.loads(lab.accesses.lines[-1])
            assert (told["key"], told["error"], told["source"]) == (name, "invalid_api_key", "192.0.2.1")

    in_lab(test)


def test_a_caller_that_reads_nothing_is_answered_no_further():
    async def test(lab):
        caller = lab.caller()
        caller.receive(get("/healthz"))
        caller.protocol.pause_writing()
        told = caller.sent
        caller.receive(get("/healthz") + post())
        assert caller.paused
        assert (caller.sent, lab.engine.sent) == (told, b"")
        assert caller.protocol.deadline < lab.loop.time() + 61
        caller.protocol.resume_writing()
        assert caller.sent.count(b"HTTP/1.1 200") == 2
        assert lab.engine.sent
        lab.engine.receive(whole(b"{}"))
        await lab.settle()
        assert not caller.paused
        caller.protocol.pause_writing()
        caller.protocol.expire()
        assert caller.closed

    in_lab(test)


def test_a_known_head_that_is_refused_is_named_in_the_record():
    async def test(lab):
        caller = lab.caller()
        caller.receive(post())
        lab.engine.receive(whole(b"{}"))
        await lab.settle()
        lab.keys = [api_key(blocked="guessing")]
        object.__setattr__(lab.desk.snapshot, "digest", None)
        lab.publish(lab.desk.clock.now())
        caller.receive(post())
        told = json.loads(lab.accesses.lines[-1])
        assert (told["error"], told["key"], told["route"]) == ("blocked_api_key", "k-0123456789ab", "chat.completions")

    in_lab(test)
