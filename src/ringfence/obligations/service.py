"""Compute a tenant's status: now, from what is kept and what is new; at another time, from scratch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations import history
from ringfence.obligations.board import KEY_EVENTS, Before, compute, predicates, tried
from ringfence.obligations.choices import Profile
from ringfence.obligations.history import History
from ringfence.obligations.model import Catalog
from ringfence.obligations.ports import Evidence
from ringfence.obligations.records import Records
from ringfence.obligations.results import Board

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

    def history(self, tenant: Tenant, control: str, at: datetime | None = None) -> History:
        """Return when a control turned, up to now or up to `at`.

        It begins with the newest revocation of a key: what was shown before rests on what was known of keys then.

        Raises:
            NotFound: there is no such control.
        """
        found = self.catalog.control(control)
        until = min(at or self.clock.now(), self.clock.now())
        records = self._known(tenant, until)
        return history.history(found, self.catalog, records, until, since=records.trail(REVOKED).newest)

    def tried(self, tenant: Tenant, profile: Profile) -> Board:
        """Return the status now as it would be with another profile in force."""
        self.board(tenant)  # what is kept is up to date now
        return tried(self.catalog, self._kept[tenant][0], self.clock.now(), profile)

    def under(self, tenant: Tenant, rules: Catalog, at: datetime) -> Board:
        """Return the status at `at` as it would be by other rules; nothing of it is kept."""
        return compute(rules, self._scratch(tenant, min(at, self.clock.now()), rules), at)

    def _past(self, tenant: Tenant, at: datetime) -> Board:
        return compute(self.catalog, self._known(tenant, at), at)

    def _known(self, tenant: Tenant, at: datetime) -> Records:
        """Return the records with what was known of keys at `at`."""
        self.board(tenant)  # what is kept is up to date now
        records = self._kept[tenant][0]
        # Standings as they were known then: a revocation that came later must not change what was shown. A later
        # enrolment changes nothing, since it counts from its own entry on.
        revoked = records.trail(REVOKED).newest
        unchanged = revoked is None or revoked <= at
        return records if unchanged else self._scratch(tenant, at)

    def _current(self, tenant: Tenant, kept: Before | None) -> Records:
        if kept is None:
            return self._scratch(tenant)
        new = self._newer(kept[0])
        if any(s.envelope.statement.predicate in KEY_EVENTS for s in new):
            return self._scratch(tenant)
        return kept[0].extended(new) if new else kept[0]

    def _scratch(self, tenant: Tenant, at: datetime | None = None, rules: Catalog | None = None) -> Records:
        statements = self.evidence.statements(tenant, predicates(rules or self.catalog), at=at)
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
