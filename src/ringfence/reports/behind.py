"""What stands behind a receipt, read from a pack that somebody handed over: offline, without the log. Pure."""

from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import VerificationFailed
from ringfence.lineage import sheet
from ringfence.lineage.fold import Lineage
from ringfence.lineage.tracing import trace
from ringfence.lineage.view import around
from ringfence.reports.logpart import parse_log_part
from ringfence.reports.model import Verification
from ringfence.reports.receipts import ReceiptOutcome


def behind(outcome: ReceiptOutcome, pack: Verification) -> dict[str, Any]:
    """Return what a verified receipt leads to by the statements of a verified pack; what the pack leaves out is a gap.

    Raises:
        VerificationFailed: the pack does not hold, or is of another tenant or log.
    """
    receipt, header = outcome.receipt, pack.header
    if not pack.ok or outcome.closing is None:
        first = str(pack.failures[0]) if pack.failures else "it is self-consistent only"
        raise VerificationFailed(f"the pack does not hold, so it shows nothing of what is behind the answer: {first}")
    issuance = receipt.envelope.statement.issuance
    if (issuance.tenant, issuance.log) != (header.tenant, header.log):
        raise VerificationFailed("the pack is of another tenant or log than the receipt")
    lineage = Lineage.of(header.tenant, pack.statements, demo=header.demo)
    traced = trace(lineage, receipt.record)
    where = {
        "record": str(Digest.of(receipt.leaf)),
        "index": receipt.index,
        "segment": outcome.closing.number,
        "entry": parse_log_part(receipt.log, receipt.envelope).segment.entry,
        "envelope": str(receipt.envelope.digest),
    }
    view = around(lineage, traced.closure.start, traced.closure)
    return sheet.answer(traced, view, {}, receipt.record, where)
