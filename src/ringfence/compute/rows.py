"""A node, a quarantine, a release or a block as a row of the database says it, and the other way round."""

from datetime import datetime
from typing import Any

from ringfence.compute.model import (
    Block,
    Containment,
    Node,
    NodeClass,
    NodeId,
    NodeSpec,
    NodeState,
    ProbeResult,
    Quarantine,
    QuarantineKind,
    Release,
    ReleaseState,
)
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.digest import Digest, dumps, loads
from ringfence.kernel.identifier import PersonId, Tenant

_LONGEST = 1000  # characters of what a component said that a row keeps


def _millis(instant: datetime | None) -> int | None:
    return None if instant is None else to_millis(instant)


def _instant(value: int | None) -> datetime | None:
    return None if value is None else from_millis(value)


def node_row(node: Node) -> dict[str, Any]:
    """Return the row of a node."""
    spec = node.spec
    return {
        "tenant": spec.tenant,
        "name": spec.name,
        "node_class": spec.node_class.value,
        "memory_mib": spec.memory_mib,
        "cpus_percent": spec.cpus_percent,
        "processes": spec.processes,
        "expose": dumps(list(spec.expose)).decode(),
        "password": spec.password,
        "training": spec.training,
        "address": spec.address,
        "runtime": spec.runtime,
        "subject": node.subject.value,
        "isolation": node.isolation,
        "kind": node.kind.value,
        "state": node.state.value,
        "wanted": node.wanted.value,
        "requested_at": to_millis(node.requested_at),
        "changed_at": to_millis(node.changed_at),
        "ready_at": _millis(node.ready_at),
        "ended_at": _millis(node.ended_at),
        "because": node.because[:_LONGEST],
        "host_key": node.host_key or spec.host_key,
        "containment": node.containment.value,
        "quarantine": node.quarantine,
    }


def node(row: Any) -> Node:
    """Return what a row says of a node."""
    spec = NodeSpec(
        node=NodeId(row.node),
        name=row.name,
        tenant=Tenant(row.tenant),
        node_class=NodeClass(row.node_class),
        memory_mib=row.memory_mib,
        cpus_percent=row.cpus_percent,
        processes=row.processes,
        expose=tuple(loads(row.expose)),
        password=row.password,
        training=row.training,
        address=row.address,
        host_key=row.host_key if row.node_class == NodeClass.OWN else "",
        runtime=row.runtime,
    )
    return Node(
        spec=spec,
        subject=Digest(row.subject),
        isolation=row.isolation,
        kind=QuarantineKind(row.kind),
        state=NodeState(row.state),
        wanted=NodeState(row.wanted),
        requested_at=from_millis(row.requested_at),
        changed_at=from_millis(row.changed_at),
        ready_at=_instant(row.ready_at),
        ended_at=_instant(row.ended_at),
        because=row.because,
        host_key=row.host_key,
        containment=Containment(row.containment),
        quarantine=row.quarantine,
    )


def quarantine_row(known: Quarantine) -> dict[str, Any]:
    """Return the row of a quarantine."""
    probes = [[probe.path, probe.expected, probe.observed, probe.ok] for probe in known.probes]
    return {
        "tenant": known.tenant,
        "reason": known.reason[:_LONGEST],
        "finding": known.finding,
        "by": known.by,
        "requested_at": to_millis(known.requested_at),
        "triggered_at": _millis(known.triggered_at),
        "kind": known.kind.value,
        "before": known.before,
        "micros": known.micros,
        "cut_at": _millis(known.cut_at),
        "confirmed_at": _millis(known.confirmed_at),
        "released_at": _millis(known.released_at),
        "evidence": known.evidence,
        "probes": dumps(probes).decode(),
        "because": known.because[:_LONGEST],
    }


def quarantine(row: Any) -> Quarantine:
    """Return what a row says of a quarantine."""
    return Quarantine(
        node=NodeId(row.node),
        tenant=Tenant(row.tenant),
        number=row.number,
        reason=row.reason,
        finding=row.finding,
        by=row.by,
        requested_at=from_millis(row.requested_at),
        triggered_at=_instant(row.triggered_at),
        kind=QuarantineKind(row.kind),
        before=row.before,
        micros=row.micros,
        cut_at=_instant(row.cut_at),
        confirmed_at=_instant(row.confirmed_at),
        released_at=_instant(row.released_at),
        evidence=row.evidence,
        probes=tuple(ProbeResult(*probe) for probe in loads(row.probes)),
        because=row.because,
    )


def release_row(release: Release) -> dict[str, Any]:
    """Return the row of a request to release."""
    return {
        "node": release.node,
        "tenant": release.tenant,
        "quarantine": release.quarantine,
        "asked_by": release.asked_by,
        "asked_at": to_millis(release.asked_at),
        "reason": release.reason,
        "state": release.state.value,
        "approval": release.approval,
        "approved_by": release.approved_by,
        "because": release.because[:_LONGEST],
    }


def release(row: Any) -> Release:
    """Return what a row says of a request to release."""
    return Release(
        request=Digest(row.request),
        node=NodeId(row.node),
        tenant=Tenant(row.tenant),
        quarantine=row.quarantine,
        asked_by=PersonId(row.asked_by),
        asked_at=from_millis(row.asked_at),
        reason=row.reason,
        state=ReleaseState(row.state),
        approval=row.approval,
        approved_by=row.approved_by,
        because=row.because,
    )


def block_row(block: Block) -> dict[str, Any]:
    """Return the row of a block."""
    return {
        "tenant": block.tenant,
        "address": block.address,
        "finding": block.finding,
        "seconds": block.seconds,
        "blocked_at": to_millis(block.blocked_at),
        "ended_at": _millis(block.ended_at),
    }


def block(row: Any) -> Block:
    """Return what a row says of a block."""
    return Block(
        tenant=Tenant(row.tenant),
        subject=Digest(row.subject),
        address=row.address,
        finding=row.finding,
        seconds=row.seconds,
        blocked_at=from_millis(row.blocked_at),
        ended_at=_instant(row.ended_at),
    )
