"""Make a pack: preview what is to be signed, take the signed report in, wait for publication, compose the file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock, from_text, to_text
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, InternalError, MalformedInput, NotFound, UsageError
from ringfence.kernel.evidence import Publication, Recorder
from ringfence.kernel.identifier import PredicateName, Tenant, predicate_name
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.ledger.model import LoggedStatement, Trust
from ringfence.reports.extent import Openings, opens, restricted, shows
from ringfence.reports.model import (
    HEAD_EXPORTED,
    REPORT_EXPORTED,
    AnyRecord,
    Extent,
    Header,
    Outline,
    Pack,
    Preview,
    ProvenHead,
    Record,
)
from ringfence.reports.pack import MAX_RECORDS
from ringfence.reports.ports import Evidence, Log, Rules
from ringfence.reports.recompute import as_known
from ringfence.reports.writing import status_digest, write

CLAIMS = ("asOf", "records", "size", "openings", "controls", "predicates")


@dataclass(frozen=True, slots=True)
class Packs:
    """Use case: one tenant's evidence as one file that a stranger can check."""

    log: Log
    rules: Rules
    trust: Trust  # of this log: its root and its verifier keys; heads are not read
    evidence: Evidence
    recorder: Recorder
    publication: Publication
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock

    def preview(
        self,
        tenant: Tenant,
        as_of: datetime | None = None,
        *,
        controls: Sequence[str] = (),
        predicates: Sequence[PredicateName] = (),
        openings: str = Openings.NONE,
    ) -> Preview:
        """Return the status line as of a time, for an operator to sign, and how much the pack is to show.

        Args:
            tenant: whose.
            as_of: the time of the status; now, where it is left out.
            controls: show in full what these rest on.
            predicates: show in full these evidence types. Neither: everything.
            openings: which openings travel.

        Raises:
            NotFound: there is no such control.
            UsageError: it is a time to come, or no choice of openings.
        """
        now = self.clock.now()
        if as_of is not None and as_of > now:
            raise UsageError(f"it is {to_text(now)}; a pack as of {to_text(as_of)} cannot be made yet")
        whole = from_text(to_text(as_of or now))  # in milliseconds, as a report states it
        extent = restricted(openings, controls, (*predicates, *(self.evidence(controls) if controls else ())))
        return preview_of(self.log, self.trust.root, self.rules, tenant, whole, extent=extent)

    def issue(self, envelope: Envelope, opening: Opening | None, *, by: Person, sizes: Sequence[int] = ()) -> bytes:
        """Record the signed report and return the pack that it closes.

        Args:
            envelope: a `report.exported` statement over a preview of this tenant.
            opening: its side record, if it has one.
            by: who asks; the report must be signed with this person's key.
            sizes: earlier heads of the log that the pack is to be proven against, beside the exported ones.

        Raises:
            Conflict: what was previewed is no longer what would be exported; preview and sign again.
        """
        preview = self._same_preview(envelope, by.tenant)
        with self.transaction():
            acknowledged = self.recorder.admit(envelope, opening, by=by)
        published = self.publication.published(acknowledged.envelope)
        if published.entry is None:
            raise InternalError("a published statement has no entry")
        return compose(self.log, self.trust, by.tenant, published.entry, preview, sizes)

    def _same_preview(self, envelope: Envelope, tenant: Tenant) -> Preview:
        statement = envelope.statement
        as_of = from_text(statement.claims.get("asOf"))
        size = statement.claims.get("size")
        if statement.predicate != REPORT_EXPORTED or type(size) is not int:
            raise MalformedInput(
                "a pack is closed by a report.exported statement with asOf, records, size and openings"
            )
        extent = extent_of(statement.claims)
        if as_of > self.clock.now() or size > self.log.head().checkpoint.size:
            raise UsageError("a report cannot speak of what has not been recorded yet")
        preview = preview_of(self.log, self.trust.root, self.rules, tenant, as_of, size=size, extent=extent)
        if (statement.claims, statement.subjects) != (preview.claims, draft_of(preview.to_json()).subjects):
            raise Conflict("the evidence changed since this report was signed; ask for the pack again")
        return preview


