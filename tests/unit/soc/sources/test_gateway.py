"""Access records: whose key it was is the gateway's word, and nothing that a caller writes."""

import json
from datetime import timedelta

import pytest

from ringfence.gateway.hotpath.access import Access, line
from ringfence.gateway.hotpath.reported import Reported
from ringfence.gateway.model import RequestId
from ringfence.kernel.clock import to_text
from ringfence.soc.sources.gateway import GUARD, KEY, TENANT, GatewayLog
from ringfence.soc.sources.lines import MAX_LINE
from ringfence.testing.accesses import CLIENT, STRANGER, WRONG, access
from ringfence.testing.accesses import KEY as CALLER
from ringfence.testing.clock import START


def read(text):
    return GatewayLog().read(text, START)


def test_a_record():
    event = GatewayLog().read(access(guard=["override.en"]), START, "7")
    assert (event.at, event.node, event.source, event.repeats) == (START, None, "gateway", 1)
    fields = event.fields
    assert (fields[KEY], fields[TENANT], fields["src_endpoint.uid"]) == (CALLER, "acme", CLIENT)
    assert (fields["metadata.event_code"], fields[GUARD], fields["metadata.uid"]) == ("accepted", ("override.en",), "7")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "accepted"),
        ({"status": 503, "error": "snapshot_expired"}, "unfinished"),
        ({"status": 429, "error": "rate_limit_exceeded"}, "unfinished"),
        ({"status": 401}, "unfinished"),  # the engine's own refusal
        ({"status": 0}, "unfinished"),
        (WRONG, "refused"),
        (STRANGER, "refused"),
        ({**STRANGER, "error": "missing_api_key"}, "turned-away"),
        ({"status": 401, "error": "revoked_api_key"}, "turned-away"),
        ({"status": 401, "error": "expired_api_key"}, "turned-away"),
        ({"status": 403, "error": "blocked_api_key"}, "turned-away"),
        ({"tenant": "", "key": "", "route": "health"}, "turned-away"),
        ({"tenant": "", "key": "", "status": 404, "error": "unknown_url"}, "turned-away"),
    ],
)
def test_only_a_wrong_or_unknown_key_is_a_guess(changes, code):
    assert read(access(**changes)).fields["metadata.event_code"] == code


@pytest.mark.parametrize("changes", [WRONG, STRANGER, {"status": 403, "error": "blocked_api_key"}])
def test_phrases_count_for_nobody_who_was_not_let_in(changes):
    assert "unmapped.guarded" not in read(access(guard=["override.en"], **changes)).fields


@pytest.mark.parametrize(
    "changes",
    [
        {"key": ""},  # whose key it is, or of nobody
        {"tenant": ""},
        {"key": "k-0123456789AB"},
        {"key": "k-0123456789ab\n"},
        {"key": ["k-0123456789ab"]},
        {"tenant": "../x"},
        {"source": "a.example"},  # an address comes from the socket; a name from whoever controls its zone
        {"source": ""},
        {"status": "200"},
        {"status": True},
        {"status": 200.0},
        {"status": 10**400},
        {"error": "Invalid Key"},
        {"ts": "yesterday"},
        {"total_us": -1},
        {"total_us": None},
        {"route": "chat\ncompletions"},
        {"model": "x" * 257},
        {"guard": "override.en"},
        {"guard": ["Override"]},
        {"guard": ["a"] * 17},
        {"guard": [1]},
        {"request": "req-1"},
        {"prompt_tokens": -1},
        {"max_tokens": 2**60},
        {"request_commitment": None},
        {"text": "what the caller said"},
    ],
)
def test_what_is_no_record_is_counted_and_kept(changes):
    log = GatewayLog()
    text = access(**changes)
    assert log.read(text, START) is None
    assert (log.unparsed_count, log.unparsed) == (1, [text])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "{" * 5000,
        '{"ts": NaN}',
        access()[:-1],
        access() + access(),
        access()[:-1] + ',"key":"k-ba9876543210"}',  # the second of two would win elsewhere
        access(model="y" * MAX_LINE),
        "\x00\udcff",
        json.dumps({name: value for name, value in json.loads(access()).items() if name != "guard"}),
    ],
)
def test_any_other_line_is_none_and_no_error(text):
    assert read(text) is None


@pytest.mark.parametrize("name", ["max_tokens", "top_logprobs", "n", "temperature_milli"])
def test_who_asks_for_nonsense_is_not_unseen_for_it(name):
    assert read(access(**{name: -1})).fields[KEY] == CALLER


def test_a_line_from_the_future_is_marked():
    assert read(access(START + timedelta(minutes=3))).fields["unmapped.skewed"] is True
    assert "unmapped.skewed" not in read(access()).fields


HOSTILE = [
    'x","key":"k-ba9876543210","status":401,"error":"invalid_api_key","y":"',
    'x\n{"key":"k-ba9876543210"}',
    "x\r\n" + access(key="k-ba9876543210"),
    "\u2028\x85\x0b\x1b[2J\x00",
    "\ud800",
]


@pytest.mark.parametrize("model", HOSTILE)
def test_what_the_gateway_writes_is_one_line_and_says_what_it_knows(model):
    """The writer's own words, whatever the caller put into `model`, counts and temperatures."""
    asked = {"n": -(2**30), "temperature": -3.5, "max_tokens": 1.5, "logprobs": model, "top_logprobs": [model]}
    request = RequestId("req-" + "0" * 32)
    known = Access(request, CLIENT, 0)
    known.tenant, known.key, known.route, known.deployment = "acme", CALLER, "chat.completions", "answers"
    known.model, known.status, known.asked, known.guard = model, 200, asked, ("override.en",)
    known.commitment, known.reported = b"\x01" * 32, Reported(1, 2, "stop")
    written = line(known, to_text(START), 20_000)
    assert written.count(b"\n") == 1
    event = read(written.decode().removesuffix("\n"))
    assert (event.fields[KEY], event.fields["metadata.event_code"]) == (CALLER, "accepted")
