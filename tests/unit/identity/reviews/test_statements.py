from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.identity.reviews.model import Decision, Item, Review, ReviewId
from ringfence.identity.reviews.statements import decided, parse_decision, reviewed
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId, Tenant

START = datetime(2026, 11, 22, tzinfo=UTC)
PEOPLE = [PersonId(f"person-{number:012x}") for number in range(4)]
REVIEW = Review(
    ReviewId("review-0123456789ab"),
    Tenant("main"),
    PEOPLE[0],
    START,
    START + timedelta(days=14),
    (
        Item(PEOPLE[0], "owner", Decision.CONFIRMED, PEOPLE[1], START),
        Item(PEOPLE[1], "security", Decision.REMOVED, PEOPLE[0], START),
        Item(PEOPLE[2], "auditor"),
        Item(PEOPLE[3], "engineer"),
        Item(PersonId("service-0123456789ab"), "security"),
    ),
)


def test_everything_is_counted_and_nobody_is_named():
    made = reviewed(REVIEW, [PEOPLE[3]], REVIEW.due_at)
    counts = {name: made.claims[name] for name in ("entries", "confirmed", "removed", "gone", "undecided", "services")}
    assert counts == {"entries": 5, "confirmed": 1, "removed": 1, "gone": 1, "undecided": 2, "services": 1}
    assert (made.claims["reviewers"], made.claims["late"]) == (2, False)
    assert "person-" not in str(made.claims)
    assert reviewed(REVIEW, [], REVIEW.due_at + timedelta(milliseconds=1)).claims["late"] is True


def test_a_decision_says_what_it_is_about():
    made = decided(REVIEW.id, PEOPLE[0], Decision.REMOVED)
    assert parse_decision(made) == (REVIEW.id, PEOPLE[0], Decision.REMOVED)


@pytest.mark.parametrize(
    "changes",
    [
        {"claims": {}},
        {"claims": {"review": "r", "subject": "s", "decision": "maybe"}},
        {"claims": {"review": "r", "subject": "s", "decision": "removed", "more": 1}},
        {"claims": {"review": REVIEW.id, "subject": PEOPLE[1], "decision": "removed"}},  # not what the subject says
        {"subjects": ()},
        {"predicate": "access.review"},
    ],
)
def test_other_statements_are_no_decisions(changes):
    with pytest.raises(MalformedInput):
        parse_decision(replace(decided(REVIEW.id, PEOPLE[0], Decision.REMOVED), **changes))
