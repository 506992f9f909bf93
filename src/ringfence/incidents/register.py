"""The register of incidents: what the control plane observes of all of them at one time, for the controls to read.

It says of which incidents signed decisions, filed reports, notices and reviews are asked, and counts what is overdue;
whether a deadline passed without a report is something that no report can say.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.incidents import clocks, contracts
from ringfence.incidents.model import Clock, ClockState, Incident, IncidentId
from ringfence.incidents.service import Assessed, Incidents
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject

REGISTER = PredicateName("incident.register")
WINDOW = timedelta(days=365)  # how long a finished incident, and a late report, stays in the register
REVIEW = timedelta(days=30)  # how long after its closing an incident may wait for its review: a project default
LISTED = 4000  # incidents per list; a statement is bounded
READ = 10_000
Due = Sequence[tuple[Incident, list[Clock]]]


@dataclass(frozen=True, slots=True)
class Register:
    """The collector of `incident.register`."""

    incidents: Incidents

    def record(self, tenant: Tenant) -> Acknowledgement:
        """State what the timelines and clocks of a tenant show now."""
        desk = self.incidents.desk
        with desk.transaction():
            now = desk.clock.now()
            known = {one.id: one for one in (*desk.newest(tenant, READ), *desk.unfinished(tenant))}
            shown = self.incidents.assessed(tenant, [one for one in known.values() if counts(one, now)])
            return desk.recorder.record(draft(tenant, shown, tuple(known.values()), now), tenant=tenant)


def counts(incident: Incident, now: datetime) -> bool:
    """Tell whether an incident stands in the register: merged ones stand there as what they were merged into."""
    return not incident.merged_into and (incident.closing is None or incident.detected_at > now - WINDOW)


def draft(tenant: Tenant, shown: Sequence[Assessed], known: Sequence[Incident], now: datetime) -> Draft:
    """State the register: `shown` are the incidents that count, `known` all whose timelines were read."""
    signed = holders(known)
    decided = [one.incident for one in shown if one.incident.triage and one.incident.untriaged_since is None]
    waiting = [one for one in shown if one.incident.untriaged_since is not None]
    overdue = [one for one in waiting if any(clock.late_by for clock in one.clocks if clock.id == clocks.TRIAGE)]
    reports, notices = (_due(shown, regime) for regime in (clocks.NIS2, contracts.REGIME))
    asked = [one.incident.id for one in overdue] + [_decided_under(one, signed) for one in decided]
    lists = {
        "decisions": asked,
        "significant": [_decided_under(one, signed) for one in decided if one.significant],
        "reports": [name for one, due in reports for name in _filed_under(one, due, signed)],
        "notices": [name for one, due in _of_incidents(notices) for name in _filed_under(one, due, signed)],
        "reviews": [one.id for one in known if _wants_review(one, now)],
    }
    claims = {
        "incidents": len(shown),
        "open": sum(one.incident.closing is None for one in shown),
        "undecided": len(waiting),
        "undecidedOverdue": len(overdue),
        "reportsInTime": _count(reports, lambda clock: clock.state is ClockState.MET),
        "reportsLate": _count(reports, lambda clock: _is_late(clock, now)),
        "reportsOverdue": _count(reports, lambda clock: clock.state is ClockState.LATE),
        "noticesLate": _count(notices, lambda clock: _is_late(clock, now)),
        "noticesOverdue": _count(notices, lambda clock: clock.state is ClockState.LATE),
        "omitted": max(bounded(names)[1] for names in lists.values()),
        **{name: bounded(names)[0] for name, names in lists.items()},
    }
    ends = sorted([one.incident.id, one.incident.head.hex] for one in shown)
    return Draft(REGISTER, (Subject(f"incidents/{tenant}", Digest.of(dumps(ends))),), claims, Strength.OBSERVED)


def holders(known: Iterable[Incident]) -> dict[str, IncidentId]:
    """Return, by digest of its statement, the incident under whose name each decision, report and notice was signed.

    After a merger or a split they stand for an incident that their statement does not name.
    """
    kinds = {"triaged", "reported", "noticed"}
    return {entry.envelope: one.id for one in known for entry in one.timeline if entry.kind in kinds}


def _decided_under(incident: Incident, signed: dict[str, IncidentId]) -> IncidentId:
    return signed.get(incident.triage.envelope, incident.id) if incident.triage else incident.id


def _filed_under(incident: Incident, due: list[Clock], signed: dict[str, IncidentId]) -> list[IncidentId]:
    stages = {clock.id.partition("/")[0] for clock in due}  # a notice's clock is named after its customer too
    return [signed.get(one.envelope, incident.id) for one in incident.filed if one.stage in stages] or [incident.id]


def _due(shown: Iterable[Assessed], regime: str) -> Due:
    """Return the stages of a regime with a deadline that were filed, or should have been, with their incidents."""
    found = ((one.incident, [clock for clock in one.clocks if _is_due(clock, regime)]) for one in shown)
    return [(incident, due) for incident, due in found if due]


def _of_incidents(due: Due) -> Due:
    """Leave the clocks of breaches out: their notices are counted, and are no notices of the incident itself."""
    found = ((one, [clock for clock in of_one if not clock.id.startswith(contracts.BREACH)]) for one, of_one in due)
    return [(one, of_one) for one, of_one in found if of_one]


def _count(due: Due, test: Callable[[Clock], bool]) -> int:
    return sum(test(clock) for _, of_one in due for clock in of_one)


def _is_due(clock: Clock, regime: str) -> bool:
    done = {ClockState.MET, ClockState.MET_LATE, ClockState.LATE}
    return clock.regime == regime and clock.due_at is not None and clock.state in done


def _wants_review(incident: Incident, now: datetime) -> bool:
    """Tell whether a significant incident was closed for longer than a review may take, in the last year."""
    closed = incident.closing.since if incident.closing and not incident.merged_into else None
    return bool(incident.significant) and closed is not None and REVIEW <= now - closed < WINDOW


def _is_late(clock: Clock, now: datetime) -> bool:
    return clock.state is ClockState.MET_LATE and clock.met_at is not None and clock.met_at > now - WINDOW


def bounded(names: Iterable[IncidentId]) -> tuple[list[IncidentId], int]:
    """Return the names in order, each once, and how many more there are than a register lists."""
    found = sorted(set(names))
    return found[:LISTED], max(0, len(found) - LISTED)
