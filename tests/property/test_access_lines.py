"""Whatever a caller sends and whatever stands in the file: nothing is raised, and nobody speaks for another's key."""

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway.guard import MAX_FOUND, found_in, judge
from ringfence.gateway.hotpath.access import Access, line
from ringfence.gateway.model import RequestId
from ringfence.kernel.clock import to_text
from ringfence.soc.detection.detector import Detector
from ringfence.soc.detection.shipped import rules
from ringfence.soc.sources.gateway import KEY, TENANT, GatewayLog
from ringfence.soc.sources.lines import MAX_LINE, decoded
from ringfence.testing.accesses import CLIENT, VICTIM, access
from ringfence.testing.accesses import KEY as CALLER
from ringfence.testing.clock import START

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda some: st.lists(some, max_size=3),
)
FIELDS = st.sampled_from(sorted(json.loads(access())))
HOSTILE = st.text(max_size=400) | st.sampled_from(
    [access(key=VICTIM), f'","key":"{VICTIM}', f"\n{VICTIM}\r", "\\u000a"]
)
REQUEST = RequestId("req-" + "0" * 32)


def read(text):
    return GatewayLog().read(text, START)


@given(HOSTILE, VALUES, VALUES, VALUES, st.integers(0, 10**12))
def test_the_gateway_s_own_words_come_back_whatever_a_caller_sends(model, n, temperature, most, took):
    asked = {"n": n, "temperature": temperature, "max_tokens": most, "logprobs": model, "top_logprobs": n}
    known = Access(REQUEST, CLIENT, 0)
    known.tenant, known.key, known.route, known.deployment = "acme", CALLER, "completions", "answers"
    known.model, known.status, known.asked = model, 200, asked
    written = line(known, to_text(START), took)
    assert written.count(b"\n") == 1
    assert len(written) <= MAX_LINE
    event = read(decoded(written.removesuffix(b"\n")))
    assert event is not None, "a caller must not be able to be unseen"
    assert (event.fields[KEY], event.fields[TENANT], event.fields["src_endpoint.uid"]) == (CALLER, "acme", CLIENT)


@given(FIELDS, VALUES)
def test_a_field_of_any_value_is_read_or_refused(name, value):
    event = read(access(**{name: value}))
    assert event is None or event.fields["device.hostname"] == "gateway"


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=8))
def test_flipped_bytes_raise_nothing(flips):
    raw = bytearray(access().encode())
    for place, value in flips:
        raw[place % len(raw)] ^= value
    read(decoded(bytes(raw)))


@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing(raw):
    log = GatewayLog()
    log.read(decoded(raw), START)
    assert log.lines == 1


EVENTS = st.lists(
    st.tuples(st.integers(0, 900), st.sampled_from([CALLER, VICTIM, ""]), st.sampled_from([200, 401]), st.booleans()),
    max_size=60,
)


@given(EVENTS)
def test_a_burst_is_of_one_key_and_has_ten_of_its_own_requests(events):
    """However those of several keys are mixed, refused ones among them: counted anew, the slow way."""
    detector, counted = Detector(rules()), []
    for second, key, status, guarded in sorted(events):
        at = START + timedelta(seconds=second)
        error = "invalid_api_key" if status == 401 else ""
        record = access(at, key=key, tenant="acme" if key else "", status=status, error=error, guard=["a.en"] * guarded)
        if key and status == 200 and guarded:
            counted.append((second, key))
        for finding in detector.feed(GatewayLog().read(record, at)):
            if finding.rule == "injection-burst":
                recent = [one for one in counted if one[1] == finding.subject and second - one[0] <= 120]
                assert len(recent) >= 10
                assert finding.subject == key


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_the_guard_judges_any_text(text):
    found = found_in(text)
    assert found == tuple(sorted(set(found)))[:MAX_FOUND]
    assert judge(text.encode("utf-8", "surrogatepass")) is not None
