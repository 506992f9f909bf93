"""Packs that were tampered with, each in one way, and what a verifier has to say about each.

The same list is run through `ringfence verify` and through the auditors' script: both must refuse, with the same
exit code and naming the same record.
"""

import copy
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ringfence.kernel.digest import dumps
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Trust
from ringfence.reports.service import compose
from ringfence.testing.ledger import LabLog

SEALED = 4  # the record of the dataset in `lab`, counted from 1
OPENED = 6


@dataclass(frozen=True, slots=True)
class Tampered:
    """A pack, what its reader trusts, and the verdict: the record to be named, if any, and words of the reason."""

    name: str
    pack: bytes
    trust: Trust
    says: str
    record: int | None = None


def lab(**changes: Any) -> LabLog:
    """Return a small log: three enrolments, a dataset, a heartbeat, an opened dataset, an exported head."""
    log = LabLog(**changes)
    log.advance(seconds=5)
    log.state("dataset.sealed", {"objects": 3}, details={"name": "scans"})
    log.advance(seconds=5)
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    log.state("dataset.opened", {"purpose": "training"})
    log.advance(minutes=1)
    log.export_head()
    log.advance(minutes=1)
    return log


Lines = list[dict[str, Any]]


def edited(pack: bytes, change: Callable[[Lines], None]) -> bytes:
    """Return a pack whose lines were changed and printed again in their one byte form; line 0 is the header."""
    lines: Lines = [json.loads(line) for line in pack.splitlines()]
    change(lines)
    return b"".join(dumps(line) + b"\n" for line in lines)


