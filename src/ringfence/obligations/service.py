"""Compute a tenant's status: now, from what is kept and what is new; at another time, from scratch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.board import KEY_EVENTS, Before, compute, predicates
from ringfence.obligations.model import Board, Catalog
from ringfence.obligations.ports import Evidence
from ringfence.obligations.records import Records

REVOKED = PredicateName("key.revoked")
_PAGE = 64  # statements asked for at once while catching up: more than a quiet minute records


@dataclass(frozen=True, slots=True)
class Status:
    """The status of every control; there is no use case that sets one.

    Kept records are replaced whole and never changed, so that threads may share them without a lock.
    """

    evidence: Evidence
    catalog: Catalog
    clock: Clock
    is_demo: Callable[[Tenant], bool]
    _kept: dict[Tenant, Before] = field(default_factory=dict, repr=False)

    def board(self, tenant: Tenant, at: datetime | None = None) -> Board:
        """Return the status now, or at `at`; a time to come is a projection in which nothing more is recorded."""
        now = self.clock.now()
        if at is not None and at < now:
            return self._past(tenant, at)
        kept = self._kept.get(tenant)
        records = self._current(tenant, kept)
        found = compute(self.catalog, records, at or now, kept)
        if at is None:
            self._kept[tenant] = (records, found)
        return found

    def _past(self, tenant: Tenant, at: datetime) -> Board:
        self.board(tenant)  # what is kept is up to date now
        records = self._kept[tenant][0]
        # Standings as they were known then: a revocation that came later must not change what was shown. A later
        # enrolment changes nothing, since it counts from its own entry on.
        revoked = records.trail(REVOKED).newest
        unchanged = revoked is None or revoked <= at
        return compute(self.catalog, records if unchanged else self._scratch(tenant, at), at)

    def _current(self, tenant: Tenant, kept: Before | None) -> Records:
        if kept is None:
            return self._scratch(tenant)
        new = self._newer(kept[0])
        if any(s.envelope.statement.predicate in KEY_EVENTS for s in new):
            return self._scratch(tenant)
        return kept[0].extended(new) if new else kept[0]

    def _scratch(self, tenant: Tenant, at: datetime | None = None) -> Records:
        statements = self.evidence.statements(tenant, predicates(self.catalog), at=at)
        return Records.of(tenant, statements, demo=self.is_demo(tenant))

    def _newer(self, kept: Records) -> list[LoggedStatement]:
        new: list[LoggedStatement] = []
        wanted, before = predicates(self.catalog), None
        while True:
            page = self.evidence.page(kept.tenant, before=before, limit=_PAGE, predicates=wanted)
            unseen = [s for s in page if s.entry > kept.last]
            new += unseen
            if len(unseen) < _PAGE:
                return new
            before = page[-1].entry
