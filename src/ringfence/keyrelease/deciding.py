"""Whether a key goes to a node: facts in, lease and statements out. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringfence.kernel.clock import BACKWARDS
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft
from ringfence.keyrelease import statements
from ringfence.keyrelease.model import (
    RENEW_AFTER,
    Answer,
    Dataset,
    Denial,
    Facts,
    Lease,
    LeaseId,
    LeaseState,
    StandingRule,
    Target,
)

Policy = Callable[[Facts], Answer]


@dataclass(frozen=True, slots=True)
class Handover:
    """What the key is to be wrapped for, as the statement names it."""

    node_key: Digest
    credential: Digest | None


@dataclass(frozen=True, slots=True)
class Release:
    """A key is to go."""

    lease: Lease
    draft: Draft


def refusal(facts: Facts, policy: Policy) -> tuple[str, ...]:
    """Return what stands against a release; nothing where it is to be made."""
    barred = [*facts.barred, *([] if facts.dataset.kept else [Denial.ERASED])]
    barred = list(dict.fromkeys(barred))
    if facts.rule is None:
        barred.append(Denial.NO_RULE)
    if Denial.NO_RULE in barred or facts.judgement.appraisal is None:
        # The policy would name all that an empty rule or absent evidence lacks, which says less than this does.
        return tuple(found.value for found in barred) or (Denial.NO_EVIDENCE.value,)
    answer = policy(facts)
    because = tuple(found.value for found in barred) + answer.because
    return because if because or answer.allowed else (Denial.POLICY.value,)


def release(
    facts: Facts, minutes: int, lease: Lease | None, fresh: LeaseId, handover: Handover, policy: Digest
) -> Release:
    """Return the lease of a release that nothing stands against; `lease` is the one that is renewed."""
    expires = facts.at + timedelta(minutes=minutes)
    appraisal = facts.judgement.appraisal
    device = appraisal.device if appraisal else ""
    if lease is None:
        lease = Lease(
            id=fresh,
            tenant=facts.tenant,
            dataset=facts.dataset.dataset,
            name=facts.dataset.name,
            epoch=facts.dataset.epoch,
            seal=facts.dataset.seal,
            node=facts.target.node,
            node_name=facts.target.name,
            node_subject=facts.target.subject,
            purpose=facts.wish.purpose,
            workload=facts.wish.workload,
            place=facts.wish.place,
            device=device,
            strength=facts.judgement.strength,
            statement=None,
            by=facts.by,
            granted_at=facts.at,
            renewed_at=facts.at,
            expires_at=expires,
            state=LeaseState.GRANTED,
        )
    else:
        lease = replace(
            lease,
            epoch=facts.dataset.epoch,
            seal=facts.dataset.seal,
            device=device,
            strength=facts.judgement.strength,
            renewed_at=facts.at,
            expires_at=expires,
            state=LeaseState.GRANTED,
        )
    return Release(lease, statements.released(facts, lease, handover.node_key, handover.credential, policy))


def due_for_renewal(lease: Lease, at: datetime) -> bool:
    """Return whether the node is to be attested anew, or the lease was broken off before the node had the key."""
    if lease.state is LeaseState.ENDED:
        return False
    part, whole = RENEW_AFTER
    return at >= lease.renewed_at + (lease.expires_at - lease.renewed_at) * part / whole


def over(lease: Lease, at: datetime) -> bool:
    """Return whether its time is up; a clock that went back behind the grant is no time to trust."""
    return lease.state is not LeaseState.ENDED and (at >= lease.expires_at or at < lease.renewed_at - BACKWARDS)


def grounds_lost(
    lease: Lease, dataset: Dataset, target: Target, rule: StandingRule | None, *, requester_allowed: bool
) -> tuple[Denial, ...]:
    """Return what has taken the ground from a lease since it was granted; nobody needs to ask the node about it."""
    allowed = rule is not None and (
        lease.purpose in rule.rule.purposes
        and lease.workload in rule.rule.workloads
        and target.node_class in rule.rule.classes
    )
    lost = {
        Denial.ERASED: not dataset.kept,
        Denial.CUT_OFF: target.cut_off,
        Denial.REQUESTER: not requester_allowed,
        Denial.WITHDRAWN: not allowed,
    }
    return tuple(denial for denial, true in lost.items() if true)


def device_names(tenant: Tenant, anchor: str, device: str) -> tuple[str, str]:
    """Return under which names it is remembered which node showed a device: in its tenant, and under its root.

    A tenant's rule may name any root, also one whose key the tenant has: what such a root says about a device binds
    nobody else.
    """
    return f"{tenant}/{device}", f"{anchor}/{device}"
