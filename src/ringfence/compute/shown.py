"""What the front ends show of nodes, as plain documents."""

from datetime import datetime
from typing import Any

from ringfence.compute import address as addresses
from ringfence.compute.model import (
    Access,
    Containment,
    Endpoint,
    Node,
    NodeClass,
    Offer,
    Quarantine,
    Quarantined,
    Release,
)
from ringfence.kernel.clock import to_text

ISOLATION = {
    "shared-kernel": "shares the host's kernel: for code that you trust",
    "vm-emulated": "a virtual machine, emulated",
    "vm-kvm": "a virtual machine on KVM",
    "dedicated-host": "a host of your own",
}
KIND = {
    "outside-guest": "outside the guest: root on the node cannot undo it",
    "in-guest": "in the guest: root on the node can undo it",
    "none": "not possible",
}


def _time(instant: datetime | None) -> str | None:
    return None if instant is None else to_text(instant)


def offer(offered: Offer) -> dict[str, Any]:
    """Return an offer."""
    return {
        "class": offered.node_class.value,
        "available": offered.available,
        "because": offered.because,
        "isolation": offered.isolation,
        "quarantine": offered.quarantine.value,
        "limits": list(offered.limits),
    }


def node(known: Node) -> dict[str, Any]:
    """Return a node; a password's hash is nobody's business."""
    spec = known.spec
    return {
        "node": known.id,
        "name": spec.name,
        "class": spec.node_class.value,
        "isolation": known.isolation,
        "quarantine_kind": known.kind.value,
        "state": known.state.value,
        "wanted": known.wanted.value,
        "containment": known.containment.value,
        "quarantine": known.quarantine,
        "subject": str(known.subject),
        "memory_mib": spec.memory_mib,
        "cpus_percent": spec.cpus_percent,
        "processes": spec.processes,
        "expose": list(spec.expose),
        "passwords": spec.password is not None,
        "training": spec.training,
        "runtime": spec.runtime,
        "address": spec.address,
        "host_key": known.host_key,
        "requested_at": to_text(known.requested_at),
        "changed_at": to_text(known.changed_at),
        "ready_at": _time(known.ready_at),
        "ended_at": _time(known.ended_at),
        "because": known.because,
    }


def to_trust(known: Node, ca_public: str) -> dict[str, Any]:
    """Return what is still to be run on a host of one's own, as root there; nothing for any other node."""
    if known.spec.node_class is not NodeClass.OWN or known.ended or known.ready_at:
        return {}
    return {"to_trust": addresses.trust_lines(known.id, addresses.parse(known.spec.address).user, ca_public)}


def quarantine(known: Quarantine) -> dict[str, Any]:
    """Return a quarantine with its probes."""
    return {
        "number": known.number,
        "reason": known.reason,
        "finding": known.finding,
        "by": known.by,
        "kind": known.kind.value,
        "before": known.before,
        "cut_micros": known.micros,
        "evidence": known.evidence,
        "probes": [
            {"path": probe.path, "expected": probe.expected, "observed": probe.observed, "ok": probe.ok}
            for probe in known.probes
        ],
        "requested_at": to_text(known.requested_at),
        "triggered_at": _time(known.triggered_at),
        "cut_at": _time(known.cut_at),
        "confirmed_at": _time(known.confirmed_at),
        "released_at": _time(known.released_at),
        "because": known.because,
    }


def release(known: Release) -> dict[str, Any]:
    """Return a request to release, and what became of it."""
    return {
        "request": str(known.request),
        "quarantine": known.quarantine,
        "asked_by": known.asked_by,
        "asked_at": to_text(known.asked_at),
        "reason": known.reason,
        "state": known.state.value,
        "approved_by": known.approved_by,
        "because": known.because,
    }


def quarantined(done: Quarantined) -> dict[str, Any]:
    """Return what a wish to cut a node off has come to."""
    return {
        "node": done.node,
        "name": done.name,
        "quarantine": done.number,
        "confirmed": done.confirmed,
        "kind": done.kind.value,
        "fresh": done.fresh,
        "cut_micros": done.micros,
        "milliseconds_from_trigger": done.milliseconds,
        "because": done.because,
    }


def access(given: Access) -> dict[str, Any]:
    """Return what a client needs for one login."""
    endpoint = given.endpoint
    return {
        "node": given.node.id,
        "certificate": given.certificate,
        "seconds": given.seconds,
        "user": endpoint.user,
        "host_key": endpoint.host_key,
        "proxy": list(endpoint.proxy),
        "host": endpoint.host,
        "port": endpoint.port,
        "fdpass": endpoint.fdpass,
    }


def endpoint_of(document: dict[str, Any]) -> Endpoint:
    """Return the endpoint that `access` printed."""
    return Endpoint(
        user=document["user"],
        host_key=document["host_key"],
        proxy=tuple(document["proxy"]),
        host=document["host"],
        port=document["port"],
        fdpass=document["fdpass"],
    )


def standing(known: Node) -> str:
    """Say in a few words how it stands with a node."""
    match known.containment:
        case Containment.ENTERING:
            return "being cut off: not confirmed yet"
        case Containment.QUARANTINED:
            return "quarantined"
        case Containment.RELEASING:
            return "being released"
        case Containment.NONE:
            return known.state.value
