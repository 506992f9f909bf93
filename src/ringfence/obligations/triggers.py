"""What happened since: an event after which evidence has to be shown anew, whatever its age."""

from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.clock import to_text
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations import rule
from ringfence.obligations.model import Requirement, Trigger
from ringfence.obligations.records import Records, until
from ringfence.obligations.results import Reason, State, Verdict


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The event since which a statement has to be shown anew, and until when."""

    trigger: Trigger
    event: LoggedStatement

    @property
    def deadline(self) -> datetime:
        """Return when the older statement stops to count."""
        return self.event.recorded_at + self.trigger.within

    def verdict(self, kept: Verdict, at: datetime) -> Verdict:
        """Return what becomes of the verdict `kept` on the older statement."""
        why = f"{self.trigger.because} (entry {self.event.entry})"
        if at >= self.deadline:
            return Verdict(State.NOT_SATISFIED, f"{why}; it was due by {to_text(self.deadline)}", Reason.STALE)
        ahead = min(self.deadline, kept.next_change or self.deadline)
        return Verdict(State.PENDING, f"{why}; due by {to_text(self.deadline)}", next_change=ahead)


def overtaken(requirement: Requirement, found: LoggedStatement, records: Records, at: datetime) -> Overtaken | None:
    """Return the event after `found` whose deadline comes first; None where nothing happened since.

    The first event since counts, not the newest: what goes on happening must not put a deadline off for ever.
    """
    events = (_first(trigger, found, records, at) for trigger in requirement.triggers)
    return min((one for one in events if one is not None), key=lambda one: one.deadline, default=None)


def _first(trigger: Trigger, found: LoggedStatement, records: Records, at: datetime) -> Overtaken | None:
    run = records.trail(trigger.evidence).run
    first = None
    for index in range(until(run, at) - 1, -1, -1):
        if run[index].entry < found.entry:
            break
        claims = run[index].envelope.statement.claims
        if run[index].entry > found.entry and all(rule.holds(one, claims) for one in trigger.when):
            first = run[index]
    return Overtaken(trigger, first) if first else None
