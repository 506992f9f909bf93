"""How an observation becomes a statement: look first, with no transaction open; then state; then wait for the log."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.errors import NotFound
from ringfence.kernel.evidence import Acknowledgement, Recorder
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.ledger.service import Ledger

Look = Callable[[Tenant], Draft]
Collect = Callable[[Tenant], Acknowledgement]
Collectors = Callable[[], Mapping[str, Collect]]


class Cadence(StrEnum):
    """When the loops of `up` run a collector; `ringfence record` runs each of them at any time."""

    HOURLY = "hourly"  # reads what is there already
    SIX_HOURLY = "six-hourly"  # takes its time with files and nodes
    ON_DEMAND = "on-demand"  # a drill: a person says when


@dataclass(frozen=True, slots=True)
class Recorded:
    """A collector's way: record, then wait until it is published."""

    ledger: Ledger
    collect: Callable[[Tenant], Acknowledgement]
    cadence: Cadence = Cadence.HOURLY

    def __call__(self, tenant: Tenant) -> Acknowledgement:
        """Run the collector."""
        self.ledger.check_publishable()
        return self.ledger.published(self.collect(tenant).envelope)


@dataclass(frozen=True, slots=True)
class Observing:
    """Look, and state what was seen."""

    look: Look
    recorder: Recorder
    transaction: Callable[[], AbstractContextManager[None]]

    def __call__(self, tenant: Tenant) -> Acknowledgement:
        """Look takes its time, so that no transaction waits for it."""
        draft = self.look(tenant)
        with self.transaction():
            return self.recorder.record(draft, tenant=tenant)


def observation(
    kind: PredicateName,
    tenant: Tenant,
    claims: Mapping[str, Any],
    details: Mapping[str, Any] | None = None,
    *,
    about: str,
) -> Draft:
    """Return the draft of an observation of a whole tenant, under the digest of its claims."""
    subject = Subject(f"{about}/{tenant}", Digest.of(dumps(dict(claims))))
    return Draft(kind, (subject,), dict(claims), Strength.OBSERVED, details=dict(details or {}))


def named(collectors: Mapping[str, Collect], evidence: str) -> Collect:
    """Return the collector that states an evidence type; raise `NotFound` with those that there are."""
    if evidence not in collectors:
        raise NotFound(f"no collector states {evidence!r}; collectors state {', '.join(sorted(collectors))}")
    return collectors[evidence]
