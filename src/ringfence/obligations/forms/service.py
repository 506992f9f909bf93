"""Take what people say in forms, and tell which evidence there is and where it comes from."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Refused
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.ledger.model import LoggedStatement, Standing
from ringfence.obligations import assess, producers
from ringfence.obligations.forms import checking, drafting, shelf
from ringfence.obligations.forms.model import Filling, Form, Known, Problem
from ringfence.obligations.forms.ports import Log
from ringfence.obligations.model import Catalog, Requirement
from ringfence.obligations.producers import Producer

Counted = Callable[[Tenant], Mapping[str, Any]]  # what a register answers, by claim


@dataclass(frozen=True, slots=True)
class EvidenceType:
    """Where statements of one type come from, what asks for them, and what there is of them."""

    producer: Producer
    title: str
    asked_by: tuple[Requirement, ...]
    last: LoggedStatement | None
    fresh_until: datetime | None  # None also where no period runs


@dataclass(frozen=True, slots=True)
class Forms:
    """The use cases of evidence that people state."""

    catalog: Catalog
    log: Log
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]
    clock: Clock
    registers: Mapping[PredicateName, Counted] = field(default_factory=dict)

    def take(self, person: Person, name: str, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        """Record a statement that the person signed, once it says what its form lets a person say.

        Raises:
            NotFound: there is no such form.
            MalformedInput: an answer does not fit.
            Refused: it is another type, claims more than a person's word, or is about an older version.
        """
        form, statement = shelf.form(name), envelope.statement
        if statement.predicate != form.type:
            raise Refused(f"this is where {form.type} is stated, not {statement.predicate}")
        checking.check_stated(form, statement, statement.issuance.issued_at.date())
        checking.check_details(form, opening.details if opening else {}, statement.claims)
        self._check_version(person.tenant, form, envelope)
        self._check_counted(person.tenant, form, statement.claims)
        with self.publishable():
            done = self.recorder.admit(envelope, opening, by=person)
        return self.publication.published(done.envelope)

    def _check_version(self, tenant: Tenant, form: Form, envelope: Envelope) -> None:
        subject = envelope.statement.subjects[0]
        known = self.known(tenant, form)
        if form.about.of is not None and not any(
            (one.name, one.digest) == (subject.name, subject.digest) for one in known
        ):
            raise Refused(f"{subject.name} in this version is not what the newest {form.about.of} names; sign it again")

    def _check_counted(self, tenant: Tenant, form: Form, claims: Mapping[str, Any]) -> None:
        for name, value in self.counted(tenant, form).items():
            if claims.get(name) != value:
                raise Refused(f"{name} is {value} by the register now, and nobody types it; look at it and sign anew")

    def counted(self, tenant: Tenant, form: Form) -> Mapping[str, Any]:
        """Return the answers that a register of this installation gives."""
        found = self.registers[form.type](tenant) if form.counted and form.type in self.registers else {}
        return {name: found.get(name) for name in sorted(form.counted)}

    def _with_counted(self, tenant: Tenant, form: Form, filling: Filling) -> Filling:
        return replace(filling, claims={**filling.claims, **self.counted(tenant, form)})

    def known(self, tenant: Tenant, form: Form) -> tuple[Known, ...]:
        """Return what a form can be about, where other statements say so: the newest version of each."""
        if form.about.of is None:
            return ()
        found: dict[str, Known] = {}
        for logged in self.log.statements(tenant, (form.about.of,)):
            if logged.standing is Standing.TRUSTED:
                for subject in logged.envelope.statement.subjects:
                    found[subject.name] = Known(subject.name, subject.digest, logged.entry)
        return tuple(sorted(found.values(), key=lambda one: one.name))

    def today(self) -> date:
        """Return the day, by our clock and in UTC."""
        return self.clock.now().date()

    def wrong(self, tenant: Tenant, form: Form, filling: Filling) -> tuple[Problem, ...]:
        """Return what is wrong with a form that is being filled."""
        filling = self._with_counted(tenant, form, filling)
        return drafting.everything_wrong(form, filling, tenant, self.today(), self.known(tenant, form))

    def draft(self, tenant: Tenant, form: Form, filling: Filling) -> Draft:
        """Return what a person signs who filled a form; raise `MalformedInput` where something is wrong."""
        filling = self._with_counted(tenant, form, filling)
        return drafting.draft(form, filling, tenant, self.today(), self.known(tenant, form))

    def kinds(self, tenant: Tenant) -> list[EvidenceType]:
        """Return every evidence type that somebody states or a rule asks for."""
        rules, there = producers.asked(self.catalog), self.log.tally(tenant)
        known = producers.by_type(shelf.types()).values()
        last = {one.type: self._newest(tenant, one.type) for one in known if there.get(one.type)}
        return [self._kind(one, rules.get(one.type, ()), last.get(one.type)) for one in known]

    def kind(self, tenant: Tenant, form: Form) -> EvidenceType:
        """Return one that has a form."""
        one, rules = producers.by_type(shelf.types())[form.type], producers.asked(self.catalog)
        return self._kind(one, rules.get(form.type, ()), self._newest(tenant, form.type))

    def _newest(self, tenant: Tenant, name: PredicateName) -> LoggedStatement | None:
        return next(iter(self.log.page(tenant, limit=1, predicates=(name,))), None)

    def _kind(self, producer: Producer, rules: tuple[Requirement, ...], last: LoggedStatement | None) -> EvidenceType:
        ends = [end for rule in rules if last and (end := assess.expiry(rule, last))]
        title = shelf.form(producer.type).title if producer.way is producers.Way.FORM else ""
        return EvidenceType(producer, title, rules, last, min(ends, default=None))
