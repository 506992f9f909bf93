"""What detections and containment bring to incidents, and what their clocks warn of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from ringfence.incidents import clocks, codec, room, statements
from ringfence.incidents.model import Fact, FactKind, FindingFacts, Incident, IncidentId
from ringfence.incidents.ports import Notifier
from ringfence.incidents.service import Assessed, Incidents
from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import Tenant


@dataclass(frozen=True, slots=True)
class Watch:
    """Open and extend incidents; a person decides what they are."""

    incidents: Incidents
    notifier: Notifier

    def consider(self, tenant: Tenant, finding: FindingFacts, facts: Sequence[Fact] = ()) -> IncidentId | None:
        """Open an incident, or extend the open one about the same node, by a finding and what was done about it.

        Idempotent: what is known already adds nothing. Returns None where the finding concerns no incident.
        """
        known = codec.finding(codec.plain(codec.bounded(finding)))  # milliseconds, as the row will have them
        with self.incidents.desk.transaction():
            incident = self._about(tenant, known)
            if incident is None and not room.concerns(known):
                return None
            if incident is None:
                incident = self._opened(tenant, known)
            elif room.is_news(incident, known):
                incident = self._extended(tenant, incident, known)
            listed = any(one.id == known.id for one in incident.findings)
            for fact in facts:
                if listed or fact.kind is FactKind.ISOLATED:
                    incident = self._with_fact(tenant, incident, fact)
        return incident.id

    def note(self, tenant: Tenant, fact: Fact) -> IncidentId | None:
        """Add what happened to a node to the newest incident about it that was open then; None where there is none."""
        with self.incidents.desk.transaction():
            for incident in self.incidents.desk.open_ones(tenant):
                if fact.node in incident.nodes and fact.at >= incident.detected_at:
                    return self._with_fact(tenant, incident, fact).id
        return None

    def sweep(self, tenant: Tenant) -> int:
        """Record and send what clocks and thresholds warn of, each once, also after a restart; return how many."""
        told: list[tuple[IncidentId, str]] = []
        with self.incidents.desk.transaction():
            for shown in self.incidents.assessed(tenant, self.incidents.desk.unfinished(tenant)):
                told += self._warned(tenant, shown)
        for name, text in told:
            self.notifier(tenant, name, text, self.incidents.desk.clock.now())
        return len(told)

    def _about(self, tenant: Tenant, finding: FindingFacts) -> Incident | None:
        unfinished = self.incidents.desk.open_ones(tenant)
        same = [one for one in unfinished if any(known.id == finding.id for known in one.findings)]
        near = [one for one in unfinished if finding.subject in one.nodes]
        if not finding.subject:
            near = [one for one in unfinished if any(known.place == finding.place for known in one.findings)]
        return next(iter(same + near), None)

    def _opened(self, tenant: Tenant, finding: FindingFacts) -> Incident:
        desk = self.incidents.desk
        name = desk.new_id()
        body = {
            "cause": "finding",
            "title": finding.title or finding.rule,
            "detected_at": to_text(finding.detected_at),
            "findings": [codec.plain(finding)],
        }
        return desk.observed(tenant, name, None, "opened", body, partial(statements.opened, name, finding))

    def _extended(self, tenant: Tenant, incident: Incident, finding: FindingFacts) -> Incident:
        say = partial(statements.extended, incident.id, finding)
        body = {"finding": codec.plain(finding)}
        return self.incidents.desk.observed(tenant, incident.id, incident, "extended", body, say)

    def _with_fact(self, tenant: Tenant, incident: Incident, fact: Fact) -> Incident:
        short = replace(fact, text=codec.clean(fact.text), evidence=fact.evidence[: codec.MAX_LISTED])
        known = codec.fact(codec.plain(short))
        if known in incident.facts:
            return incident
        say = partial(statements.extended, incident.id, known)
        body = {"fact": codec.plain(known)}
        return self.incidents.desk.observed(tenant, incident.id, incident, "extended", body, say)

    def _warned(self, tenant: Tenant, shown: Assessed) -> list[tuple[IncidentId, str]]:
        incident = shown.incident
        if incident.closing and not any(clock.running for clock in shown.clocks):
            self.incidents.desk.rows.settle(tenant, incident.id, finished=True)
        found = clocks.due_warnings(shown.clocks, shown.bound.now)
        found |= {f"threshold/{text.partition(':')[0]}": text for text in shown.warnings}
        new = {key: text for key, text in found.items() if key not in incident.warned}
        for key, text in new.items():
            say = partial(statements.noted, incident.id, "warning", key)
            body = {"warning": key, "text": text}
            incident = self.incidents.desk.observed(tenant, incident.id, incident, "warned", body, say)
        return [(incident.id, text) for text in new.values()]
