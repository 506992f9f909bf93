"""Packs of version 2 that lie about the tenant's numbering, about what they show, or about who vouches for their heads.

As in `ringfence.testing.tampering`: all verifiers must refuse each, with the same exit code and naming the same record.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any

from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.entry import Place, tenant_tag
from ringfence.reports.model import Extent
from ringfence.testing.ledger import LabLog
from ringfence.testing.tampering import SEALED, Lines, Tampered, edited, lab

SCOPE = Extent("none", ("DAT-01",), (PredicateName("dataset.sealed"),))


def numbered_cases() -> list[Tampered]:
    """Return every case."""
    return [*_numbers(), *_misnumbered(), *_witnessed()]


def _numbers() -> list[Tampered]:
    """Packs that say something else about the tenant's numbering, or hide what they are to show."""
    log = lab()
    short, whole, trust = log.pack(extent=SCOPE), lab().pack(), log.trust()

    def case(
        name: str, says: str, record: int | None, change: Callable[[Lines], None], pack: bytes = short
    ) -> Tampered:
        return Tampered(name, edited(pack, change), trust, says, record)

    return [
        case("digest removed", "is missing", None, _remove_fifth),
        case(
            "digest exchanged", "does not lead", 5, lambda lines: lines[5].update(envelopeDigest="sha256:" + "ab" * 32)
        ),
        case("digest moved", "moved or repeated", 6, lambda lines: lines.insert(6, lines.pop(5))),
        case("number edited", "does not lead", 6, lambda lines: lines[6].update(tenantSequence=7)),
        case("numbers exchanged", "does not lead", 5, _exchange_numbers),
        case("number taken away", "bears no number", 4, lambda lines: lines[4].update(tenantSequence=None)),
        case(
            "salt replaced", "does not lead", 4, lambda lines: lines[0].update(tenantSalt=b64encode(bytes(32)).decode())
        ),
        case(
            "scope edited", "another extent", 8, lambda lines: lines[0]["scope"].update(predicates=["dataset.opened"])
        ),
        case("scope taken away", "in a pack of everything", 5, lambda lines: lines[0].update(scope=None)),
        case("openings edited", "said to hold none", 4, lambda lines: lines[0].update(openings="none"), whole),
        case("details slipped in", "said to hold none", 4, lambda lines: lines[4].update(opening=_opening_of(whole))),
        case(
            "shown as a digest",
            "in a pack of everything",
            5,
            lambda lines: lines.__setitem__(5, _digest_of(short)),
            whole,
        ),
        case("note of a head exchanged", "earlier head", None, _exchange_notes),
    ]


def _remove_fifth(lines: Lines) -> None:
    del lines[5]
    lines[0]["records"] -= 1


def _exchange_numbers(lines: Lines) -> None:
    lines[5]["tenantSequence"], lines[6]["tenantSequence"] = 6, 5


def _opening_of(pack: bytes) -> str:
    return str(json.loads(pack.splitlines()[SEALED])["opening"])


def _digest_of(pack: bytes) -> dict[str, Any]:
    return dict(json.loads(pack.splitlines()[5]))


def _exchange_notes(lines: Lines) -> None:
    first, second = (line["head"] for line in lines if "head" in line)
    first["note"], second["note"] = second["note"], first["note"]


def _misnumbered() -> list[Tampered]:
    """Packs of logs whose operator numbers them otherwise, with every online key in his hands."""
    found = []

    def case(name: str, says: str, record: int | None, places: Callable[[LabLog], Mapping[int, Place | None]]) -> None:
        log = LabLog()
        log.state("dataset.sealed", {"objects": 3})
        log.advance(seconds=5)
        log.state("dataset.opened", {"purpose": "training"})
        log.places.update(places(log))
        log.export_head()
        found.append(Tampered(name, log.pack(), log.trust(), says, record))

    case(
        "a number skipped",
        "is missing",
        None,
        lambda log: {4: _numbered(log, 6), 5: _numbered(log, 7), 6: _numbered(log, 8)},
    )
    case("a number used twice", "repeats number", 5, lambda log: {4: _numbered(log, 4)})
    case("no number behind numbers", "bears no number", 5, lambda _: {4: None})
    case("numbered among another tenant's", "does not lead", 5, lambda log: {4: _numbered(log, 5, "other")})
    case("first number too high", "is missing", None, lambda log: {0: _numbered(log, 2)})
    return found


def _numbered(log: LabLog, sequence: int, tenant: str = "acme") -> Place:
    return Place(tenant_tag(log.tenant_salt(Tenant(tenant)) or b"", Tenant(tenant)), sequence)


def _witnessed() -> list[Tampered]:
    """Packs whose heads are said to be cosigned."""
    log = lab()
    log.cosign("tower")
    log.cosign("own")
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    pack, parties = log.pack(), {"tower": "University of Example", "own": "operator"}
    ahead = _dated_ahead()
    trust = log.trust(witnesses=parties)

    def move(lines: Lines) -> None:
        head = next(line["head"] for line in lines if "head" in line and line["head"]["cosignatures"])
        lines[-1]["cosignatures"] = head["cosignatures"]

    return [
        Tampered("cosignature of another head", edited(pack, move), trust, "does not match"),
        Tampered("cosignature changed", _forged_line(pack), trust, "does not match"),
        Tampered("quorum not met", pack, log.trust(witnesses={**parties, "third": "Other"}, quorum=2), "as you ask"),
        Tampered(
            "only the operator's witness", _without_first(pack), log.trust(witnesses=parties, quorum=1), "as you ask"
        ),
        Tampered("dated ahead of the witness", ahead.pack(), ahead.trust(witnesses=parties), "clock"),
    ]


def _dated_ahead() -> LabLog:
    """Return a log whose operator dates a record a month ahead; a witness says when it really was there."""
    log = lab()
    seen_at = log.now
    log.advance(days=30)
    log.state("dataset.opened", {"purpose": "next month"})
    log.cosign("tower", at=seen_at)
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    return log


def _forged_line(pack: bytes) -> bytes:
    def forge(lines: Lines) -> None:
        head = next(line["head"] for line in lines if "head" in line and line["head"]["cosignatures"])
        dash, name, blob = head["cosignatures"][0].split(" ")
        data = bytearray(b64decode(blob))
        data[-1] ^= 1
        head["cosignatures"][0] = f"{dash} {name} {b64encode(bytes(data)).decode()}"

    return edited(pack, forge)


def _without_first(pack: bytes) -> bytes:
    def drop(lines: Lines) -> None:
        for line in lines:
            if "head" in line:
                line["head"]["cosignatures"] = line["head"]["cosignatures"][1:]

    return edited(pack, drop)
