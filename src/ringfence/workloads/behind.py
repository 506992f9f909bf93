"""What stands behind an answer: its receipt, verified, and then the lineage of what it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts.models.service import Models
from ringfence.artifacts.service import Artifacts
from ringfence.gateway.model import request_id
from ringfence.gateway.ports import Receipts
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable, VerificationFailed
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.model import Trust
from ringfence.lineage import sheet
from ringfence.lineage.service import Lineages
from ringfence.reports import receipts as checking
from ringfence.reports.logpart import parse_log_part


@dataclass(frozen=True, slots=True)
class Names:
    """What a tenant called its datasets and models, as far as nobody erased it."""

    artifacts: Artifacts
    models: Models

    def __call__(self, tenant: Tenant) -> Mapping[str, str]:
        """Return the names by how statements name the things."""
        found = {f"dataset/{one.dataset}": str(one.name) for one in self.artifacts.all(tenant)}
        return found | {f"model/{model}": str(name) for name, model in self.models.names(tenant).items()}


@dataclass(frozen=True, slots=True)
class Behind:
    """From the id of a request to the roots of the data."""

    receipts: Receipts
    trust: Trust
    lineages: Lineages

    def __call__(self, tenant: Tenant, asked: str) -> dict[str, Any]:
        """Return what stands behind one answer of a tenant's.

        Raises:
            NotFound: no such request of this tenant.
            Unavailable: its segment is not published yet.
            VerificationFailed: its receipt does not hold.
        """
        found = self.receipts.find(tenant, request_id(asked))
        if not found.body:
            raise Unavailable(f"the log has no segment with {asked} yet; ask again in {found.retry_after} s")
        outcome = checking.verify(found.body, self.trust, source=asked)
        if not outcome.ok or outcome.closing is None:
            raise VerificationFailed(f"the receipt of {asked} does not hold: {'; '.join(outcome.failures)[:500]}")
        receipt, closing = outcome.receipt, outcome.closing
        part = parse_log_part(receipt.log, receipt.envelope)
        traced, view = self.lineages.behind(tenant, receipt.record)
        where = {
            "record": str(Digest.of(receipt.leaf)),
            "index": receipt.index,
            "segment": closing.number,
            "entry": part.segment.entry,
            "envelope": str(receipt.envelope.digest),
        }
        return sheet.answer(traced, view, self.lineages.names(tenant), receipt.record, where)
