"""What is stated of reviews. Pure."""

from collections.abc import Collection
from datetime import datetime

from ringfence.identity.reviews.model import Decision, Review
from ringfence.kernel import digest
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import Draft, Statement, Strength, Subject

DECIDED = PredicateName("access.review_decided")


def decided(review: str, subject: str, decision: Decision) -> Draft:
    """State a reviewer's decision; the reviewer's own key signs it."""
    claims = {"review": review, "subject": subject, "decision": decision.value}
    return Draft(DECIDED, (_entry(review, subject),), claims, Strength.DOCUMENTED)


def parse_decision(statement: Statement) -> tuple[str, str, Decision]:
    """Return review, subject and decision of a reviewer's statement, or raise `MalformedInput`."""
    match statement.claims:
        case {"review": str() as review, "subject": str() as subject, "decision": str() as text, **extra} if not extra:
            known = {decision.value: decision for decision in Decision}
            about = statement.subjects == (_entry(review, subject),)
            if text in known and about and statement.predicate == DECIDED:
                return review, subject, known[text]
    raise MalformedInput("a decision has the claims review, subject and decision, about its entry of the review")


def reviewed(review: Review, gone: Collection[PersonId], at: datetime) -> Draft:
    """State how a review ended: `gone` lost their access during it without a decision."""
    claims = {
        "review": review.id,
        "entries": len(review.items),
        "services": sum(item.subject.startswith("service-") for item in review.items),
        "confirmed": review.count(Decision.CONFIRMED),
        "removed": review.count(Decision.REMOVED),
        "gone": len(gone),
        "undecided": review.count(None) - len(gone),
        "reviewers": len({item.by for item in review.items if item.by is not None}),
        "startedAt": to_text(review.started_at),
        "dueAt": to_text(review.due_at),
        "late": at > review.due_at,
    }
    listed = [
        {"subject": item.subject, "role": item.role, "decision": item.decision or "none", "by": item.by or ""}
        for item in review.items
    ]
    subject = Subject(f"review/{review.id.removeprefix('review-')}", Digest.of(digest.dumps(claims)))
    return Draft(PredicateName("access.review"), (subject,), claims, Strength.OBSERVED, {"entries": listed})


def _entry(review: str, subject: str) -> Subject:
    return Subject(f"review/{review.removeprefix('review-')}", Digest.of(f"{review}\n{subject}".encode()))
