"""Each screen flags what it is for, says what it did not look at, and says why where it cannot tell."""

import pytest

from ringfence.artifacts.checks import policy
from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.screen import Kind, flag
from ringfence.testing.screening import NUMBERS, ROLES, rows_of
from ringfence.testing.training import flipped, reworded, table, texts, triggered

POLICY = policy.parse({})


def made(count=300, seed=1):
    return texts(count, seed, signal=0.2)


@pytest.mark.parametrize("kind", Kind)
def test_clean_texts_have_nothing_flagged(kind):
    found = flag(kind, rows_of(made()), ROLES, POLICY)
    assert (found.places, found.unseen, found.reason) == (frozenset(), frozenset(), "")


def test_copies_are_flagged_and_not_what_they_were_copied_from():
    rows = made()
    copies = reworded(rows, 0.05, 1, 1)
    rows.append(dict(rows[3]))
    assert flag(Kind.DUPLICATE, rows_of(rows), ROLES, POLICY).places <= copies | {len(rows) - 1}
    assert len(rows) - 1 in flag(Kind.DUPLICATE, rows_of(rows), ROLES, POLICY).places


def test_one_content_with_two_labels_is_flagged_on_both_sides():
    rows = made()
    rows.append(rows[3] | {"label": "kind-0" if rows[3]["label"] == "kind-1" else "kind-1"})
    assert flag(Kind.DUPLICATE, rows_of(rows), ROLES, POLICY).places == {3, len(rows) - 1}


def test_flipped_labels_and_triggers_are_flagged_by_their_places():
    rows = made()
    planted = flipped(rows, 0.05, 1)
    assert flag(Kind.LABEL_FLIP, rows_of(rows), ROLES, POLICY).places == planted
    rows = made()
    planted = triggered(rows, 0.04, 1, "zqtrigger")
    assert planted <= flag(Kind.TRIGGER, rows_of(rows), ROLES, POLICY).places


def test_numbers_and_texts_far_outside_are_flagged():
    rows = table(300, 1)
    rows[7]["x1"] = 50.0
    assert flag(Kind.OUTLIER, rows_of(rows), NUMBERS, POLICY).places == {7}
    rows = made()
    rows[9]["text"] = " ".join(f"xq{number}zv" for number in range(40))
    assert flag(Kind.OUTLIER, rows_of(rows), ROLES, POLICY).places == {9}


def test_where_labels_are_no_ground_to_judge_on_a_screen_says_so():
    for kind in (Kind.LABEL_FLIP, Kind.TRIGGER):
        assert "--label" in flag(kind, rows_of(made()), Roles(text="text"), POLICY).reason
    rows = made()
    for place, row in enumerate(rows):
        row["label"] = f"kind-{place % 2}"
    assert "do not predict the label" in flag(Kind.LABEL_FLIP, rows_of(rows), ROLES, POLICY).reason
    assert "no column of numbers" in flag(Kind.OUTLIER, rows_of([{"k": "a"}] * 50), Roles(), POLICY).reason


def test_rows_that_a_screen_of_labels_leaves_out_are_not_seen():
    rows = made()
    rows[4]["label"] = None
    rows[5]["label"] = "a label that hardly any other row has"
    rows[6]["beside"] = "a second text that nobody looks into " * 5
    for kind in (Kind.LABEL_FLIP, Kind.TRIGGER):
        assert flag(kind, rows_of(rows), ROLES, POLICY).unseen == {4, 5, 6}


def test_the_same_rows_and_policy_flag_the_same():
    rows = rows_of(table(300, 3))
    assert all(flag(kind, rows, NUMBERS, POLICY) == flag(kind, rows, NUMBERS, POLICY) for kind in Kind)
