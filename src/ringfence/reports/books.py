"""Whether a pack shows the one book of its tenant: step 1 of docs/specs/pack.md, section 4."""

from collections.abc import Iterator, Sequence

from ringfence.kernel.errors import VerificationFailed
from ringfence.kernel.identifier import KeyId
from ringfence.ledger.books import CLAIM, check_book
from ringfence.ledger.issuers import ENROLLED
from ringfence.reports.model import Failure, Header, Record
from ringfence.reports.records import Numbered, in_full

UNPINNED = (
    "not excluded either: a second numbering of the same tenant, kept from its first day on; no enrolment here names "
    "the numbering that the root signed for, as in logs that began before enrolments did. `tenantSalt` in the header "
    "is the same in every pack of a tenant, for every reader, so compare it"
)


def check_books(records: Sequence[Numbered], header: Header, root: KeyId) -> Iterator[Failure]:
    """Yield every enrolment that the root signed for another numbering of the tenant than the header's."""
    tag = header.tag
    for numbered, record in _by_root(records, root):
        try:
            check_book(record.envelope.statement.claims, tag)
        except VerificationFailed as error:
            yield numbered.failure(str(error))


def pinned(records: Sequence[Numbered], root: KeyId) -> bool:
    """Tell whether the root names the numbering of the tenant; that its signature holds is checked elsewhere."""
    return any(CLAIM in record.envelope.statement.claims for _, record in _by_root(records, root))


def _by_root(records: Sequence[Numbered], root: KeyId) -> Iterator[tuple[Numbered, Record]]:
    for numbered, record in in_full(records):
        if record.predicate == ENROLLED and record.envelope.signer == root:
            yield numbered, record
