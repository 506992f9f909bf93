"""The check for recurring incidents: which have one apparent cause, and whether somebody decided about them together.

Article 4 of Implementing Regulation (EU) 2024/2690 counts at least two occurrences within six months with the same
apparent root cause. What a machine can see of a cause is the rule by which each was found; whether it is one cause,
a person decides: with a signed triage that says how many occurrences it took into account.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.incidents.desk import Desk
from ringfence.incidents.model import Incident
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject

CHECK = PredicateName("incident.recurrence_check")
WINDOW = timedelta(days=184)  # the longest six months
LEAST = 2
READ = 10_000
OCCURRENCES = "occurrences"  # as a triage states it


@dataclass(frozen=True, slots=True)
class Group:
    """Incidents of the window that were found by one rule."""

    rule: str
    incidents: tuple[Incident, ...]

    @property
    def decided(self) -> bool:
        """Tell whether a decision since the newest of them took as many occurrences into account."""
        newest = max(one.opened_at for one in self.incidents)
        triages = [one.triage for one in self.incidents if one.triage is not None]
        counted = [each.measured.get(OCCURRENCES, 0) for each in triages if each.decided_at >= newest]
        return max(counted, default=0) >= len(self.incidents)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The collector of `incident.recurrence_check`."""

    desk: Desk

    def __call__(self, tenant: Tenant) -> Draft:
        """Look at the incidents of the last six months."""
        with self.desk.transaction():
            return draft(tenant, self.desk.newest(tenant, READ), self.desk.clock.now())


def within(known: Iterable[Incident], now: datetime) -> list[Incident]:
    """Return the incidents of the window; merged ones are those into which they were merged."""
    return [one for one in known if not one.merged_into and one.detected_at > now - WINDOW]


def groups(incidents: Iterable[Incident]) -> list[Group]:
    """Return the incidents that were found by the same rule, where there are two or more."""
    found: dict[str, list[Incident]] = {}
    for incident in incidents:
        for rule in sorted({finding.rule for finding in incident.findings}):
            found.setdefault(rule, []).append(incident)
    return [Group(rule, tuple(same)) for rule, same in sorted(found.items()) if len(same) >= LEAST]


def draft(tenant: Tenant, known: Sequence[Incident], now: datetime) -> Draft:
    """State what the check found."""
    counted = within(known, now)
    same = groups(counted)
    claims = {
        "windowDays": WINDOW.days,
        "incidents": len(counted),
        "groups": len(same),
        "undecided": sum(not group.decided for group in same),
    }
    ends = sorted([one.id, one.head.hex] for one in counted)
    listed = [{"rule": one.rule, "incidents": [each.id for each in one.incidents]} for one in same[:200]]
    subject = Subject(f"recurrence/{tenant}", Digest.of(dumps(ends)))
    return Draft(CHECK, (subject,), claims, Strength.OBSERVED, details={"groups": listed})
