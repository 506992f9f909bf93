"""What people judge, joined: risks, exceptions and opinions, beside the board that nobody can set."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringfence.cutoff.colleagues import Colleagues, established, nobody_known
from ringfence.frontends.waiting import Item, Kind
from ringfence.governance.desk import Desk
from ringfence.governance.exceptions import statements as exceptions
from ringfence.governance.exceptions.model import WAITS, ControlException, State, exception_id
from ringfence.governance.exceptions.service import Exceptions
from ringfence.governance.opinions import statements as opinions
from ringfence.governance.opinions.model import opinion_id
from ringfence.governance.opinions.service import Computed, Opinions
from ringfence.governance.risks import statements as risks
from ringfence.governance.risks.model import Risk, risk_id
from ringfence.governance.risks.service import Risks, why_not
from ringfence.governance.risks.statements import Known
from ringfence.governance.service import Judgements
from ringfence.identity.acting.ports import Target
from ringfence.identity.service import Identity
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.two_person import Half
from ringfence.ledger.service import Ledger
from ringfence.obligations.service import Status
from ringfence.obligations.threats import register as threats
from ringfence.storage.outbox import Outbox

ASSESSMENT = PredicateName("risk.assessment")  # a form whose counts come from the register


@dataclass(frozen=True, slots=True)
class ComputedStatus:
    """What an opinion is about, from the board."""

    status: Status

    def __call__(self, tenant: Tenant) -> Mapping[str, Computed]:
        """Return the computed status of every control now."""
        board = self.status.board(tenant)
        return {one.control.id: Computed(one.verdict.state.value, board.rules, one.entries) for one in board.controls}


@dataclass(frozen=True, slots=True)
class Pairs:
    """`governance.desk.Colleagues` over identity and the log."""

    colleagues: Colleagues

    def half(self, tenant: Tenant, person: PersonId, envelope: Digest) -> Half:
        """Return what the log knows of a statement that the person signed; raise `Refused` where it counts not."""
        return self.colleagues.half(tenant, person, envelope)

    def established(self, tenant: Tenant, at: datetime) -> int:
        """Return how many people who are here have a credential that is old enough for an act of two."""
        here = {one.id for one in self.colleagues.identity.people.all(tenant) if one.removed_at is None}
        return len(here & established(self.colleagues.issuers(tenant), at))


def judgements(status: Status, ledger: Ledger, outbox: Outbox, identity: Identity) -> Judgements:
    """Join ports and adapters."""
    pairs = Pairs(Colleagues(identity, nobody_known, ledger.issuers, outbox.stated))
    desk = Desk(ledger, outbox, ledger, ledger.publishable, pairs, ledger.clock)
    controls = frozenset(control.id for control in status.catalog.controls)

    def there(tenant: Tenant, entries: Collection[int]) -> Collection[int]:
        return frozenset(logged.entry for logged in ledger.named(tenant, entries))

    return Judgements(
        Risks(desk, Known(controls, frozenset(threat.id for threat in threats.load().threats))),
        Exceptions(desk, controls),
        Opinions(desk, controls, ComputedStatus(status), there),
        ledger.clock,
    )


Take = Callable[[Person, str, Envelope, Opening | None], Acknowledgement]


def targets(judged: Judgements) -> Mapping[PredicateName, Target]:
    """Return who takes which act of judgement, in the browser as from a terminal."""
    return {**_about_risks(judged.risks), **_about_exceptions(judged.exceptions), **_about_status(judged.opinions)}


def _about_risks(service: Risks) -> Mapping[PredicateName, Target]:
    return {
        risks.REGISTERED: _target(
            "risk.change",
            "You enter these risks into the register, in your name.",
            lambda person, _, envelope, opening: service.register(person, envelope, opening),
            "/risks",
        ),
        risks.TREATED: _target(
            "risk.change",
            "You state how this risk is treated. What was accepted of it before, has to be accepted again.",
            lambda person, place, envelope, opening: service.treat(person, risk_id(place), envelope, opening),
            "/risks/{}",
        ),
        risks.REVIEWED: _target(
            "risk.change",
            "You state that you looked at this risk again, and how you rate it now.",
            lambda person, place, envelope, opening: service.review(person, risk_id(place), envelope, opening),
            "/risks/{}",
        ),
        risks.ACCEPTED: _target(
            "risk.accept",
            "You accept, for the management, what is left of this risk until the day that is named.",
            lambda person, place, envelope, opening: service.accept(person, risk_id(place), envelope, opening),
            "/risks/{}",
        ),
    }


def _about_exceptions(service: Exceptions) -> Mapping[PredicateName, Target]:
    return {
        exceptions.REQUESTED: _target(
            "exception.request",
            "You ask that this control be excepted. Another person looks at it, and signs. Its status stays.",
            lambda person, _, envelope, opening: service.request(person, envelope, opening),
            "/exceptions",
        ),
        exceptions.APPROVED: _target(
            "exception.approve",
            "You agree to this exception until its end. The status of the control stays as it is computed.",
            lambda person, place, envelope, _: service.approve(person, exception_id(place), envelope),
            "/exceptions",
        ),
        exceptions.ENDED: _target(
            "exception.request",
            "You end this exception now. That it was there stays on record.",
            lambda person, place, envelope, opening: service.end(person, exception_id(place), envelope, opening),
            "/exceptions",
        ),
    }


def _about_status(service: Opinions) -> Mapping[PredicateName, Target]:
    return {
        opinions.GIVEN: _target(
            "opinion.give",
            "You state what you, as an auditor, think of this status. It stands beside the status and changes nothing.",
            lambda person, _, envelope, opening: service.give(person, envelope, opening),
            "/exceptions",
        ),
        opinions.WITHDRAWN: _target(
            "opinion.give",
            "You take your opinion back. That you had given it stays on record.",
            lambda person, place, envelope, opening: service.withdraw(person, opinion_id(place), envelope, opening),
            "/exceptions",
        ),
    }


def _target(action: str, words: str, take: Take, page: str) -> Target:
    def submit(person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        return {"place": place, "statement": take(person, place, envelope, opening).to_json()}

    return Target(action, words, submit, page.format)


def wishes(judged: Judgements, allows: Callable[[Person, str], bool], person: Person) -> list[Item]:
    """Return what waits for this person's signature: others' exceptions, and treated risks that nobody bears."""
    found: list[Item] = []
    if allows(person, "exception.approve"):
        now = judged.clock.now()
        waiting = [one for one in judged.exceptions.all(person.tenant) if one.state(now) is State.WAITING]
        found += [_exception(one) for one in waiting if one.approvable_by(person.id)]
    if allows(person, "risk.accept"):
        today = judged.risks.today()
        open_ = [risk for risk in judged.risks.all(person.tenant) if risk.open and not risk.accepted(today)]
        found += [_residual(risk) for risk in open_ if not why_not(risk, person)]
    return found


def _exception(one: ControlException) -> Item:
    words = f"An exception from {one.wanted.control} until {one.wanted.until} waits for another person's signature"
    command = f"ringfence exception approve {one.id}"
    return Item(Kind.TO_SIGN, words, f"/exceptions#{one.id}", one.asked_at + WAITS, command)


def _residual(risk: Risk) -> Item:
    words = f"What is left of a risk rated {risk.row.rating.level.value} is accepted by nobody: {risk.row.title}"
    return Item(Kind.TO_SIGN, words.removesuffix(": "), f"/risks/{risk.id}", command=f"ringfence risk show {risk.id}")
