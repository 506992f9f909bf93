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
from ringfence.kernel.errors import Conflict, InternalError, MalformedInput, NotFound, Refused, UsageError
from ringfence.kernel.evidence import Publication, Recorder
from ringfence.kernel.identifier import PredicateName, Tenant, predicate_name
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.ledger.custody import HEAD_EXPORTED
from ringfence.ledger.model import LoggedStatement, Trust
from ringfence.reports.extent import ALWAYS, Openings, opens, restricted, shows
from ringfence.reports.model import (
    REPORT_EXPORTED,
    AnyRecord,
    Extent,
    Header,
    Outline,
    Pack,
    Preview,
    ProvenHead,
    Record,
    Share,
)
from ringfence.reports.pack import MAX_RECORDS
from ringfence.reports.ports import Alongside, Evidence, Log, Rules, Sharing
from ringfence.reports.recompute import as_known
from ringfence.reports.writing import status_digest, write

UNNUMBERED = (
    "this log holds statements from before the log gave numbers; they cannot be left out of a pack, so that there is "
    "none for one customer alone"
)
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

    def draft_for(self, tenant: Tenant, sharing: Sharing) -> tuple[Mapping[str, Any], Draft]:
        """Return what a pack of one share would state now, and the report that a person signs over it."""
        now = from_text(to_text(self.clock.now()))
        made = preview_of(self.log, self.trust.root, self.rules, tenant, now, sharing=sharing).to_json()
        return made, draft_of(made)

    def issue(
        self,
        envelope: Envelope,
        opening: Opening | None,
        *,
        by: Person,
        sizes: Sequence[int] = (),
        sharing: Sharing | None = None,
        alongside: Alongside = lambda _: None,
    ) -> bytes:
        """Record the signed report and return the pack that it closes.

        Args:
            envelope: a `report.exported` statement over a preview of this tenant.
            opening: its side record, if it has one.
            by: who asks; the report must be signed with this person's key.
            sizes: earlier heads of the log that the pack is to be proven against, beside the exported ones.
            sharing: what of it somebody is shown; everything in its extent where nothing is said.
            alongside: what else is recorded in the same transaction.

        Raises:
            Conflict: what was previewed is no longer what would be exported; preview and sign again.
        """
        preview = self._same_preview(envelope, by.tenant, sharing)
        with self.transaction():
            acknowledged = self.recorder.admit(envelope, opening, by=by)
            alongside(acknowledged)
        published = self.publication.published(acknowledged.envelope)
        if published.entry is None:
            raise InternalError("a published statement has no entry")
        return compose(self.log, self.trust, by.tenant, published.entry, preview, sizes)

    def again(self, tenant: Tenant, entry: int, sharing: Sharing | None = None) -> bytes:
        """Compose the pack of an earlier report once more, over the newest head; of a share, for whom that was made.

        Raises:
            NotFound: no report of the tenant stands there.
            Conflict: the rules are other ones now: this version cannot make what was signed then.
        """
        found = [one for one in self.log.statements(tenant) if one.entry == entry]
        if not found or found[0].envelope.statement.predicate != REPORT_EXPORTED:
            raise NotFound(f"entry {entry} is no report of yours; see `ringfence ledger list`")
        preview = self._same_preview(found[0].envelope, tenant, sharing)
        return compose(self.log, self.trust, tenant, entry, preview)

    def _same_preview(self, envelope: Envelope, tenant: Tenant, sharing: Sharing | None = None) -> Preview:
        statement = envelope.statement
        as_of = from_text(statement.claims.get("asOf"))
        size = statement.claims.get("size")
        if statement.predicate != REPORT_EXPORTED or type(size) is not int:
            raise MalformedInput(
                "a pack is closed by a report.exported statement with asOf, records, size and openings"
            )
        extent = None if sharing else extent_of(statement.claims)
        if as_of > self.clock.now() or size > self.log.head().checkpoint.size:
            raise UsageError("a report cannot speak of what has not been recorded yet")
        preview = preview_of(
            self.log, self.trust.root, self.rules, tenant, as_of, size=size, extent=extent, sharing=sharing
        )
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
    sharing: Sharing | None = None,
) -> Preview:
    """Compute what a report states as of a time, over the tree of `size` or over the newest one.

    A share makes its own extent: the evidence types of what it shows. No status can be computed again from such a
    pack, since of no control all evidence is there.
    """
    covered = log.head().checkpoint.size if size is None else size
    statements = [logged for logged in log.statements(tenant) if logged.entry < covered]
    status = rules(as_known(statements, root, log.vouched_before, at=as_of, size=covered), tenant, as_of)
    share = sharing(statements) if sharing else None
    if share is not None:
        status, extent = share.reduced(status), _extent_of(share, statements)
    if digest.loads(digest.dumps(status)) != status:
        raise InternalError("the status cannot be written into a pack without loss")
    return Preview(as_of, covered, len(statements), status, status_digest(status), extent or Extent(), share)


def _extent_of(share: Share, statements: Sequence[LoggedStatement]) -> Extent:
    """Return the extent of a share; openings never travel with one: a free text may name anybody."""
    if any(logged.place is None for logged in statements):
        raise Refused(UNNUMBERED)
    shown = {logged.envelope.statement.predicate for logged in statements if share.shows(logged)}
    return restricted(Openings.NONE, share.controls, {REPORT_EXPORTED, *(shown - ALWAYS)})


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
    replaced = log.successions(tenant)
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
        successions=tuple(envelope.data for envelope in replaced),
    )
    records = tuple(_record(logged, log, size, preview, report) for logged in statements)
    first = log.first_head().checkpoint.size
    wanted = {first, *sizes, *_exported(log, statements, size), *(old for old in log.anchored() if old < size)}
    wanted |= {int(envelope.statement.claims["fromSize"]) for envelope in replaced} - {size}
    wanted |= {one.size for logged in statements if (one := logged.vouched) and one.size < size}
    heads = tuple(_proven(log, old, size) for old in sorted(wanted) if old)
    return write(Pack(header, records, preview.status, heads, signed.note, log.anchors(size)))


def _record(logged: LoggedStatement, log: Log, size: int, preview: Preview, report: int) -> AnyRecord:
    """Return the record of a statement: in full, or as a digest where it is out of scope.

    An entry that bears no number is bound to no tenant by anything but its envelope: it is always in full.
    """
    proof, predicate = log.inclusion_proof(logged.entry, size), logged.envelope.statement.predicate
    if logged.place is not None and not _in_full(logged, preview, report):
        return Outline(logged.entry, logged.recorded_at, logged.envelope.digest, proof, logged.place.sequence)
    opening = logged.opening if opens(preview.extent.openings, predicate) else None
    sequence = logged.place.sequence if logged.place else None
    return Record(logged.entry, logged.recorded_at, logged.envelope, proof, opening, sequence)


def _in_full(logged: LoggedStatement, preview: Preview, report: int) -> bool:
    predicate = logged.envelope.statement.predicate
    if preview.share is None or logged.entry == report:
        return shows(preview.extent, predicate)
    # Of other packs somebody is shown nothing, not even of which types of evidence they are.
    kept = predicate in ALWAYS and predicate != REPORT_EXPORTED
    return kept or (shows(preview.extent, predicate) and preview.share.shows(logged))


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
