"""Join the collectors with what they look at."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Protocol

from ringfence.artifacts.models.service import Models
from ringfence.artifacts.service import Artifacts
from ringfence.compute.model import Node, NodeState
from ringfence.cutoff import accesses
from ringfence.cutoff.nodes import ComputeLogs
from ringfence.cutoff.wires import CutOff
from ringfence.gateway.model import DeploymentState
from ringfence.identity.service import Identity
from ringfence.identity.wires import Access
from ringfence.incidents.recurrence import CHECK, Recurrence
from ringfence.installation import Home
from ringfence.kernel.clock import Clock
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.service import Ledger
from ringfence.retention.register import Register
from ringfence.retention.service import Retention
from ringfence.storage.files import read_private
from ringfence.storage.outbox import Outbox
from ringfence.workloads.collecting import separation
from ringfence.workloads.collecting.channels import CHANNELS, Channels
from ringfence.workloads.collecting.configuration import CONFIG, Configurations
from ringfence.workloads.collecting.copies import INTEGRITY, Integrity
from ringfence.workloads.collecting.coverage import COVERAGE, Coverage
from ringfence.workloads.collecting.filetimes import FileTimes
from ringfence.workloads.collecting.inventory import INVENTORY, Asset, Inventory
from ringfence.workloads.collecting.named import Named
from ringfence.workloads.collecting.observing import Cadence, Look, Observing, Recorded
from ringfence.workloads.collecting.places import Places
from ringfence.workloads.collecting.reachability import EGRESS, NETPOLICY, Probing
from ringfence.workloads.collecting.restoring import DRILL, Drill
from ringfence.workloads.collecting.separation import SEPARATION, Separation
from ringfence.workloads.collecting.sockets import MachineWire
from ringfence.workloads.collecting.timekeeping import SYNC, KernelClock, Timekeeping
from ringfence.workloads.collecting.volumes import AT_REST, AtRest, KernelVolumes
from ringfence.workloads.serving import Serving


class Parts(Protocol):
    """What collectors look at: the services of an installation."""

    @property
    def home(self) -> Home: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def artifacts(self) -> Artifacts: ...
    @property
    def models(self) -> Models: ...
    @property
    def cutoff(self) -> CutOff: ...
    @property
    def serving(self) -> Serving: ...
    @property
    def access(self) -> Access: ...
    @property
    def retention(self) -> Retention: ...

    def settle(self, tenant: Tenant) -> None:
        """Finish what ends somebody's access and was cut off."""
        ...


def collectors(parts: Parts) -> dict[str, Recorded]:
    """Return the evidence types that a collector of ours can state, and how."""
    found = {name: Recorded(parts.ledger, collect) for name, collect in _registers(parts).items()}
    for cadence, looks in _looks(parts).items():
        found |= {name: recorded(parts, look, cadence) for name, look in looks.items()}
    return found


def recorded(parts: Parts, look: Look, cadence: Cadence = Cadence.ON_DEMAND) -> Recorded:
    """Return the way from a look to a published statement."""
    return Recorded(parts.ledger, Observing(look, parts.outbox, parts.ledger.publishable), cadence)


def _registers(parts: Parts) -> Mapping[str, Callable[[Tenant], Acknowledgement]]:
    def access_register(tenant: Tenant) -> Acknowledgement:
        parts.settle(tenant)
        return parts.identity.record_register(tenant)

    return {
        "access.register": access_register,
        "key.lifecycle": parts.identity.record_keys,
        "log.chain_verified": parts.ledger.record_chain,
        "log.heartbeat": parts.ledger.record_heartbeat,
        "incident.register": parts.cutoff.register.record,
        "retention.register": Register(parts.retention.sweeper).record,
    }


def _looks(parts: Parts) -> Mapping[Cadence, Mapping[str, Look]]:
    places = Places(parts.home.path)
    desk, gateway = parts.cutoff.compute.desk, parts.serving.gateway
    probing = Probing(desk)
    several_a_day: dict[str, Look] = {
        INVENTORY: Inventory(desk, gateway.deployments, partial(_idle, parts)),
        COVERAGE: _coverage(parts),
        CHECK: Recurrence(parts.cutoff.incidents.desk),
        INTEGRITY: Integrity(parts.home, parts.ledger, places, parts.clock),
        SYNC: Timekeeping(KernelClock(), partial(_ready, parts)),
        CHANNELS: Channels(MachineWire(), gateway.deployments, parts.clock),
        AT_REST: AtRest(parts.home.path, KernelVolumes(), partial(_ready, parts)),
        NETPOLICY: probing.netpolicy,
        EGRESS: probing.egress,
        CONFIG: Configurations(parts.cutoff.compute.baselines.compared),
    }
    several_a_day[SEPARATION] = _separation(parts)
    return {Cadence.SIX_HOURLY: several_a_day, Cadence.ON_DEMAND: {DRILL: Drill(parts.home, parts.ledger, places)}}


def _coverage(parts: Parts) -> Coverage:
    cut, gateway = parts.cutoff, parts.serving.gateway

    def newest(tenant: Tenant) -> datetime | None:
        found = parts.ledger.page(tenant, limit=1)
        return found[0].recorded_at if found else None

    def served(tenant: Tenant) -> Iterable[str]:
        return [str(one.name) for one in gateway.deployments(tenant) if one.state is DeploymentState.SERVING]

    return Coverage(
        logs=ComputeLogs(cut.compute).logs,
        nodes=lambda tenant: [node.id for node in _ready(parts, tenant)],
        served=served,
        access_log=str(parts.home.path / accesses.FILE),
        network=cut.network.directory.exists,
        newest=newest,
        files=FileTimes(parts.home.path),
        clock=parts.clock,
    )


def _separation(parts: Parts) -> Separation:
    path = parts.home.path / separation.FILE
    named = Named(parts.cutoff.compute.desk, parts.serving.gateway, parts.artifacts, parts.ledger, parts.clock)

    def plan() -> separation.Plan:
        return separation.parse(read_private(path)) if path.exists() else separation.NO_PLAN

    return Separation(plan, named.things, named.opened, parts.clock.now)


def _ready(parts: Parts, tenant: Tenant) -> list[Node]:
    return [node for node in parts.cutoff.compute.desk.all(tenant) if node.state is NodeState.READY]


def _idle(parts: Parts, tenant: Tenant) -> list[Asset]:
    """Return what a tenant has that does not run by itself."""
    found = [Asset("model", str(one.model)) for one in parts.models.all(tenant)]
    found += [Asset("dataset", str(one.dataset)) for one in parts.artifacts.all(tenant)]
    return found + [Asset("service", str(one.id)) for one in parts.access.accounts.in_force(tenant)]
