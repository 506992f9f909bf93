"""The use cases of the watch that people ask for: read findings, change what is done about them, hand in lines."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import Conflict, NotFound
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.soc import alerts, statements
from ringfence.soc.action import State, Surroundings, Times
from ringfence.soc.model import Finding
from ringfence.soc.playbook import Playbook, wishes
from ringfence.soc.policy import Policy, changed_fields
from ringfence.soc.ports import Answered, Delivery, Findings, Mailbox, Policies, Raised, Ruled, Transaction
from ringfence.soc.posting import GIVEN_UP, SETTLED, Posting
from ringfence.soc.respond import decide
from ringfence.soc.rows import rows_of

LISTED = 50  # of what waits: a storm is one finding of its own
PATIENCE = timedelta(minutes=1)  # an alert that nobody has tried to send for so long is not on its way


@dataclass(frozen=True, slots=True)
class Watch:
    """What the front ends call."""

    findings: Findings
    policies: Policies
    mailbox: Mailbox
    playbook: Playbook
    post: Posting
    recorder: Recorder
    publication: Publication
    transaction: Transaction
    clock: Clock
    token: Callable[[], str]  # random, hexadecimal, 24 digits

    def page(self, tenant: Tenant, *, limit: int = 100, rule: str = "") -> list[tuple[Raised, list[Ruled]]]:
        """Return findings with what was ruled about them, the one seen last first."""
        found = self.findings.page(tenant, limit=limit, rule=rule)
        return [(raised, self.findings.rulings(tenant, raised.reference)) for raised in found]

    def one(self, tenant: Tenant, reference: str) -> tuple[Raised, list[Ruled], list[tuple[Delivery, str]]]:
        """Return a finding with its rulings and its alerts; raise `NotFound`."""
        raised = self.findings.by_reference(tenant, reference)
        if raised is None:
            raise NotFound(f"there is no finding {reference[:40]!r}; see `ringfence findings list`")
        return raised, self.findings.rulings(tenant, reference), self.mailbox.of(tenant, reference)

    def settings(self, tenant: Tenant) -> tuple[int, Policy]:
        """Return version and settings of a tenant; version 0 where nobody changed them."""
        return self.policies.current(tenant)

    def change(self, person: Person, version: int, policy: Policy) -> Acknowledgement | None:
        """Replace the settings; `version` is the one that the change was made from. None where nothing differs.

        The change is stated and alerted in the same transaction: nobody weakens the watch in silence.

        Raises:
            Conflict: somebody changed them meanwhile.
        """
        tenant = person.tenant
        with self.transaction():
            current, before = self.policies.current(tenant)
            if current != version:
                raise Conflict(f"the settings are at version {current} by now; look at them and change them again")
            fields = changed_fields(before, policy)
            if not fields:
                return None
            self.policies.put(tenant, version + 1, policy, by=person.id, at=self.clock.now())
            draft = statements.detection_changed(tenant, version + 1, before, policy, by=person.id)
            stated = self.recorder.record(draft, tenant=tenant)
            self.post.add(alerts.changed(tenant, version + 1, fields, person.id))
        return self.publication.published(stated.envelope)

    def waiting(self, tenant: Tenant) -> list[tuple[Raised, Ruled]]:
        """Return the acts that are left to a person, the newest first."""
        return self.findings.waiting(tenant, LISTED)

    def unsent(self, tenant: Tenant) -> list[tuple[Delivery, str]]:
        """Return the alerts that did not go out, the newest first."""
        return self.mailbox.unsent(tenant, self.clock.now() - PATIENCE, LISTED)

    def settle(self, person: Person, reference: str, reason: str) -> Acknowledgement:
        """Take in what a person did about something that waited for one: it waits no longer, and is not forgotten.

        Raises:
            NotFound: nothing of that name is known.
            Conflict: nothing about it waits.
        """
        tenant = person.tenant
        with self.transaction():
            known = self.mailbox.of(tenant, reference)
            acts = [one for one in self.findings.rulings(tenant, reference) if one.state is State.WAITING]
            lost = [delivery for delivery, state in known if state == GIVEN_UP]
            if not acts and not lost:
                if not known and self.findings.by_reference(tenant, reference) is None:
                    raise NotFound(f"there is no finding {reference[:40]!r}; see `ringfence findings list`")
                raise Conflict(f"nothing about {reference} waits for a person; see `ringfence findings list`")
            for one in acts:
                self.findings.settle(tenant, replace(one, state=State.SETTLED))
            for delivery in lost:
                self.mailbox.close(delivery, SETTLED)
            draft = statements.settled(reference, acts, lost, by=person.id, reason=reason)
            stated = self.recorder.record(draft, tenant=tenant)
        return self.publication.published(stated.envelope)

    def declare(self, tenant: Tenant, finding: Finding) -> Raised:
        """Record a finding from lines that nobody authenticated: nothing is done about it, and nobody is alerted.

        Whoever holds a file can write into it: its lines are a claim, however they read.
        """
        with self.transaction():
            known = self.findings.by_key(tenant, _declared(finding))
            if known is not None:
                return known
            raised = Raised(tenant, f"f-{self.token()}", _renamed(finding), None, authenticated=False, noted=True)
            stated = self.recorder.record(statements.finding_raised(raised), tenant=tenant)
            raised = replace(raised, statement=stated.envelope)
            self.findings.put(raised)
            self._rule_out(raised)
        return raised

    def _rule_out(self, raised: Raised) -> None:
        now = self.clock.now()
        around = Surroundings(nodes=0, authenticated=False)
        wished = wishes(raised.finding, self.playbook, Policy(), None)
        response = decide(raised.finding, wished, Policy(), (), None, around, at=now)
        if response is None:
            return
        done = Answered(response, Times(now, now, now), tuple(State.NONE for _ in response.acts))
        draft = statements.response_decided(raised, response, done.times, done.states)
        stated = self.recorder.record(draft, tenant=raised.tenant)
        rows = [replace(row, statement=stated.envelope) for row in rows_of(raised.reference, done)]
        self.findings.rule_on(raised.tenant, rows)


def _declared(finding: Finding) -> str:
    # A file must not be able to speak for (or hide) what the watch itself found: it has identifiers of its own.
    return f"d{finding.id}"[:64]


def _renamed(finding: Finding) -> Finding:
    return replace(finding, id=_declared(finding))
