"""Incidents: what people decide about them, and the clocks, proposals and drafts that follow.

Gather, decide (pure), commit row and statement in one transaction. Ringfence files nothing: people do, and record the
acknowledgement.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ringfence.incidents import (
    acts,
    catalog,
    clocks,
    codec,
    deciding,
    document,
    drafting,
    reading,
    significance,
    statements,
    thresholds,
    timeline,
)
from ringfence.incidents.counting import Bound
from ringfence.incidents.desk import Desk, is_recorded
from ringfence.incidents.model import Clock, Incident, IncidentId, incident_id
from ringfence.incidents.ports import Log, Names, Organisation, Thresholds
from ringfence.incidents.reading import Act
from ringfence.incidents.significance import Criterion
from ringfence.incidents.terms import Threshold
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict
from ringfence.kernel.evidence import Acknowledgement, Publication
from ringfence.kernel.identifier import PredicateName, Tenant

LISTED = 200
SALT_SIZE = 32
_KINDS = {
    acts.TRIAGE: "triaged",
    acts.REPORT: "reported",
    acts.NOTICE: "noticed",
    acts.BREACH_NOTICE: "breach-noticed",
    acts.CLOSED: "closed",
}
STATED = (acts.OPENED, statements.EXTENDED, acts.CORRECTED, *_KINDS)


@dataclass(frozen=True, slots=True)
class Assessed:
    """An incident with its clocks, the criteria beside what is measured, and what they warn of."""

    incident: Incident
    bound: Bound
    clocks: tuple[Clock, ...]
    criteria: tuple[Criterion, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Incidents:
    """The use cases of incidents."""

    desk: Desk
    publication: Publication
    organisation: Organisation
    thresholds: Thresholds
    names: Names
    log: Log
    is_demo: Callable[[Tenant], bool]

    # Reading

    def all(self, tenant: Tenant) -> list[Assessed]:
        """Return the newest incidents."""
        return self.assessed(tenant, self.desk.newest(tenant, LISTED))

    def running(self, tenant: Tenant) -> list[tuple[Incident, tuple[Clock, ...]]]:
        """Return every incident for which somebody has to act, with its clocks."""
        found = self.assessed(tenant, self.desk.unfinished(tenant))
        return [(one.incident, one.clocks) for one in found if any(clock.running for clock in one.clocks)]

    def room(self, tenant: Tenant, name: IncidentId) -> Assessed:
        """Return one incident, or raise `NotFound`."""
        (found,) = self.assessed(tenant, [self.desk.incident(tenant, name)])
        return found

    def assessed(self, tenant: Tenant, incidents: Sequence[Incident]) -> list[Assessed]:
        """Work out what follows from incidents now; what the tenant is, is asked once for all of them."""
        if not incidents:
            return []
        bound = self._bound(tenant)
        binding = self._binding(bound)
        return [_assessed(incident, bound, binding) for incident in incidents]

    def intact(self, tenant: Tenant, incident: Incident) -> bool:
        """Tell whether the timeline is the one that the log's statements name."""
        known = timeline.heads(self.log(tenant, STATED), incident.id)
        return timeline.intact(incident.timeline, known)

    def draft(self, tenant: Tenant, shown: Assessed) -> dict[str, Any]:
        """Return the draft of the early warning as it stands, without recording that it was made."""
        due = next((clock.due_at for clock in shown.clocks if clock.id == "nis2.early_warning"), None)
        known = drafting.Known(
            shown.bound.now,
            due,
            self.is_demo(tenant),
            self.organisation.profile(tenant),
        )
        made = drafting.early_warning(shown.incident, catalog.load(), known)
        return document.to_json(made, partial(self.names, tenant))

    def _bound(self, tenant: Tenant) -> Bound:
        standing = self.organisation.standing(tenant)
        return Bound(standing, tuple(self.organisation.customers(tenant)), self.desk.clock.now())

    def _binding(self, bound: Bound) -> tuple[Threshold, ...]:
        return thresholds.binding(tuple(self.thresholds()), bound.standing.types, bound.standing.binds_2690)

    # Acts that a person signed

    def declare(
        self, caller: Person, envelope: Envelope, opening: Opening | None
    ) -> tuple[IncidentId, Acknowledgement]:
        """Open an incident that no detection has seen."""
        name = incident_id(envelope.statement.claims.get("incident"))
        act = reading.read(envelope.statement, opening, acts.OPENED, name)
        deciding.check_past(act.claims, ("detectedAt",), self.desk.clock.now())
        body = {"cause": "declared", "title": act.details["reason"][:200], "detected_at": act.claims["detectedAt"]}
        body |= {"node": act.claims["node"]} if "node" in act.claims else {}
        with self.desk.transaction():
            done = self.desk.recorder.admit(envelope, opening, by=caller)
            known = self.desk.rows.events(caller.tenant, name)
            if not known:
                self.desk.signed(caller, name, None, "opened", body, done)
            elif known[0].envelope != str(done.envelope):
                raise Conflict(f"an incident {name} exists already; declare it again, with another id")
        return name, self.publication.published(done.envelope)

    def act(
        self, caller: Person, name: IncidentId, predicate: PredicateName, envelope: Envelope, opening: Opening | None
    ) -> Acknowledgement:
        """Take a signed triage, correction, report, notice or closing; posting it twice takes it once."""
        act = reading.read(envelope.statement, opening, predicate, name)
        with self.desk.transaction():
            incident = self.desk.incident(caller.tenant, name)
            done = self.desk.recorder.admit(envelope, opening, by=caller)
            if not is_recorded(incident, done):
                self._check(caller.tenant, incident, act)
                self._take(caller, incident, act, done)
        return self.publication.published(done.envelope)

    def _check(self, tenant: Tenant, incident: Incident, act: Act) -> None:
        bound = self._bound(tenant)
        deciding.check_seen(incident, act)
        match act.predicate:
            case acts.TRIAGE:
                deciding.check_triage(incident, act, self._binding(bound), bound.customers, bound.now)
            case acts.REPORT:
                deciding.check_report(incident, act, catalog.load().regimes[clocks.NIS2], bound.now)
            case acts.NOTICE | acts.BREACH_NOTICE:
                deciding.check_notice(incident, act, bound.customers, bound.now)
            case acts.CLOSED:
                deciding.check_closing(incident, act, bound.now)
            case _:
                deciding.check_correction(incident, act, bound.now)

    def _take(self, caller: Person, incident: Incident, act: Act, done: Acknowledgement) -> None:
        body: dict[str, Any] = {"claims": dict(act.claims), "details": dict(act.details)}
        field = act.claims.get("field")
        if field == "merge":
            self._merge(caller, incident, body, done)
        elif field == "split":
            self._split(caller, incident, body, done)
        else:
            kind = _KINDS.get(act.predicate, "corrected")
            self.desk.signed(caller, incident.id, incident, kind, body, done)

    def _merge(self, caller: Person, incident: Incident, body: dict[str, Any], done: Acknowledgement) -> None:
        other = self.desk.incident(caller.tenant, incident_id(body["claims"]["other"]))
        if other.merged_into:
            raise Conflict(f"{other.id} was merged into {other.merged_into} already")
        self.desk.signed(caller, incident.id, incident, "merged", body | {"part": codec.part(other)}, done)
        say = partial(statements.noted, other.id, "merged", incident.id)
        self.desk.observed(caller.tenant, other.id, other, "absorbed", {"into": incident.id}, say)

    def _split(self, caller: Person, incident: Incident, body: dict[str, Any], done: Acknowledgement) -> None:
        named, name = body["claims"]["findings"], self.desk.new_id()
        gone = tuple(finding for finding in incident.findings if finding.id in named)
        nodes = {finding.subject for finding in gone}
        moved = replace(
            incident,
            findings=gone,
            facts=tuple(fact for fact in incident.facts if fact.node in nodes),
            detected_at=min(finding.detected_at for finding in gone),
        )
        at = to_text(moved.detected_at)
        opened = {
            "cause": "split",
            "title": gone[0].title or gone[0].rule,
            "detected_at": at,
            "part": codec.part(moved),
        }
        self.desk.signed(caller, incident.id, incident, "split", body | {"into": name}, done)
        say = partial(statements.split_off, name, incident.id, named, at)
        self.desk.observed(caller.tenant, name, None, "opened", opened, say)

    # Drafts

    def drafted(self, tenant: Tenant, name: IncidentId) -> tuple[dict[str, Any], Acknowledgement]:
        """Return the draft of the early warning, and record that it was made and what it lacks."""
        made = self.draft(tenant, self.room(tenant, name))
        with self.desk.transaction():
            stated = statements.drafted(name, made, self.desk.random(SALT_SIZE))
            done = self.desk.recorder.record(stated, tenant=tenant)
        return made, self.publication.published(done.envelope)


def _assessed(incident: Incident, bound: Bound, binding: tuple[Threshold, ...]) -> Assessed:
    return Assessed(
        incident,
        bound,
        clocks.run(incident, catalog.load(), bound),
        significance.assess(incident, binding, bound.now),
        significance.warnings(incident, binding, bound.now),
    )
