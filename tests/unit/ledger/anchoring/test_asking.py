"""What to send whom, when, and what an answer means."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.errors import MalformedInput, UsageError, VerificationFailed
from ringfence.ledger.anchoring.asking import address, conflict, cosigned, due, held_size
from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness, Conflict, Progress, Reply
from ringfence.testing.anchors import cosigned_by, witness_keys
from ringfence.testing.clock import START
from ringfence.testing.keys import head

KEYS = witness_keys()
WITNESS = AskedWitness(KEYS[0].public.name, tuple(str(key.public) for key in KEYS), "https://w.example", "Auditor")
AUTHORITY = AskedAuthority(bytes(32), b"", "https://t.example", "Stamps")
HEAD = head(7, bytes(32))


def reply(*lines: str) -> Reply:
    return Reply(200, "text/plain", "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize(
    "good",
    ["https://w.example", "https://w.example:8443/a/b", "http://127.0.0.1:1/x", "http://localhost", "http://[::1]:9"],
)
def test_https_or_this_machine(good: str) -> None:
    assert address(good) == address(good + "/") == good


@pytest.mark.parametrize(
    "bad",
    [
        *("", "w.example", "ftp://w.example", "http://w.example", "http://127.0.0.1.example", "https://", "https://-a"),
        *("https://user@w.example", "https://w.example?x=1", "https://w.example#x", "https://w.example/ x", None, 7),
        *("https://w.example\n", "http://localhost:1@w.example", "https://" + "a" * 600),
    ],
)
def test_no_other_address_is_taken(bad: object) -> None:
    with pytest.raises(UsageError):
        address(bad)


@pytest.mark.parametrize(
    ("progress", "after", "expected"),
    [
        (Progress(), 0, True),
        (Progress(7, START, START), 3600, False),
        (Progress(6, START, START), 9, False),
        (Progress(6, START, START), 10, True),
        (Progress(6, START, START, "away"), 59, False),
        (Progress(6, START, START, "away"), 60, True),
        (Progress(7, START, START, "away"), 60, True),
        (Progress(6, START, START), -60, True),  # the clock was set back: better asked once too often
    ],
)
def test_when_a_witness_is_asked(progress: Progress, after: int, expected: bool) -> None:
    now = START + timedelta(seconds=after)
    assert due(replace(WITNESS, progress=progress), 7, now) is expected
    assert not due(replace(WITNESS, progress=progress, active=False), 7, now)


@pytest.mark.parametrize(("trouble", "minutes"), [("", 60), ("away", 5)])
def test_when_an_authority_is_asked(trouble: str, minutes: int) -> None:
    asked = replace(AUTHORITY, progress=Progress(6, START, START, trouble))
    assert due(asked, 7, START + timedelta(minutes=minutes))
    assert not due(asked, 7, START + timedelta(minutes=minutes, seconds=-1))


@pytest.mark.parametrize(
    ("held", "start", "expected"),
    [(3, 0, None), (3, 5, None), (7, 0, None), (7, 7, Conflict("other-root", 7)), (8, 0, Conflict("larger-head", 8))],
)
def test_what_a_held_size_means(held: int, start: int, expected: Conflict | None) -> None:
    assert conflict(held, start, 7) == expected


def test_a_size_is_only_read_where_the_protocol_says_so() -> None:
    assert held_size(Reply(409, "text/x.tlog.size", "12\n")) == 12
    assert held_size(Reply(409, "text/x.tlog.size; charset=utf-8", "12\n")) == 12
    assert held_size(Reply(409, "text/plain", "12\n")) is None
    assert held_size(Reply(200, "text/x.tlog.size", "12\n")) is None
    with pytest.raises(MalformedInput):
        held_size(Reply(409, "text/x.tlog.size", "many\n"))


def test_only_the_witnesss_own_lines_are_kept() -> None:
    own, others = cosigned_by(KEYS, HEAD.checkpoint, START), cosigned_by(witness_keys("x.y", 9), HEAD.checkpoint, START)
    lines, latest = cosigned(reply(*others, *own), HEAD, WITNESS, START)
    assert lines == own
    assert latest.witness == WITNESS.name


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_clock_far_from_ours_is_refused(minutes: int) -> None:
    lines = cosigned_by(KEYS, HEAD.checkpoint, START + timedelta(minutes=minutes))
    with pytest.raises(VerificationFailed, match="clock"):
        cosigned(reply(*lines), HEAD, WITNESS, START)


def test_an_answer_without_a_known_key_is_none() -> None:
    others = cosigned_by(witness_keys(seed=9), HEAD.checkpoint, START)
    with pytest.raises(VerificationFailed, match="no cosignature"):
        cosigned(reply(*others), HEAD, WITNESS, START)
    with pytest.raises(VerificationFailed, match="does not match"):
        cosigned(reply(*cosigned_by(KEYS, head(8, bytes(32)).checkpoint, START)), HEAD, WITNESS, START)
    with pytest.raises(MalformedInput):
        cosigned(Reply(200, "", "hello"), HEAD, WITNESS, START)
