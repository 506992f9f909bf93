"""Use case: a tenant's status in the formats of other tools, as of now or of an earlier time."""

from dataclasses import dataclass
from datetime import datetime

from ringfence.exports import tables
from ringfence.exports.evidence import entries
from ringfence.exports.folder import folder
from ringfence.exports.model import Facts, Json
from ringfence.exports.ports import Register
from ringfence.exports.risks import leaving
from ringfence.governance.risks import statements
from ringfence.kernel.clock import Clock, from_text, to_text
from ringfence.kernel.errors import UsageError
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.obligations.board import predicates
from ringfence.obligations.model import Catalog
from ringfence.obligations.ports import Boards, Statements


@dataclass(frozen=True, slots=True)
class Exports:
    """Read the status and the statements behind it; an export changes and records nothing."""

    catalog: Catalog
    boards: Boards
    evidence: Statements
    log: LogOrigin
    clock: Clock
    register: Register

    def oscal(self, tenant: Tenant, at: datetime | None = None) -> dict[str, bytes]:
        """Return the files of the OSCAL export by name."""
        return folder(self._facts(tenant, at))

    def applicability(self, tenant: Tenant, at: datetime | None = None) -> Json:
        """Return the statement of applicability."""
        facts = self._facts(tenant, at)
        return tables.head(facts) | {"controls": tables.applicability(facts)}

    def lines(self, tenant: Tenant, at: datetime | None = None) -> Json:
        """Return one line for each rule."""
        facts = self._facts(tenant, at)
        return tables.head(facts) | {"lines": tables.rules(facts)}

    def _facts(self, tenant: Tenant, at: datetime | None) -> Facts:
        now = self.clock.now()
        if at is not None and at > now:
            raise UsageError(f"it is {to_text(now)}; an export as of {to_text(at)} cannot be made yet")
        when = from_text(to_text(at or now))  # in milliseconds, as the documents state it
        board = self.boards.board(tenant, when)
        risks = tuple(leaving(risk, when.date()) for risk in self.register.all(tenant, when))
        wanted = {*predicates(self.catalog), *statements.ALL}
        known = {one.entry: one for one in self.evidence.statements(tenant, wanted, at=when)}
        named = {*entries(board), *(entry for risk in risks for entry in risk.entries)}
        return Facts(self.catalog, board, {entry: known[entry] for entry in sorted(named)}, self.log, risks)
