"""What a pack is made of, and what checking one yields (docs/specs/pack.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.ledger.model import LoggedStatement

REPORT_EXPORTED = PredicateName("report.exported")
HEAD_EXPORTED = PredicateName("ledger.head_exported")


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: whose pack this is, and what it says it holds."""

    tenant: Tenant
    log: LogOrigin
    as_of: datetime
    demo: bool
    records: int
    size: int
    root: bytes  # the root key that the pack claims: worth nothing until it equals a trusted one
    log_keys: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """A logged statement with its inclusion proof."""

    entry: int
    recorded_at: datetime
    envelope: Envelope
    proof: tuple[bytes, ...]
    opening: Opening | None


@dataclass(frozen=True, slots=True)
class ProvenHead:
    """An earlier head of the log, with the consistency proof from it to the pack's head."""

    size: int
    root: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """A whole pack; `status` is the board as it was exported."""

    header: Header
    records: tuple[Record, ...]
    status: Mapping[str, Any]
    heads: tuple[ProvenHead, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an operator signs before a pack is made: the status line and what it rests on."""

    as_of: datetime
    size: int  # of the tree that the status was computed from
    records: int  # of the tenant in that tree
    status: Mapping[str, Any]
    digest: Digest  # of the status line

    @property
    def claims(self) -> dict[str, Any]:
        """Return the claims of the `report.exported` statement."""
        return {"asOf": to_text(self.as_of), "records": self.records, "size": self.size}

    def to_json(self) -> dict[str, Any]:
        """Return the form in which the API shows it."""
        return {**self.claims, "digest": str(self.digest), "status": self.status}


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not right, and at which record."""

    reason: str
    record: int | None = None
    entry: int | None = None
    predicate: str = ""

    def __str__(self) -> str:
        if self.record is None:
            return self.reason
        known = [self.predicate] if self.predicate else []
        known += [f"entry {self.entry}"] if self.entry is not None else []
        place = f" ({', '.join(known)})" if known else ""
        return f"record {self.record}{place}: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """Return the form in which `ringfence verify --json` lists it."""
        return {
            "record": self.record,
            "entry": self.entry,
            "predicate": self.predicate or None,
            "reason": self.reason,
        }


class Verdict(StrEnum):
    """What checking a pack came to."""

    VERIFIED = "verified"
    SELF_CONSISTENT = "self-consistent only"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of checking one pack: everything that is wrong, and everything the reader must know."""

    verdict: Verdict
    header: Header
    checked: int  # records
    root: bytes | None  # of the pack's head, where its signatures are right
    failures: tuple[Failure, ...]
    notices: tuple[str, ...]
    status: Mapping[str, Any] | None
    statements: tuple[LoggedStatement, ...]  # as the rules take them in

    @property
    def ok(self) -> bool:
        """Tell whether the pack was verified against trusted keys."""
        return self.verdict is Verdict.VERIFIED

    @property
    def as_of(self) -> str:
        """Return the time of the pack's status."""
        return to_text(self.header.as_of)

    def to_json(self) -> dict[str, Any]:
        """Return the document that `ringfence verify --json` prints."""
        return {
            "ok": self.ok,
            "verdict": self.verdict.value,
            "tenant": self.header.tenant,
            "log": self.header.log,
            "demo": self.header.demo,
            "as_of": self.as_of,
            "records": self.checked,
            "size": self.header.size,
            "head": self.root.hex() if self.root else None,
            "failures": [failure.to_json() for failure in self.failures],
            "notices": list(self.notices),
            "status": self.status,
        }
