"""Record denials before they are answered, so that a flood of them fills no log."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.kernel.digest import Digest
from ringfence.kernel.evidence import Recorder
from ringfence.kernel.statement import Subject
from ringfence.keyrelease import statements
from ringfence.keyrelease.model import DENIAL_WINDOW, MOST_DENIALS, Facts, Refusal
from ringfence.keyrelease.ports import Denials, Store


@dataclass(frozen=True, slots=True)
class Denying:
    """Record or count denials."""

    transaction: Callable[[], AbstractContextManager[None]]
    store: Store
    recorder: Recorder
    policy: Digest

    def record(self, facts: Facts, because: tuple[str, ...], nonce: bytes) -> Digest | None:
        """Record a denial in the open transaction, with the appraisal, and return its envelope.

        Beyond the limit of a node it is counted there, and there is no envelope.
        """
        before = self.store.denials(facts.tenant, facts.target.node)
        window = counted(before, facts)
        if window.recorded >= MOST_DENIALS:
            self.store.put_denials(replace(window, unrecorded=window.unrecorded + 1))
            return None
        if facts.judgement.appraisal is not None:
            self.recorder.record(statements.appraised(facts, nonce), tenant=facts.tenant)
        draft = statements.denied(facts, because, window.unrecorded, self.policy)
        done = self.recorder.record(draft, tenant=facts.tenant)
        self.store.put_denials(replace(window, recorded=window.recorded + 1, unrecorded=0))
        self.store.put_refusal(facts.tenant, _refusal(facts, because))
        return done.envelope

    def flush(self, at: datetime) -> None:
        """State how many denials were only counted, of windows that are over."""
        for old in self.store.uncounted(at - DENIAL_WINDOW):
            with self.transaction():
                fresh = self.store.denials(old.tenant, old.node)
                if fresh is None or not fresh.unrecorded or fresh.began_at != old.began_at:
                    continue
                dataset, node = (
                    Subject(f"dataset/{fresh.dataset}", fresh.seal),
                    Subject(f"node/{fresh.node}", fresh.node_subject),
                )
                self.recorder.record(
                    statements.counted(dataset, node, fresh.unrecorded, self.policy), tenant=fresh.tenant
                )
                self.store.put_denials(replace(fresh, unrecorded=0))


def counted(before: Denials | None, facts: Facts) -> Denials:
    """Return the count of the window that a denial falls into; what an older window only counted is carried on."""
    if before is not None and before.began_at <= facts.at < before.began_at + DENIAL_WINDOW:
        return before
    return Denials(
        tenant=facts.tenant,
        node=facts.target.node,
        node_subject=facts.target.subject,
        dataset=facts.dataset.dataset,
        seal=facts.dataset.seal,
        began_at=facts.at,
        recorded=0,
        unrecorded=before.unrecorded if before else 0,
    )


def _refusal(facts: Facts, because: tuple[str, ...]) -> Refusal:
    appraisal = facts.judgement.appraisal
    lacking = () if appraisal is None else appraisal.lacking
    reasons = [
        f"{claim.value}: {appraisal.claims[claim].reason}"
        for claim in lacking
        if appraisal and claim in appraisal.claims
    ]
    shown = tuple(statements.short(reason) for reason in (*reasons, facts.said) if reason)
    return Refusal(facts.target.name, facts.dataset.name, because, shown, facts.at)