def with_payload(line: Mapping[str, Any], change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Return a record line whose signed payload and readable copy were changed, under the old signature."""
    changed = copy.deepcopy(dict(line))
    statement = json.loads(b64decode(changed["envelope"]["payload"]))
    change(statement)
    changed["statement"] = statement
    changed["envelope"]["payload"] = b64encode(dumps(statement)).decode()
    return changed


def cases() -> list[Tampered]:
    """Return every case."""
    return [*_edits(), *_logs(), *_histories()]


def _edits() -> list[Tampered]:
    """Packs that were changed after they had been made."""
    log = lab()
    pack, trust = log.pack(), log.trust()

    def case(name: str, says: str, record: int | None, change: Callable[[Lines], None]) -> Tampered:
        return Tampered(name, edited(pack, change), trust, says, record)

    def set_in(number: int, name: str, value: Any) -> Callable[[Lines], None]:
        return lambda lines: lines[number].update({name: value})

    flipped = bytearray(pack)
    at = pack.index(b'"sig":"', pack.index(b'"entry":3,')) + 12
    flipped[at] = ord("A") if flipped[at] != ord("A") else ord("B")
    earlier = "2026-11-22T01:02:03.500Z"
    return [
        Tampered("byte flipped", bytes(flipped), trust, "signature does not match", SEALED),
        Tampered("last line cut", pack[:-1], trust, "cut"),
        Tampered("half of it", pack[: len(pack) // 2], trust, "cut"),
        case("subjects swapped", "signature does not match", SEALED, _swap_subjects),
        case("records swapped", "moved or repeated", 5, _swap_records),
        case("back-dated by hand", "does not lead", SEALED, set_in(SEALED, "recordedAt", earlier)),
        case("back-dated before its predecessor", "back-dated", SEALED, _backdate),
        case("back-dated and signed again", "does not lead", SEALED, _resign),
        case("record removed", "is missing", None, _remove),
        case("last record of an issuer removed", "records up to size", 7, _remove_last_of_issuer),
        case("record repeated", "moved or repeated", 5, lambda lines: lines.insert(5, lines[4])),
        case("readable copy edited", "readable statement", SEALED, _edit_copy),
        case("details exchanged", "commitment", SEALED, set_in(SEALED, "opening", b64encode(bytes(40)).decode())),
        case("status edited", "another status line", 8, lambda lines: lines[9].update(status={"controls": [1]})),
        case("time of the status edited", "states", 8, set_in(0, "asOf", earlier)),
        case("tenant edited", "belongs to tenant", 1, set_in(0, "tenant", "other")),
        case("demo mark added", "never mix", 1, set_in(0, "demo", bool(1))),
        case("root replaced", "another root", None, set_in(0, "root", b64encode(bytes(32)).decode())),
        case("report removed", "no report.exported", None, _remove_report),
        case("count edited", "header counts 9 records", None, set_in(0, "records", 9)),
        case("foreign signature added", "and no other", None, _add_signature),
        Tampered("blank added", pack.replace(b'{"entry":3,', b'{"entry": 3,'), trust, "one byte form", SEALED),
        case("size edited", "another size", None, set_in(0, "size", 80)),
        case("proof of a head removed", "does not contain the head", 7, lambda lines: lines.__delitem__(-2)),
    ]


def _swap_subjects(lines: Lines) -> None:
    one, two = lines[SEALED]["statement"]["subject"], lines[OPENED]["statement"]["subject"]
    lines[SEALED] = with_payload(lines[SEALED], lambda s: s.update(subject=two))
    lines[OPENED] = with_payload(lines[OPENED], lambda s: s.update(subject=one))


def _swap_records(lines: Lines) -> None:
    lines[SEALED], lines[OPENED] = lines[OPENED], lines[SEALED]


def _remove(lines: Lines) -> None:
    del lines[SEALED]
    lines[0]["records"] -= 1


def _remove_last_of_issuer(lines: Lines) -> None:
    del lines[5]
    lines[0]["records"] -= 1


def _remove_report(lines: Lines) -> None:
    del lines[8]
    lines[0]["records"] -= 1


def _add_signature(lines: Lines) -> None:
    lines[-1]["checkpoint"] += f"\u2014 witness.example {b64encode(bytes(68)).decode()}\n"


def _resign(lines: Lines) -> None:
    again = lab()
    again.now -= timedelta(hours=20)
    envelope, _ = again.sign("dataset.sealed", {"objects": 3}, sequence=1)
    lines[SEALED]["envelope"] = json.loads(envelope.data)
    lines[SEALED]["statement"] = json.loads(envelope.payload)
    lines[SEALED]["opening"] = None


def _backdate(lines: Lines) -> None:
    lines[SEALED]["recordedAt"] = "2026-11-22T01:02:02.000Z"


def _edit_copy(lines: Lines) -> None:
    lines[SEALED]["statement"]["predicate"]["claims"]["objects"] = 4


def _logs() -> list[Tampered]:
    """Packs of a log that is not the one whose heads the reader holds."""
    log = lab()
    short = copy.deepcopy(log)
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    log.pack()
    log.export_head()
    trust = log.trust()
    stranger, fork = lab(seed="stranger"), LabLog()
    for _ in range(9):
        fork.state("log.heartbeat", {"gaps": 0}, by="control")
        fork.advance(minutes=1)
    alike = lab()
    alike.heads.clear()
    alike.entries[3] = (alike.entries[3][0], *alike.sign("dataset.sealed", {"objects": 2}, sequence=1))
    return [
        Tampered("tail cut", short.pack(), trust, "tail was cut"),
        Tampered("rebuilt with fresh keys", stranger.pack(), trust, "other keys"),
        Tampered("rebuilt with the same keys", fork.pack(), trust, "rebuilt or forked"),
        Tampered("forked before the exported head", alike.pack(), log.trust(heads=lab_head()), "rebuilt or forked"),
        Tampered("forked with a matching claim", _fork_that_claims(), log.trust(heads=lab_head()), "rebuilt or forked"),
    ]


def lab_head() -> list[Any]:
    """Return the head that `lab` exports."""
    return lab().heads


def _fork_that_claims() -> bytes:
    log = LabLog()
    log.advance(seconds=5)
    log.state("dataset.sealed", {"objects": 99}, details={"name": "scans"})
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    log.state("dataset.opened", {"purpose": "training"})
    log.advance(minutes=2)
    log.export_head()
    return log.pack()


def _histories() -> list[Tampered]:
    """Packs of logs that hold what no log of ours would take in."""
    found = []

    def case(name: str, says: str, record: int | None, act: Callable[[LabLog], Any]) -> None:
        log = lab()
        act(log)
        log.advance(seconds=1)
        found.append(Tampered(name, log.pack(), log.trust(), says, record))

    case("revoked key", "had been revoked", 10, _revoked)
    case("expired key", "had expired", 9, _expired)
    case("key not yet valid", "not yet valid", 9, _early)
    case("unknown key", "never enrolled", 8, lambda log: log.state("dataset.opened", {"purpose": "x"}, by="nobody"))
    case("enrolled by an operator", "enrols passkeys of that same person", 8, _forged)
    case("stated by the ledger's key", "may not state this", 8, _speaks_as_ledger)
    case(
        "gap in the numbers", "is missing", None, lambda log: log.state("dataset.opened", {"purpose": "x"}, sequence=5)
    )
    case("number used twice", "repeats", 8, lambda log: log.state("dataset.opened", {"purpose": "x"}, sequence=1))
    case(
        "back-dated at the source",
        "back-dated",
        8,
        lambda log: log.state("dataset.opened", {"purpose": "x"}, issued_at=log.now - timedelta(hours=25)),
    )
    case(
        "dated into the future",
        "after its own recording",
        8,
        lambda log: log.state("dataset.opened", {"purpose": "x"}, issued_at=log.now + timedelta(minutes=6)),
    )
    case("log clock turned back", "back-dated", 8, _backwards)
    case("demo record", "never mix", 8, lambda log: log.state("dataset.opened", {"purpose": "x"}, demo=True))
    case("head that never was", "does not contain the head", 8, _lying_head)
    case("head without a root", "does not contain the head", 8, _rootless_head)
    case("another log's statement", "belongs to", 8, lambda log: log.state("x.y", {}, log="other.example/log"))
    return [*found, _other_tenant(), _other_reporter()]


def _revoked(log: LabLog) -> None:
    log.enrol("second", KeyRole.OPERATOR)
    log.revoke("second")
    log.advance(seconds=1)
    log.state("dataset.opened", {"purpose": "late"}, by="second")


def _expired(log: LabLog) -> None:
    log.enrol("second", KeyRole.OPERATOR, valid_until=log.now + timedelta(hours=1))
    log.advance(hours=1)
    log.state("dataset.opened", {"purpose": "late"}, by="second")


def _early(log: LabLog) -> None:
    log.enrol("second", KeyRole.OPERATOR, valid_from=log.now + timedelta(hours=1))
    log.state("dataset.opened", {"purpose": "early"}, by="second")


def _forged(log: LabLog) -> None:
    log.enrol("second", KeyRole.OPERATOR, by="ops")


def _lying_head(log: LabLog) -> None:
    log.state("ledger.head_exported", {"size": 5, "root": "00" * 32, "destination": "file"})


def _rootless_head(log: LabLog) -> None:
    log.state("ledger.head_exported", {"size": 999, "destination": "file"})


def _speaks_as_ledger(log: LabLog) -> None:
    log.state("dataset.opened", {"purpose": "x"}, by="ledger")


def _backwards(log: LabLog) -> None:
    envelope, opening = log.sign("dataset.opened", {"purpose": "x"})
    log.append(envelope, opening, at=log.now - timedelta(minutes=2))


def _other_tenant() -> Tampered:
    log, other = lab(), Tenant("other")
    log.enrol("theirs", KeyRole.OPERATOR, tenant=other)
    log.state("dataset.opened", {"purpose": "x"}, by="theirs", tenant=other)
    reported, preview = log.report()
    ours = compose(log, log.trust(heads=()), log.tenant, reported.entry, preview)
    theirs = compose(log, log.trust(heads=()), other, reported.entry, preview)

    def insert(lines: Lines) -> None:
        lines.insert(8, json.loads(theirs.splitlines()[2]))
        lines[0]["records"] += 1

    return Tampered("record of another tenant", edited(ours, insert), log.trust(), "belongs to tenant other", 8)


def _other_reporter() -> Tampered:
    log = lab()
    pack = log.pack(by="control")
    return Tampered("report by the control plane", pack, log.trust(), "may not state this", 8)
