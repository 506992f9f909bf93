"""Hold the rules that count against others: those that ship, or those of a file that somebody chose."""

from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.obligations import sheet
from ringfence.obligations.comparing.comparison import check_extent, comparison, moved
from ringfence.obligations.comparing.model import Comparison, Opened, Other, Version
from ringfence.obligations.comparing.outline import outline
from ringfence.obligations.comparing.versions import versions
from ringfence.obligations.difference import told
from ringfence.obligations.model import Catalog
from ringfence.obligations.ports import Statements
from ringfence.obligations.service import Status

MAX_FILE = 5 * 2**20  # bytes: what base64 makes of it has room in a request


@dataclass(frozen=True, slots=True)
class Comparing:
    """The use cases; they only read, and nothing of a file is kept."""

    status: Status
    shipped: Catalog
    statements: Statements
    naming: tuple[PredicateName, ...]  # the statements that name a version of the rules
    opened: Opened
    clock: Clock

    def versions(self, tenant: Tenant, at: datetime | None) -> list[Version]:
        """Return every version of the rules that is known here."""
        named = self.statements.statements(tenant, self.naming, at=at)
        return versions(self.status.catalog.digest, self.shipped.digest, named)

    def with_shipped(self, tenant: Tenant, at: datetime | None) -> Comparison:
        """Compare with the rules as they ship: what differs is what a team's own files changed."""
        return self._with(tenant, Other.whole("shipped", self.shipped), at)

    def with_file(self, tenant: Tenant, data: bytes, at: datetime | None) -> Comparison:
        """Compare with the rules of a file.

        Raises:
            MalformedInput: it is neither an edition nor a pack, too large, or says that it is what it is not.
        """
        if len(data) > MAX_FILE:
            raise MalformedInput(f"the file has {len(data)} bytes; a comparison takes {MAX_FILE}")
        return self._with(tenant, self.opened(data), at)

    def _with(self, tenant: Tenant, other: Other, at: datetime | None) -> Comparison:
        when = at or self.clock.now()
        here = self.status.board(tenant, when)
        if other.catalog is None:
            return comparison(other, outline(sheet.document(here)), here)
        check_extent(other.catalog)
        found = comparison(other, told(self.status.catalog), here)  # refuses before the status is computed
        there = self.status.under(tenant, other.catalog, when)
        return replace(found, there=there, moved=moved(there, here))
