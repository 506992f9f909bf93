from datetime import timedelta

import pytest

from ringfence.soc.detection.detector import Detector
from ringfence.soc.detection.shipped import rules
from ringfence.soc.recollection import MAX_ADMINISTRATORS, MAX_CALLERS, Recollection
from ringfence.soc.sources.auth import AuthLog
from ringfence.soc.sources.gateway import USUAL, GatewayLog
from ringfence.testing.accesses import STRANGER, WRONG, access
from ringfence.testing.clock import START

ADDRESS = "198.51.100.9"
CERTIFICATE = (
    f"Accepted publickey for a from {ADDRESS} port 4 ssh2: ED25519-CERT SHA256:x ID a (serial 7) CA ED25519 SHA256:y"
)


def noticed(message):
    memory = Recollection(Detector(rules()))
    event = AuthLog("n-1").read(f"2026-11-22T09:00:00.000Z {message}", START)
    if event is not None:
        memory.notice(event)
    return memory


def test_a_certificate_speaks_for_its_address_for_a_day():
    memory = noticed(CERTIFICATE)
    assert memory.knows(ADDRESS, START + timedelta(hours=23))
    assert not memory.knows(ADDRESS, START + timedelta(hours=25))
    assert not memory.knows("198.51.100.10", START)


@pytest.mark.parametrize(
    "message",
    [
        f"Accepted password for a from {ADDRESS} port 4 ssh2",
        f"Accepted publickey for a from {ADDRESS} port 4 ssh2: ED25519 SHA256:x",
        CERTIFICATE.replace("Accepted", "Failed"),
        f"Failed password for invalid user {CERTIFICATE} from {ADDRESS} port 4 ssh2",
        f"Invalid user {CERTIFICATE} from {ADDRESS} port 4",
    ],
)
def test_nothing_else_does(message):
    assert not noticed(message).knows(ADDRESS, START)


def test_it_is_remembered_across_a_restart():
    memory = Recollection(Detector(rules()))
    memory.read(noticed(CERTIFICATE).text())
    assert memory.knows(ADDRESS, START)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"detector": {"format": 99}, "administrators": {}}'])
def test_what_cannot_be_read_is_forgotten(text):
    memory = Recollection(Detector(rules()))
    memory.read(text)
    assert memory.administrators == {}


def test_it_holds_so_many_and_no_more():
    memory = Recollection(Detector(rules()))
    log = AuthLog("n-1")
    for number in range(MAX_ADMINISTRATORS + 5):
        address = f"198.18.{number // 250}.{number % 250 + 1}"
        memory.notice(log.read(f"2026-11-22T09:00:00.000Z {CERTIFICATE.replace(ADDRESS, address)}", START))
    assert len(memory.administrators) == MAX_ADMINISTRATORS
    assert not memory.knows("198.18.0.1", START)


def called(memory, minutes=0, **changes):
    at = START + timedelta(minutes=minutes)
    return memory.notice(GatewayLog().read(access(at, **changes), at)).fields.get(USUAL)


def test_a_key_is_usual_where_it_was_let_in_lately():
    memory = Recollection(Detector(rules()))
    assert [called(memory, minutes) for minutes in (0, 1, 60 * 24 - 1)] == [None, "yes", "yes"]
    assert called(memory, 60 * 24, source="203.0.113.51") is None
    assert called(memory, 60 * 24, key="k-ba9876543210") is None
    assert called(memory, 60 * 48 + 1) is None, "a day has gone by"


@pytest.mark.parametrize("changes", [WRONG, STRANGER, {"status": 403, "error": "blocked_api_key"}, {"status": 500}])
def test_who_was_not_let_in_is_not_usual_for_it(changes):
    memory = Recollection(Detector(rules()))
    called(memory, **changes)
    assert memory.callers == {}


def test_who_comes_from_where_outlives_a_restart():
    memory, again = Recollection(Detector(rules())), Recollection(Detector(rules()))
    called(memory)
    again.read(memory.text())
    assert called(again, 5) == "yes"


def test_what_is_usual_is_not_written_at_every_request():
    memory = Recollection(Detector(rules()))
    called(memory)
    memory.dirty = False
    called(memory, 0.5)
    assert not memory.dirty
    called(memory, 0.5, guard=["override.en"])
    assert memory.dirty, "the detector counts it"


def test_callers_are_bounded():
    memory = Recollection(Detector(rules()))
    memory.callers = {f"k {number}": START for number in range(MAX_CALLERS)}
    called(memory)
    assert len(memory.callers) == MAX_CALLERS
