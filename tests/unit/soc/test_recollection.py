from datetime import timedelta

import pytest

from ringfence.soc.detection.detector import Detector
from ringfence.soc.detection.shipped import rules
from ringfence.soc.recollection import MAX_ADMINISTRATORS, Recollection
from ringfence.soc.sources.auth import AuthLog
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
