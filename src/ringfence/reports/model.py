"""What a pack is made of, and what checking one yields (docs/specs/pack.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from ringfence.kernel.clock import to_text
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.ledger.anchors.judging import vouched_before
from ringfence.ledger.entry import Place, encode, tenant_tag
from ringfence.ledger.model import Anchors, Judged, LoggedStatement, Vouched

REPORT_EXPORTED = PredicateName("report.exported")


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a pack shows: openings, and the evidence types in full; no types at all: every record in full."""

    openings: str = "none"
    controls: tuple[str, ...] = ()  # by which the types were chosen: for reading
    predicates: tuple[PredicateName, ...] = ()

    @property
    def scoped(self) -> bool:
        """Tell whether there may be records of which only the digest is shown."""
        return bool(self.predicates)

    @property
    def claims(self) -> dict[str, Any]:
        """Return what the `report.exported` statement says of it."""
        scope = {"controls": list(self.controls), "predicates": list(self.predicates)} if self.scoped else {}
        return {"openings": self.openings, **scope}


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
    extent: Extent | None = None  # None: a pack of version 1, in which everything is shown
    tenant_salt: bytes | None = None  # None: no entry of the tenant bears a number
    successions: tuple[bytes, ...] = ()  # envelopes of the root, by which other keys followed on `log_keys`

    @property
    def version(self) -> int:
        """Return the version of the format."""
        return 1 if self.extent is None else 2

    def place(self, sequence: int | None) -> Place | None:
        """Return what the log's entry says of a record's number; None in an entry of version 1."""
        return None if sequence is None or self.tag is None else Place(self.tag, sequence)

    @property
    def tag(self) -> bytes | None:
        """Return what stands for the tenant in the log's entries."""
        return None if self.tenant_salt is None else tenant_tag(self.tenant_salt, self.tenant)


@dataclass(frozen=True, slots=True)
class Record:
    """A logged statement with its inclusion proof."""

    entry: int
    recorded_at: datetime
    envelope: Envelope
    proof: tuple[bytes, ...]
    opening: Opening | None
    sequence: int | None = None  # among the tenant's statements; None: an entry of version 1

    @property
    def digest(self) -> Digest:
        """Return what the log committed to."""
        return self.envelope.digest

    @property
    def predicate(self) -> str:
        """Return the evidence type."""
        return self.envelope.statement.predicate


@dataclass(frozen=True, slots=True)
class Outline:
    """A logged statement of which only the digest is shown, with its inclusion proof."""

    entry: int
    recorded_at: datetime
    digest: Digest
    proof: tuple[bytes, ...]
    sequence: int

    @property
    def predicate(self) -> str:
        """Return nothing: nobody is told."""
        return ""


AnyRecord = Record | Outline


def leaf_of(record: AnyRecord, header: Header) -> bytes:
    """Return the data of the log entry that a record has to have."""
    return encode(record.recorded_at, record.digest, header.place(record.sequence))


@dataclass(frozen=True, slots=True)
class ProvenHead:
    """An earlier head of the log, with the consistency proof from it to the pack's head."""

    size: int
    root: bytes
    proof: tuple[bytes, ...]
    note: str = ""  # as it was published; not in packs of version 1
    anchors: Anchors = field(default_factory=Anchors)


@dataclass(frozen=True, slots=True)
class Pack:
    """A whole pack; `status` is the board as it was exported."""

    header: Header
    records: tuple[AnyRecord, ...]
    status: Mapping[str, Any]
    heads: tuple[ProvenHead, ...]
    checkpoint: str
    anchors: Anchors = field(default_factory=Anchors)


class Share(Protocol):
    """What of a tenant's records somebody is shown, beside keys and heads; `customers` makes it for one customer."""

    @property
    def controls(self) -> Sequence[str]:
        """Return the controls whose status is told."""
        ...

    def shows(self, logged: LoggedStatement) -> bool:
        """Tell whether a record is in full."""
        ...

    def reduced(self, status: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the status line, without what is not to be told."""
        ...


@dataclass(frozen=True, slots=True)
class Preview:
    """What an operator signs before a pack is made: the status line and what it rests on."""

    as_of: datetime
    size: int  # of the tree that the status was computed from
    records: int  # of the tenant in that tree
    status: Mapping[str, Any]
    digest: Digest  # of the status line
    extent: Extent = Extent()
    share: Share | None = None

    @property
    def claims(self) -> dict[str, Any]:
        """Return the claims of the `report.exported` statement."""
        return {"asOf": to_text(self.as_of), "records": self.records, "size": self.size, **self.extent.claims}

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


@dataclass(frozen=True, slots=True)
class JudgedHead:
    """A head of a pack, with what others said of it and the reader believes."""

    size: int
    covers_until: datetime | None  # when the newest record below it was recorded
    judged: Judged

    def to_json(self) -> dict[str, Any]:
        """Return the form in which `ringfence verify --json` lists it."""
        return {
            "size": self.size,
            "covers_until": to_text(self.covers_until) if self.covers_until else None,
            "cosigned": [{"by": c.witness, "party": c.party, "at": to_text(c.at)} for c in self.judged.cosigned],
            "stamped": [{"by": s.authority, "party": s.party, "at": to_text(s.at)} for s in self.judged.stamped],
            "quorum_met": self.judged.quorum_met,
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
    checked: int  # records, those of which only the digest is shown included
    outlined: int  # those
    root: bytes | None  # of the pack's head, where its signatures are right
    failures: tuple[Failure, ...]
    notices: tuple[str, ...]
    status: Mapping[str, Any] | None
    statements: tuple[LoggedStatement, ...]  # as the rules take them in
    heads: tuple[JudgedHead, ...] = ()
    ended: tuple[Mapping[str, Any], ...] = ()  # the keys that were revoked, and what their older records rest on

    def vouched_before(self, when: datetime) -> Vouched | None:
        """Return the largest head that another party vouched for before a time, as the reader trusts them."""
        return vouched_before(((head.size, head.judged) for head in self.heads), when)

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
            "digests_only": self.outlined,
            "heads": [head.to_json() for head in self.heads],
            "ended_keys": list(self.ended),
            "size": self.header.size,
            "head": self.root.hex() if self.root else None,
            "failures": [failure.to_json() for failure in self.failures],
            "notices": list(self.notices),
            "status": self.status,
        }
