"""What is stated about releases (docs/specs/predicates/key.*.md, node.appraised.md, lease.ended.md). Pure."""

from collections.abc import Mapping
from typing import Any

from ringfence.attestation.model import Claim
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.kernel.text import printable
from ringfence.keyrelease.model import SENTENCES, Dataset, Denial, Ending, Facts, Lease, Target
from ringfence.keyrelease.rules import ALLOWED

APPRAISED = PredicateName("node.appraised")
RELEASED = PredicateName("key.released")
DENIED = PredicateName("key.denied")
LEASE_ENDED = PredicateName("lease.ended")
ABOUT_RELEASES = (ALLOWED, APPRAISED, RELEASED, DENIED, LEASE_ENDED)
_REASON = 300
NONE = "none"  # where there is no digest to name


def of_dataset(dataset: Dataset) -> Subject:
    """Return how statements name the sealed epoch."""
    return Subject(f"dataset/{dataset.dataset}", dataset.seal)


def of_node(target: Target) -> Subject:
    """Return how statements name a node."""
    return Subject(f"node/{target.node}", target.subject)


def of_leased_node(lease: Lease) -> Subject:
    """Return how statements about a lease name its node, which may be gone by then."""
    return Subject(f"node/{lease.node}", lease.node_subject)


def short(reason: str) -> str:
    """Return a reason as one line: it may quote what a node sent."""
    return printable(reason, _REASON)


def named(digest: Digest | None) -> str:
    """Print a digest, or that there is none."""
    return str(digest) if digest else NONE


def appraised(facts: Facts, nonce: bytes) -> Draft:
    """State what the evidence of a node was judged to show, claim by claim; why, goes into the details."""
    judgement, appraisal = facts.judgement, facts.judgement.appraisal
    claims: dict[str, Any] = {
        "node": facts.target.node,
        "family": judgement.family,
        "acceptable": judgement.acceptable,
        "softwareTpm": appraisal is not None and appraisal.software_tpm,
        "claims": {} if appraisal is None else {name.value: one.level.value for name, one in appraisal.claims.items()},
        "lacking": [] if appraisal is None else [name.value for name in appraisal.lacking],
        "device": "" if appraisal is None else appraisal.device,
        "evidence": str(judgement.evidence),
        "reference": named(judgement.reference),
        "nonce": str(Digest.of(nonce)),
    }
    reasons = {} if appraisal is None else {n.value: short(j.reason) for n, j in appraisal.claims.items()}
    details: Mapping[str, Any] = {"reasons": reasons} if reasons else {}
    return Draft(APPRAISED, (of_node(facts.target),), claims, judgement.strength, details)


def _asked(facts: Facts) -> dict[str, Any]:
    return {
        "dataset": facts.dataset.dataset,
        "epoch": facts.dataset.epoch,
        "node": facts.target.node,
        "class": facts.target.node_class,
        "family": facts.judgement.family,
        "purpose": facts.wish.purpose,
        "workload": str(facts.wish.workload),
        "place": facts.place.country,
        "placeKind": facts.place.kind.value,
        "register": named(facts.place.register),
        "rule": named(facts.rule.statement if facts.rule else None),
        "by": facts.by,
    }


def released(facts: Facts, lease: Lease, node_key: Digest, credential: Digest | None, policy: Digest) -> Draft:
    """State that the key of a dataset is about to go to a node, and until when."""
    claims = _asked(facts) | {
        "lease": lease.id,
        "expiresAt": to_text(lease.expires_at),
        "renewal": lease.renewed_at != lease.granted_at,
        "nodeKey": str(node_key),
        "credential": named(credential),
        "evidence": str(facts.judgement.evidence),
        "policy": str(policy),
    }
    return Draft(RELEASED, (of_dataset(facts.dataset), of_node(facts.target)), claims, facts.judgement.strength)


def denied(facts: Facts, because: tuple[str, ...], unrecorded: int, policy: Digest) -> Draft:
    """State that the key was not released, by which rules; `unrecorded` denials before it were only counted."""
    appraisal = facts.judgement.appraisal
    claims = _asked(facts) | {
        "because": list(because),
        "lacking": [] if appraisal is None else [name.value for name in Claim if name in appraisal.lacking],
        "evidence": str(facts.judgement.evidence) if appraisal else NONE,
        "unrecorded": unrecorded,
        "policy": str(policy),
    }
    return Draft(DENIED, (of_dataset(facts.dataset), of_node(facts.target)), claims, Strength.OBSERVED)


def counted(dataset: Subject, node: Subject, unrecorded: int, policy: Digest) -> Draft:
    """State how many denials of a node were counted after the last one that was recorded."""
    claims: dict[str, Any] = {
        "dataset": dataset.name.partition("/")[2],
        "epoch": 0,
        "node": node.name.partition("/")[2],
        "class": "",
        "family": NONE,
        "purpose": "",
        "workload": NONE,
        "place": "",
        "placeKind": NONE,
        "register": NONE,
        "rule": NONE,
        "by": "",
        "because": [Denial.MORE.value],
        "lacking": [],
        "evidence": NONE,
        "unrecorded": unrecorded,
        "policy": str(policy),
    }
    return Draft(DENIED, (dataset, node), claims, Strength.OBSERVED)


def lease_ended(lease: Lease, node: Subject, ending: Ending, *, dropped: bool, by: PersonId | None) -> Draft:
    """State that a lease is renewed no more; `dropped`: the node's agent said that it overwrote the key."""
    claims = {
        "lease": lease.id,
        "dataset": lease.dataset,
        "node": lease.node,
        "because": ending.value,
        "dropped": dropped,
        "by": by or "",
    }
    return Draft(LEASE_ENDED, (Subject(f"dataset/{lease.dataset}", lease.seal), node), claims, Strength.OBSERVED)


def sentence(because: str) -> str:
    """Return why, in words."""
    return SENTENCES.get(because, because)
