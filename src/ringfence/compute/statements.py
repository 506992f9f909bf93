"""What is stated about nodes (docs/specs/predicates): assessable facts; names, reasons and addresses are details.

Statements of containment carry no details at all: they must not depend on the database, where details lie.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ringfence.compute.configuration import Facts, digest
from ringfence.compute.model import Block, Evidence, Node, ProbeResult, Quarantine, Release
from ringfence.kernel.clock import to_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import Draft, Statement, Strength, Subject
from ringfence.kernel.text import printable
from ringfence.kernel.two_person import TwoPersonAct

REQUESTED = PredicateName("node.requested")
STARTED = PredicateName("node.started")
FAILED = PredicateName("node.failed")
STOPPED = PredicateName("node.stopped")
BASELINE = PredicateName("node.baseline_accepted")
CERTIFICATE = PredicateName("ssh.certificate_issued")
QUARANTINE_REQUESTED = PredicateName("quarantine.requested")
COLLECTED = PredicateName("forensics.collected")
CONFIRMED = PredicateName("quarantine.confirmed")
QUARANTINE_FAILED = PredicateName("quarantine.failed")
RELEASE_REQUESTED = PredicateName("quarantine.release_requested")
RELEASE_APPROVED = PredicateName("quarantine.release_approved")
RELEASED = PredicateName("quarantine.released")
BLOCKED = PredicateName("source.blocked")
UNBLOCKED = PredicateName("source.unblocked")
ABOUT_NODES = (
    REQUESTED, STARTED, FAILED, STOPPED, BASELINE, CERTIFICATE, QUARANTINE_REQUESTED, COLLECTED, CONFIRMED,
    QUARANTINE_FAILED, RELEASE_REQUESTED, RELEASE_APPROVED, RELEASED,
)  # fmt: skip
OPERATOR_STRENGTH = Strength.OBSERVED  # what an operator's key says of a node that Ringfence watches
MAX_REASON = 400
_MAX_SENTENCE = 200


def millis(start: datetime, end: datetime) -> int:
    """Return the whole milliseconds between two instants, never less than none."""
    return max(0, to_millis(end) - to_millis(start))


def bounded_reason(text: object) -> str:
    """Return a person's reason; raise `MalformedInput` where it is empty, too long or not one line of text."""
    if not isinstance(text, str) or not 1 <= len(text.strip()) <= MAX_REASON or not text.isprintable():
        raise MalformedInput(f"a reason is one line of 1 to {MAX_REASON} printable characters")
    return text.strip()


def sentence(text: str) -> str:
    """Return what a component said, as one short printable ASCII line: it ends up in front of people."""
    return printable(text, _MAX_SENTENCE, ascii_only=True)


def _subject(node: Node) -> Subject:
    return Subject(f"node/{node.id}", node.subject)


def _draft(predicate: PredicateName, node: Node, claims: dict[str, Any], **details: Any) -> Draft:
    return Draft(predicate, (_subject(node),), {"node": node.id} | claims, Strength.OBSERVED, details)


def requested(node: Node, by: PersonId) -> Draft:
    """State that a node was asked for, and with which limits."""
    spec = node.spec
    claims = {
        "class": spec.node_class.value,
        "isolation": node.isolation,
        "quarantine": node.kind.value,
        "memoryMebibytes": spec.memory_mib,
        "cpuPercent": spec.cpus_percent,
        "processes": spec.processes,
        "exposed": list(spec.expose),
        "passwords": spec.password is not None,
        "training": spec.training,
        "runtime": spec.runtime,
        "by": by,
    }
    return _draft(REQUESTED, node, claims, name=spec.name, address=spec.address)


def started(node: Node, sandbox: datetime, ready: datetime) -> Draft:
    """State that a node answers by SSH with the key that was made for it, and how long that took."""
    spec = node.spec
    claims = {
        "class": spec.node_class.value,
        "isolation": node.isolation,
        "quarantine": node.kind.value,
        "memoryMebibytes": spec.memory_mib,
        "cpuPercent": spec.cpus_percent,
        "processes": spec.processes,
        "millisecondsToSandbox": millis(node.requested_at, sandbox),
        "millisecondsToReady": millis(node.requested_at, ready),
        "runtime": spec.runtime,
        "hostKey": str(Digest.of(node.host_key.encode())),
    }
    return _draft(STARTED, node, claims)


def failed(node: Node, phase: str) -> Draft:
    """State that a node did not come up (`start`) or is gone without having been stopped (`lost`)."""
    return _draft(FAILED, node, {"phase": phase, "contained": node.cut_off}, because=node.because)


def stopped(node: Node, at: datetime) -> Draft:
    """State that a node was stopped and nothing is left of it."""
    return _draft(STOPPED, node, {"millisecondsLived": millis(node.requested_at, at), "wasReady": bool(node.ready_at)})


def baseline(node: Node, facts: Facts, *, changed: Sequence[str], by: PersonId) -> Draft:
    """State that a person took how a machine of one's own is set up as how it should be."""
    claims = {"baseline": str(digest({node.id: facts})), "facts": sorted(facts), "changed": list(changed), "by": by}
    return _draft(BASELINE, node, claims, facts=dict(facts))


