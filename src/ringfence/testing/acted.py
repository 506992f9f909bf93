"""Packs with acts that passkeys signed: good ones, and those that were tampered with, each in one way.

Like `tampering`: the same list is run through every verifier, and all of them must name the same record.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, assemble
from ringfence.kernel.statement import KeyRole
from ringfence.testing.authenticator import PRESENT, VERIFIED, Authenticator
from ringfence.testing.ledger import PAGE, LabLog
from ringfence.testing.tampering import Tampered, edited

ACT = 5  # the record of the act, counted from 1
ENROLMENT = 4
STRANGER = "person-00000000000b"
_TRIAGE = {"incident": "i-00000001", "significant": True}


def lab() -> LabLog:
    """Return a log: three enrolments, a passkey that an operator's key enrolled, an act by it, another passkey."""
    log = LabLog()
    log.advance(seconds=5)
    log.enrol_passkey("anna")
    log.advance(seconds=5)
    return log


def acted() -> LabLog:
    """Return the same with acts: by the passkey, by one that it enrolled itself, by one that the root enrolled."""
    log = lab()
    log.state("incident.triage", _TRIAGE, by="anna", details={"reason": "seen"})
    log.enrol_passkey("second", by="anna")
    log.state("incident.closed", {"incident": "i-00000001"}, by="second")
    log.enrol_passkey("third", by="root", person=STRANGER)
    log.state("quarantine.release_approved", {"node": "n-00000001"}, by="third")
    log.advance(minutes=1)
    log.export_head()
    log.advance(minutes=1)
    return log


def cases() -> list[Tampered]:
    """Return every case."""
    return [*_signed_wrongly(), *_enrolled_wrongly(), *_edited()]


def _case(name: str, log: LabLog, says: str, record: int | None = ACT) -> Tampered:
    log.advance(minutes=1)
    return Tampered(name, log.pack(), log.trust(), says, record)


def _signed_wrongly() -> Iterator[Tampered]:
    changes: Mapping[str, tuple[dict[str, Any], str]] = {
        "another origin": ({"origin": "http://localhost:8401"}, "another page"),
        "a page below another host": ({"origin": "http://localhost.evil"}, "another page"),
        "holder not verified": ({"flags": PRESENT}, "verified"),
        "holder not present": ({"flags": VERIFIED}, "verified"),
        "copied although it cannot be": ({"flags": PRESENT | VERIFIED | 0x10}, "copied"),
        "an extension": ({"flags": PRESENT | VERIFIED | 0x80}, "more than was asked"),
        "inside another site": ({"more": {"crossOrigin": True}}, "another site"),
        "below another site": ({"more": {"topOrigin": "https://evil.example"}}, "another site"),
        "a registration": ({"more": {"type": "webauthn.create"}}, "something else"),
        "another challenge": ({"more": {"challenge": "AAAA"}}, "another statement"),
    }
    for name, (change, says) in changes.items():
        log = lab()
        log.passkeys["anna"] = replace(log.passkeys["anna"], **change)
        log.state("incident.triage", _TRIAGE, by="anna")
        yield _case(name, log, says)
    log = lab()
    envelope, _ = log.sign("incident.triage", _TRIAGE, by="anna")
    log.append(_with_blob(envelope, lambda blob: Digest.of(b"other.example").value + blob[32:]))
    yield _case("another site", log, "another site")
    log = lab()
    first, _ = log.sign("incident.triage", _TRIAGE, by="anna")
    other, _ = log.sign("incident.triage", _TRIAGE | {"significant": False}, by="anna", sequence=1)
    log.append(_with_blob(other, lambda _: first.signature))
    yield _case("an answer that was given to another statement", log, "another statement")
    log = lab()
    envelope, _ = log.sign("incident.triage", _TRIAGE, by="anna")
    stranger = copy(log)
    stranger.passkeys = {"anna": Authenticator(PAGE)}
    theirs, _ = stranger.sign("incident.triage", _TRIAGE, by="anna", sequence=1)
    log.append(_with_blob(envelope, lambda _: theirs.signature))
    yield _case("the answer of another authenticator", log, "statement")


def _with_blob(envelope: Envelope, change: Callable[[bytes], bytes]) -> Envelope:
    return assemble(envelope.payload, envelope.signer, change(envelope.signature))


def _enrolled_wrongly() -> Iterator[Tampered]:
    def log_with(**changes: Any) -> LabLog:
        log = LabLog()
        log.enrol("other", KeyRole.OPERATOR)
        log.entries.pop()
        log.advance(seconds=5)
        log.enrol_passkey("anna", **changes)
        return log

    yield _case("the person is another than the enroller", log_with(person=STRANGER), "person", ENROLMENT)
    yield _case("enrolled by the control plane", log_with(by="control"), "may", ENROLMENT)
    yield _case("an enroller that the root never enrolled", log_with(by="nobody"), "never enrolled", ENROLMENT)
    yield _case("names the root and is not by it", log_with(enrolledBy="root"), "names somebody else", ENROLMENT)
    yield _case("another role", log_with(role="control-plane"), "operator", ENROLMENT)
    yield _case("a page of another site", log_with(origin="https://other.example"), "page", ENROLMENT)
    log = LabLog()
    log.advance(seconds=5)
    log.enrol("mine", KeyRole.OPERATOR, by="ops")
    yield _case("a person's key enrols a key in a file", log, "passkey", ENROLMENT)
    log = LabLog()
    log.advance(seconds=5)
    log.passkeys["anna"] = Authenticator(PAGE)
    log.state("incident.triage", _TRIAGE, by="anna")
    log.advance(seconds=5)
    log.enrol_passkey("anna")
    yield _case("enrolled later than it signed", log, "never enrolled", 4)
    log = lab()
    log.revoke("anna")
    log.advance(seconds=5)
    log.state("incident.triage", _TRIAGE, by="anna")
    yield _case("revoked before it signed", log, "revoked", 6)


def _edited() -> Iterator[Tampered]:
    log = acted()
    pack, trust = log.pack(), log.trust()

    def flip(place: int) -> Callable[[list[dict[str, Any]]], None]:
        def change(lines: list[dict[str, Any]]) -> None:
            signature = lines[ACT]["envelope"]["signatures"][0]
            blob = bytearray(b64decode(signature["sig"]))
            blob[place] ^= 1
            signature["sig"] = b64encode(bytes(blob)).decode()

        return change

    for place in (0, 32, 33, 36, 37, 100, 101, 150, -1):
        yield Tampered(f"byte {place} of the answer", edited(pack, flip(place)), trust, "", ACT)
