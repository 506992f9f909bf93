"""How much of its time evidence has left, for the bar of a rule. Pure."""

from dataclasses import dataclass
from datetime import datetime

from ringfence.obligations.results import RequirementResult, State

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Bar:
    """From when to when the evidence of a rule counts, and how much of that is over, in hundredths."""

    since: datetime
    until: datetime
    gone: int


def bar(part: RequirementResult, at: datetime) -> Bar | None:
    """Return the bar of the evidence that runs out first; None where a rule does not hold, or nothing runs out."""
    freshness, until = part.requirement.freshness, part.verdict.next_change
    if part.verdict.state is not State.SATISFIED or freshness is None or until is None:
        return None
    since = until - freshness
    return Bar(since, until, max(0, min(WIDTH, round((at - since) / freshness * WIDTH))))
