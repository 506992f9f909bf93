"""The collector of `log.coverage`: which classes of events are logged, of which assets, and which logs fell silent.

The classes are the twelve of Implementing Regulation (EU) 2024/2690, Annex, 3.2.3. Several of them no source of ours
can cover: they stay uncovered here, whoever logs them elsewhere.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.soc.health import MISSED
from ringfence.soc.ports import NodeLogFile
from ringfence.workloads.collecting.observing import observation

COVERAGE = PredicateName("log.coverage")
CLASSES = (
    "traffic",
    "permission-changes",
    "access",
    "authentication",
    "privileged-activity",
    "configuration-and-backup-access",
    "security-tools",
    "resource-use",
    "physical-access",
    "network-devices",
    "log-state",
    "environment",
)
LEDGER = "control-plane"  # the asset that logs itself: its events are statements
GATEWAY = "gateway"
OF_LEDGER = frozenset({"permission-changes", "privileged-activity", "security-tools", "log-state"})
OF_NODES = frozenset({"authentication"})  # the SSH server of each
OF_GATEWAY = frozenset({"access"})
OF_NETWORK = frozenset({"traffic"})


@dataclass(frozen=True, slots=True)
class Source:
    """A log of an asset and what it tells of."""

    asset: str
    classes: frozenset[str]
    last: datetime | None = None  # when something was last written; None: there is no such file
    within: timedelta | None = None  # how long it may say nothing; None: it promises no heartbeat

    def late(self, now: datetime) -> bool:
        """Tell whether it should have said something by now."""
        return self.last is None or (self.within is not None and now - self.last >= self.within)


class Files(Protocol):
    """When files were written."""

    def written_at(self, path: str) -> datetime | None:
        """Return when a file was last written; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Coverage:
    """Look at every source of a tenant's assets."""

    logs: Callable[[], Iterable[tuple[Tenant, NodeLogFile]]]
    nodes: Callable[[Tenant], Iterable[str]]  # which run and have to be logged
    served: Callable[[Tenant], Iterable[str]]  # deployments
    access_log: str
    network: Callable[[], bool]  # whether the network helper counts flows
    newest: Callable[[Tenant], datetime | None]  # statement
    files: Files
    clock: Clock

    def __call__(self, tenant: Tenant) -> Draft:
        """Ask each source when it last said something."""
        now, served = self.clock.now(), [f"deployment {name}" for name in self.served(tenant)]
        asked = self.files.written_at(self.access_log)
        served += [GATEWAY] if asked else []  # it runs, and takes down who asks for what nobody serves
        nodes = [f"node {name}" for name in self.nodes(tenant)]
        found = [Source(LEDGER, OF_LEDGER, self.newest(tenant)), *self._of_nodes(tenant)]
        # The gateway writes one log for all that it serves; nobody has to ask it anything, so it promises no heartbeat.
        found += [Source(name, OF_GATEWAY, asked) for name in served]
        if nodes and self.network():
            found.append(Source("network", OF_NETWORK, now))
        return draft(tenant, [LEDGER, *nodes, *served], found, now)

    def _of_nodes(self, tenant: Tenant) -> Iterable[Source]:
        for owner, log in self.logs():
            if owner == tenant and log.running:
                patience = timedelta(seconds=MISSED * log.heartbeat_seconds) if log.heartbeat_seconds else None
                yield Source(f"node {log.facts.node}", OF_NODES, self.files.written_at(log.path), patience)


def draft(tenant: Tenant, assets: Iterable[str], sources: Sequence[Source], now: datetime) -> Draft:
    """State which of the classes are covered, and which of the assets; a source that is late covers nothing."""
    speaking = [one for one in sources if not one.late(now)]
    wanted, covered = set(assets), {one.asset for one in speaking}
    classes = {name for one in speaking for name in one.classes}
    claims = {
        "classes": [name for name in CLASSES if name in classes],
        "uncovered": [name for name in CLASSES if name not in classes],
        "assets": len(wanted),
        "assetsCovered": len(wanted & covered),
        "silent": len(sources) - len(speaking),
    }
    details = {"silent": sorted({one.asset for one in sources if one.late(now)}), "assets": sorted(wanted)}
    return observation(COVERAGE, tenant, claims, details, about="logs")