def preview_of(
    log: Log,
    root: bytes,
    rules: Rules,
    tenant: Tenant,
    as_of: datetime,
    *,
    size: int | None = None,
    extent: Extent | None = None,
) -> Preview:
    """Compute what a report states as of a time, over the tree of `size` or over the newest one."""
    covered = log.head().checkpoint.size if size is None else size
    statements = [logged for logged in log.statements(tenant) if logged.entry < covered]
    status = rules(as_known(statements, root, at=as_of, size=covered), tenant, as_of)
    if digest.loads(digest.dumps(status)) != status:
        raise InternalError("the status cannot be written into a pack without loss")
    return Preview(as_of, covered, len(statements), status, status_digest(status), extent or Extent())


def extent_of(claims: Mapping[str, Any]) -> Extent:
    """Parse how much a pack is to show from the claims of its report, or raise `MalformedInput`."""
    openings, controls, predicates = (claims.get(name, []) for name in ("openings", "controls", "predicates"))
    if not isinstance(openings, str) or not isinstance(controls, list) or not isinstance(predicates, list):
        raise MalformedInput("a report says which openings travel, and which controls and evidence types it is about")
    if not all(isinstance(name, str) for name in controls):
        raise MalformedInput("the controls of a report are named by their ids")
    return restricted(openings, controls, [predicate_name(name) for name in predicates])


def draft_of(preview: Mapping[str, Any]) -> Draft:
    """Return what an operator signs, from the preview as the API shows it."""
    line = Digest.parse(preview["digest"])
    return Draft(
        predicate=REPORT_EXPORTED,
        subjects=(Subject(f"pack/{line.hex[:12]}", line),),
        claims={name: preview[name] for name in CLAIMS if name in preview},
        strength=Strength.OBSERVED,
    )


def compose(log: Log, trust: Trust, tenant: Tenant, report: int, preview: Preview, sizes: Sequence[int] = ()) -> bytes:
    """Return the pack that the report at entry `report` closes."""
    signed = log.head()
    size = signed.checkpoint.size
    statements = [logged for logged in log.statements(tenant) if logged.entry <= report]
    if len(statements) > MAX_RECORDS:
        raise UsageError(f"the tenant has {len(statements)} records; a pack holds at most {MAX_RECORDS}")
    header = Header(
        tenant=tenant,
        log=trust.log,
        as_of=preview.as_of,
        demo=statements[-1].envelope.statement.issuance.demo,
        records=len(statements),
        size=size,
        root=trust.root,
        log_keys=trust.log_keys,
        extent=preview.extent,
        tenant_salt=log.tenant_salt(tenant),
    )
    records = tuple(_record(logged, log, size, preview.extent) for logged in statements)
    first = log.first_head().checkpoint.size
    wanted = {first, *sizes, *_exported(log, statements, size), *(old for old in log.anchored() if old < size)}
    heads = tuple(_proven(log, old, size) for old in sorted(wanted) if old)
    return write(Pack(header, records, preview.status, heads, signed.note, log.anchors(size)))


def _record(logged: LoggedStatement, log: Log, size: int, extent: Extent) -> AnyRecord:
    """Return the record of a statement: in full, or as a digest where it is out of scope.

    An entry that bears no number is bound to no tenant by anything but its envelope: it is always in full.
    """
    proof, predicate = log.inclusion_proof(logged.entry, size), logged.envelope.statement.predicate
    if logged.place is not None and not shows(extent, predicate):
        return Outline(logged.entry, logged.recorded_at, logged.envelope.digest, proof, logged.place.sequence)
    opening = logged.opening if opens(extent.openings, predicate) else None
    sequence = logged.place.sequence if logged.place else None
    return Record(logged.entry, logged.recorded_at, logged.envelope, proof, opening, sequence)


def _proven(log: Log, old: int, size: int) -> ProvenHead:
    signed = log.checkpoint(old)
    return ProvenHead(old, signed.checkpoint.root, log.consistency_proof(old, size), signed.note, log.anchors(old))


def _exported(log: Log, statements: Sequence[LoggedStatement], limit: int) -> Iterator[int]:
    """Yield the sizes of the heads that records say were exported and that are heads of this log.

    A record that names another head must not prevent the pack: whoever checks it is told.
    """
    for logged in statements:
        size = logged.envelope.statement.claims.get("size")
        if logged.envelope.statement.predicate != HEAD_EXPORTED or type(size) is not int or not 0 < size <= limit:
            continue
        try:
            yield log.checkpoint(size).checkpoint.size
        except NotFound:
            continue
