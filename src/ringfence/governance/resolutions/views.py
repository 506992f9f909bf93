"""What front ends show of a resolution."""

from datetime import datetime
from typing import Any

from ringfence.governance.resolutions.model import NOT_QUALIFIED, Resolution, Told
from ringfence.kernel import voting
from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import PersonId


def shown(one: Resolution, told: Told | None = None) -> dict[str, Any]:
    """Return a resolution; `told` is what its side records hold."""
    terms, counted, words = one.terms, voting.tally(one.votes), told or Told()
    return {
        "resolution": one.id,
        "about": terms.about,
        "title": words.title,
        "text": words.text,
        "opening": str(one.opening),
        "opened_by": one.opened_by,
        "opened_at": to_text(one.opened_at),
        "ends_at": to_text(terms.ends_at),
        "members": sorted(terms.rule.members),
        "eligible": terms.eligible,
        "quorum": terms.rule.quorum,
        "agreements_needed": terms.rule.agreements,
        "voted": counted.voted,
        "in_favour": counted.agreed,
        "against": counted.against,
        "abstained": counted.abstained,
        "measure_set": str(terms.measures),
        "shown": list(terms.shown),
        "files": [dict(file) for file in words.files] or [{"digest": str(one)} for one in terms.files],
        "records": [str(record) for record in terms.records],
        "head": {"size": terms.head.size, "root": terms.head.root},
        "tasks_overdue": terms.tasks_overdue,
        "votes": [_vote(ballot, words) for _, ballot in sorted(one.votes.items())],
        "closed_at": to_text(one.closing.at) if one.closing else None,
        "outcome": one.closing.outcome.value if one.closing else None,
        "approval": str(one.closing.approval) if one.closing else None,
        "note": NOT_QUALIFIED,
    }


def _vote(ballot: voting.Ballot, told: Told) -> dict[str, Any]:
    return {
        "member": ballot.person,
        "choice": ballot.choice.value,
        "sentence": told.sentences.get(ballot.person, ""),
        "envelope": str(ballot.envelope),
    }


def needs(one: Resolution) -> str:
    """Say in words what it takes, and what there is."""
    counted, rule = voting.tally(one.votes), one.terms.rule
    return (
        f"{counted.voted} of {len(rule.members)} voted, {rule.quorum} must; "
        f"{counted.agreed} agree, {rule.agreements} must"
    )


def state(one: Resolution, now: datetime) -> tuple[str, str]:
    """Return the mark and the word of where it stands."""
    if one.closing:
        marks = {voting.Outcome.APPROVED: "satisfied", voting.Outcome.REJECTED: "not-applicable"}
        return marks.get(one.closing.outcome, "not-satisfied"), one.closing.outcome.value.replace("-", " ")
    return ("pending", "open") if one.open(now) else ("not-satisfied", "past its date")


def choice_of(one: Resolution, person: PersonId) -> str:
    """Return how somebody voted, or nothing."""
    return one.votes[person].choice.value if person in one.votes else ""
