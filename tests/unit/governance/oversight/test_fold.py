from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.oversight import fold
from ringfence.governance.resolutions.model import Member
from ringfence.kernel.identifier import PersonId
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.testing.obligations import START, Story

ANNA, BERT = (PersonId(f"person-{n:012x}") for n in range(2))
YEAR = timedelta(days=365)
TRAINED = {"course": "management", "heldOn": "2026-11-20", "required": 2, "completed": 2, "joinersLate": 0}


@pytest.mark.parametrize(
    ("predicate", "claims", "says"),
    [
        ("status.report", {"receivedBy": "management-body", "open": 3, "controls": 109}, "3 of 109"),
        ("audit.report", {"reportedTo": "member-in-charge", "findings": 4}, "4 findings"),
        ("report.exported", {"asOf": "2026-11-21T09:00:00.000Z", "size": 40}, "a pack"),
        ("mgmt.resolution_opened", {"shown": ["open-risks"], "files": ["x"]}, "1 more paper"),
        ("mgmt.approval", {"outcome": "no-quorum", "inFavour": 1, "voted": 1, "members": 3}, "was no quorum"),
        ("training.record", TRAINED, "held on 2026-11-20"),
    ],
)  # fmt: skip
def test_what_management_was_told_is_in_the_log(predicate, claims, says):
    story = Story()
    story.add(predicate, claims, role=KeyRole.CONTROL_PLANE if predicate == "mgmt.approval" else KeyRole.OPERATOR)
    (line,) = fold.shown(story.statements)
    assert says in line.what
    assert (line.entry, line.at) == (0, story.statements[0].recorded_at)


def test_what_nobody_in_management_got_is_not():
    story = Story()
    story.add("status.report", {"receivedBy": "nobody"})
    story.add("audit.report", {"reportedTo": "nobody"})
    story.add("training.record", TRAINED | {"course": "awareness"})
    story.add("dataset.sealed", {})
    story.add("status.report", {"receivedBy": "management-body"}, standing=Standing.REVOKED)
    assert fold.shown(story.statements) == []


@pytest.mark.parametrize(
    ("predicate", "claims", "role"),
    [
        ("status.report", {"receivedBy": "management-body"}, KeyRole.CONTROL_PLANE),
        ("report.exported", {}, KeyRole.CONTROL_PLANE),
        ("mgmt.resolution_opened", {}, KeyRole.CONTROL_PLANE),
        ("training.record", TRAINED, KeyRole.CONTROL_PLANE),
        ("mgmt.approval", {"outcome": "approved"}, KeyRole.OPERATOR),
    ],
)
def test_what_another_role_states_was_not_told(predicate, claims, role):
    """A service says that votes were counted, and nothing else of this; a person counts none."""
    story = Story()
    story.add(predicate, claims, role=role)
    assert fold.shown(story.statements) == []
    assert fold.courses(story.statements, YEAR) == []


def test_the_newest_comes_first():
    story = Story()
    for open_controls in (3, 2):
        story.add("status.report", {"receivedBy": "management-body", "open": open_controls})
    assert [one.entry for one in fold.shown(story.statements)] == [1, 0]


def test_the_newest_session_of_each_course_counts_until_it_runs_out():
    story = Story()
    story.add("training.record", TRAINED | {"course": "awareness", "required": 9})
    story.add("training.record", TRAINED | {"completed": 1})
    story.add("training.record", TRAINED)
    story.add("training.record", TRAINED | {"required": 99}, standing=Standing.UNKNOWN)
    awareness, management = fold.courses(story.statements, YEAR)
    assert (awareness.required, awareness.complete) == (9, False)
    assert (management.complete, management.due) == (True, story.statements[2].recorded_at + YEAR)
    assert fold.courses(story.statements, None)[0].due is None
    assert not replace(management, required=0, completed=0).complete


def test_a_member_is_due_a_year_after_the_session_or_ninety_days_after_joining():
    story = Story()
    story.add("training.record", TRAINED)
    held = fold.courses(story.statements, YEAR)
    body = {
        ANNA: Member(ANNA, "Anna", START - timedelta(days=400)),
        BERT: Member(BERT, "Bert", START + timedelta(days=1)),
    }
    anna, bert = fold.trained(body, held)
    assert (anna.recorded, anna.due) == (True, held[0].due)
    assert (bert.recorded, bert.due) == (False, START + timedelta(days=91))
    assert [fold.overdue(bert, bert.due), fold.overdue(bert, START)] == [True, False]
    (nobody,) = fold.trained({ANNA: body[ANNA]}, [])
    assert (nobody.session, nobody.due) == (None, START - timedelta(days=310))


def test_claims_that_are_no_numbers_count_as_none():
    story = Story()
    story.add("training.record", {"course": "management", "required": "many", "completed": True})
    (course,) = fold.courses(story.statements, YEAR)
    assert (course.required, course.completed, course.complete) == (0, 0, False)
