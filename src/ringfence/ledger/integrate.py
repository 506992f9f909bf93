"""Decide which index, which time and which number each pending statement gets. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ringfence.kernel.clock import recording_time
from ringfence.kernel.identifier import Tenant
from ringfence.ledger import entry
from ringfence.ledger.entry import Place
from ringfence.storage.numbering import Numbering
from ringfence.storage.rows import Integrated, Pending


def plan(
    size: int,
    newest: datetime | None,
    pending: Sequence[Pending],
    now: datetime,
    numbering: Mapping[Tenant, Numbering],
) -> tuple[list[Integrated], list[bytes]]:
    """Return the indexes from `size` on, and the bytes of the log entries.

    Args:
        size: of the tree so far.
        newest: when its last entry was recorded.
        pending: in the order of their sequencing.
        now: the time that the entries get; never earlier than `newest`.
        numbering: of every tenant that has something pending.

    Raises:
        Unavailable: the clock stands before the log's newest entry.
    """
    at = recording_time(newest, now)
    last = {tenant: known.last for tenant, known in numbering.items()}
    tags = {tenant: entry.tenant_tag(known.salt, tenant) for tenant, known in numbering.items()}
    integrated, entries = [], []
    for index, item in enumerate(pending, start=size):
        last[item.tenant] += 1
        integrated.append(Integrated(item.id, index, at, item.tenant, last[item.tenant]))
        entries.append(entry.encode(at, item.digest, Place(tags[item.tenant], last[item.tenant])))
    return integrated, entries