def certificate(node: Node, key: Digest, *, serial: int, seconds: int, channel: str, by: PersonId, why: str) -> Draft:
    """State that a person is handed a certificate for a node."""
    claims = {
        "key": str(key),
        "serial": serial,
        "seconds": seconds,
        "channel": channel,
        "by": by,
    }
    return _draft(CERTIFICATE, node, claims, **({"reason": why} if why else {}))


def quarantine_requested(node: Node, quarantine: Quarantine) -> Draft:
    """State that a node is to be cut off."""
    claims = {
        "number": quarantine.number,
        "cause": "finding" if quarantine.finding else "person" if quarantine.by else "provider",
        "kind": node.kind.value,
    }
    claims |= {"finding": quarantine.finding} if quarantine.finding else {}
    claims |= {"by": quarantine.by} if quarantine.by else {}
    return _draft(QUARANTINE_REQUESTED, node, claims)


def collected(node: Node, quarantine: Quarantine, evidence: Evidence, *, kept: bool) -> Draft:
    """State which evidence was collected, by salted digests."""
    claims = {
        "number": quarantine.number,
        "items": [{"name": i.name, "digest": str(i.digest), "bytes": i.size} for i in evidence.items],
        "chain": str(evidence.chain),
        "beforeCut": evidence.before_cut,
        "milliseconds": evidence.milliseconds,
        "kept": kept,
    }
    return _draft(COLLECTED, node, claims)


def confirmed(node: Node, quarantine: Quarantine, at: datetime) -> Draft:
    """State that a node is cut off, and what was tried against the cut."""
    claims: dict[str, Any] = {
        "number": quarantine.number,
        "kind": quarantine.kind.value,
        "before": quarantine.before,
        "cutMicros": quarantine.micros,
        "probes": [_probe(probe) for probe in quarantine.probes],
    }
    claims |= {"evidence": quarantine.evidence} if quarantine.evidence else {}
    if quarantine.triggered_at is not None:
        claims["millisecondsFromTrigger"] = millis(quarantine.triggered_at, at)
    return _draft(CONFIRMED, node, claims)


def quarantine_failed(node: Node, quarantine: Quarantine) -> Draft:
    """State that a node is not shown to be cut off, and which paths are open."""
    open_paths = [probe.path for probe in quarantine.probes if probe.tried and not probe.ok]
    claims = {"number": quarantine.number, "openPaths": open_paths, "because": sentence(quarantine.because)}
    return _draft(QUARANTINE_FAILED, node, claims)


def released(node: Node, quarantine: Quarantine, release: Release, act: TwoPersonAct, at: datetime) -> Draft:
    """State that a node is free again, with exactly the state that it had before the cut."""
    claims = {
        "number": quarantine.number,
        "before": quarantine.before,
        "request": str(release.request),
        "approval": release.approval,
        "millisecondsHeld": millis(quarantine.requested_at, at),
    } | act.claims
    return _draft(RELEASED, node, claims)


def blocked(block: Block) -> Draft:
    """State that an address is kept out; only a salted digest names it."""
    claims: dict[str, Any] = {"seconds": block.seconds}
    claims |= {"finding": block.finding} if block.finding else {}
    return Draft(BLOCKED, (_source(block),), claims, Strength.OBSERVED)


def unblocked(block: Block, *, by: str, at: datetime) -> Draft:
    """State that an address may come in again."""
    claims = {"cause": "person" if by else "expired", "millisecondsHeld": millis(block.blocked_at, at)}
    claims |= {"by": by} if by else {}
    return Draft(UNBLOCKED, (_source(block),), claims, Strength.OBSERVED)


def _source(block: Block) -> Subject:
    return Subject(f"source/{block.subject.hex[:8]}", block.subject)


def _probe(probe: ProbeResult) -> dict[str, Any]:
    return {
        "path": sentence(probe.path),
        "expected": sentence(probe.expected),
        "observed": sentence(probe.observed),
        "ok": probe.ok,
    }


def release_request(node: str, subject: Digest, quarantine: int, before: str, reason: str) -> Draft:
    """Return what a person signs who asks that a node be released."""
    claims = {"node": node, "number": quarantine, "before": before}
    about = (Subject(f"node/{node}", subject),)
    return Draft(RELEASE_REQUESTED, about, claims, OPERATOR_STRENGTH, {"reason": bounded_reason(reason)})


def release_approval(node: str, subject: Digest, quarantine: int, request: Digest) -> Draft:
    """Return what another person signs who agrees."""
    claims = {"node": node, "number": quarantine, "request": str(request)}
    return Draft(RELEASE_APPROVED, (Subject(f"node/{node}", subject),), claims, OPERATOR_STRENGTH)


def check_about(statement: Statement, expected: Draft) -> None:
    """Return where a posted statement says exactly what was asked for; raise `MalformedInput`."""
    same = (
        statement.predicate == expected.predicate
        and statement.subjects == expected.subjects
        and dict(statement.claims) == dict(expected.claims)
        and statement.issuance.strength is expected.strength
    )
    if not same:
        raise MalformedInput(
            f"the statement is not the {expected.predicate} of this quarantine; show the node again and sign it anew",
            source="envelope",
        )
