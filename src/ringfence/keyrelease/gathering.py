"""Gather what a decision rests on: the verdict over the evidence, the node, the place, the people."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ringfence.attestation.model import Binding
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.keyrelease import sites
from ringfence.keyrelease.deciding import device_names
from ringfence.keyrelease.model import (
    MAX_EVIDENCE,
    NO_FAMILY,
    NOBODY,
    Dataset,
    Denial,
    Facts,
    Judgement,
    Lease,
    Place,
    StandingRule,
    Target,
    Wish,
)
from ringfence.keyrelease.ports import Colleagues, Store
from ringfence.keyrelease.ruling import REFERENCE, Ruling

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, from the evidence on."""

    by: Person | None
    dataset: Dataset
    target: Target
    wish: Wish
    binding: Binding | None
    evidence: bytes | None
    barred: tuple[Denial, ...] = ()
    lease: Lease | None = None
    said: str = ""
    on_behalf: PersonId = NOBODY


@dataclass(frozen=True, slots=True)
class Gathering:
    """The facts of one request."""

    store: Store
    colleagues: Colleagues
    ruling: Ruling
    clock: Clock
    is_demo: Callable[[Tenant], bool]

    def judged(self, asked: Asked, rule: StandingRule | None) -> tuple[Judgement, tuple[Denial, ...]]:
        """Judge the evidence; with why there is nothing to judge, where that is so."""
        data = asked.evidence or b""
        nothing = Judgement(NO_FAMILY, None, Digest.of(data), None)
        if asked.barred or asked.binding is None:
            return nothing, asked.barred
        if asked.evidence is None:
            return nothing, (Denial.NO_EVIDENCE,)
        if len(data) > MAX_EVIDENCE:
            return nothing, (Denial.TOO_LARGE,)
        named = sorted(rule.rule.references) if rule else []
        references = [found for name in named if (found := self.store.document(asked.dataset.tenant, REFERENCE, name))]
        try:
            judged = self.colleagues.appraiser.judge(data, references, asked.binding, self.clock.now())
        except MalformedInput:
            return nothing, (Denial.MALFORMED,)
        except Exception:  # noqa: BLE001 - whatever a stranger's bytes break in a reader: it is a denial, on record
            _log.exception("evidence of %s could not be judged", asked.target.node)
            return nothing, (Denial.MALFORMED,)
        judgement = Judgement(judged.family.value, judged.appraisal, Digest.of(data), judged.reference, judged.anchor)
        return judgement, (() if judged.appraisal or rule is None else (Denial.NO_REFERENCE,))

    def facts(self, asked: Asked, rule: StandingRule | None, judgement: Judgement, barred: tuple[Denial, ...]) -> Facts:
        """Gather the rest inside the transaction that decides: nothing of it can change under the decision."""
        tenant, now = asked.dataset.tenant, self.clock.now()
        device = judgement.appraisal.device if judgement.appraisal else ""
        dataset = self.colleagues.datasets.named(tenant, asked.wish.dataset)
        target = self.colleagues.nodes.named(tenant, asked.wish.node)
        if (dataset.dataset, target.node) != (asked.dataset.dataset, asked.target.node):  # others have their names
            dataset, target, barred = asked.dataset, asked.target, (*barred, Denial.CHALLENGE)
        known = self.colleagues.attester.device(target) if device else ""
        if known and known != device:
            barred = (*barred, Denial.OTHER_DEVICE)
        by = asked.by.id if asked.by else asked.on_behalf
        return Facts(
            tenant=tenant,
            dataset=dataset,
            target=target,
            wish=asked.wish,
            by=by,
            rule=rule,
            judgement=judgement,
            place=self._place(asked, rule, device, now),
            demo=self.is_demo(tenant),
            device_elsewhere=self._elsewhere(tenant, judgement, asked.target.node),
            requester_allowed=self.colleagues.requesters.may(tenant, by),
            at=now,
            barred=barred,
            said=asked.said,
        )

    def _elsewhere(self, tenant: Tenant, judgement: Judgement, node: str) -> bool:
        if judgement.appraisal is None:
            return False
        device = judgement.appraisal.device
        if not device:
            return True
        shown_by = map(self.store.device_of, device_names(tenant, judgement.anchor, device))
        return any(other not in {None, node} and self.colleagues.nodes.living(str(other)) for other in shown_by)

    def _place(self, asked: Asked, rule: StandingRule | None, device: str, now: datetime) -> Place:
        registers = self.ruling.registers(asked.dataset.tenant) if rule is not None and rule.rule.registers else []
        return sites.place_of(device, asked.wish.place, rule.rule if rule else None, registers, now)
