import hashlib

import pytest

from ringfence.attestation import event_log
from ringfence.kernel.errors import MalformedInput
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import SoftTpm, booted, event, written


def test_the_log_of_a_real_boot_gives_its_pcrs():
    machine = samples.machine()
    events = event_log.parse(machine["eventLog"])
    values = event_log.replay(events)
    assert len(events) == 24
    assert {number: values[number] for number in range(10)} == {number: machine["pcrs"][number] for number in range(10)}
    assert machine["pcrs"][9] != bytes(32)


def test_a_log_gives_back_what_was_measured():
    tpm = SoftTpm()
    log = tpm.boots(booted())
    assert event_log.parse(log) == booted()
    assert event_log.replay(booted()) == {number: tpm.pcrs[number] for number in range(16)}


def test_every_event_counts_once_and_in_its_order():
    events = booted()
    whole = event_log.replay(events)
    assert event_log.replay(events[:-1]) != whole
    assert event_log.replay([events[0], *events]) != whole
    assert event_log.replay([*events[:-2], events[-1], events[-2]]) != whole


def test_what_is_only_noted_extends_nothing():
    noted = event(0, 3, b"something", bytes(32))
    assert event_log.replay([noted, *booted()]) == event_log.replay(booted())


def test_the_locality_at_the_start():
    started = event(0, 3, b"StartupLocality\0\x03", bytes(32))
    value = event_log.replay([started, event(0, 8, b"x")])[0]
    assert value == hashlib.sha256(bytes(31) + b"\x03" + hashlib.sha256(b"x").digest()).digest()
    for events in (
        [event(0, 8, b"x"), started],
        [started, started],
        [event(0, 3, b"StartupLocality\0\x07", bytes(32))],
    ):
        with pytest.raises(MalformedInput, match="locality"):
            event_log.replay(events)


def test_a_log_is_read_whole_or_not_at_all():
    log = written(booted())
    borders = {len(written(booted()[:count])) for count in range(len(booted()) + 1)}
    for size in range(len(log)):
        if size not in borders:
            with pytest.raises(MalformedInput):
                event_log.parse(log[:size])
    with pytest.raises(MalformedInput):
        event_log.parse(log + b"\0")


@pytest.mark.parametrize(
    "change",
    [
        lambda log: b"\x01" + log[1:],  # another PCR first
        lambda log: log[:8] + b"\x01" + log[9:],  # the first digest is not zero
        lambda log: log.replace(b"Event03", b"Event02"),
        lambda log: log.replace(bytes.fromhex("0b002000"), bytes.fromhex("0b001400"), 1),  # SHA-256 of 20 bytes
        lambda log: log.replace(bytes.fromhex("0b002000"), bytes.fromhex("0c003000"), 1),  # no SHA-256 at all
        lambda _: bytes(3 * 2**20),
    ],
)
def test_a_head_that_is_not_right(change):
    with pytest.raises(MalformedInput):
        event_log.parse(change(written(booted())))


def test_there_is_an_end_to_events():
    with pytest.raises(MalformedInput, match="more than 10000"):
        event_log.parse(written([event(8, 4, b"")] * (event_log.MAX_EVENTS + 1)))
