"""What people decide covers what they looked at and no more; the files hold nothing of any item."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks import decisions
from ringfence.artifacts.checks.columns import Roles
from ringfence.artifacts.checks.decisions import Choice, Decision, Decisions, Flag, settle
from ringfence.artifacts.checks.model import Row
from ringfence.artifacts.checks.screen import Kind
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, UsageError

SALT = bytes(range(32))
A, B, C = (Digest.of(name) for name in (b"a", b"b", b"c"))
KINDS = st.frozensets(st.sampled_from(Kind), min_size=1)
LINES = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=20).map(str.strip)


def flagged(item, *kinds, row=1):
    return Flag(item, frozenset(kinds), "a.csv", row)


def decided(item, choice, *kinds):
    return Decision(item, frozenset(kinds), choice, "ada", "she knows it")


def of(*made):
    return Decisions(SALT, {one.item: one for one in made})


def test_an_item_is_named_by_its_content_under_the_salt_and_not_by_its_place_or_number():
    roles = Roles(identifiers=frozenset({"id"}))
    row = Row("a.csv", 1, "", {"id": 1, "x": "secret", "y": 2.5, "z": None})
    same = Row("b.csv", 9, "train", {"z": None, "y": 2.5, "id": 7, "x": "secret"})
    assert decisions.item_of(row, roles, SALT) == decisions.item_of(same, roles, SALT)
    assert decisions.item_of(row, roles, SALT) != decisions.item_of(row, roles, bytes(32))
    other = row._replace(cells={**row.cells, "y": "2.5"})
    assert decisions.item_of(row, roles, SALT) != decisions.item_of(other, roles, SALT)


def test_what_was_cleared_is_cleared_for_the_screens_that_were_looked_at_only():
    told = of(decided(A, Choice.CLEARED, Kind.DUPLICATE))
    found = settle([flagged(A, Kind.DUPLICATE), flagged(A, Kind.DUPLICATE, Kind.TRIGGER)], told, [A])
    assert found.cleared == (flagged(A, Kind.DUPLICATE),)
    assert found.undecided == (flagged(A, Kind.DUPLICATE, Kind.TRIGGER),)


def test_what_nobody_decided_is_undecided():
    told = of(Decision(A, frozenset({Kind.OUTLIER})))
    found = settle([flagged(A, Kind.OUTLIER), flagged(B, Kind.OUTLIER)], told, [A])
    assert len(found.undecided) == 2


def test_taken_out_means_that_it_is_there_no_more():
    told = of(decided(A, Choice.TAKEN_OUT, Kind.OUTLIER), decided(B, Choice.TAKEN_OUT, Kind.OUTLIER))
    found = settle([flagged(A, Kind.OUTLIER)], told, [])
    assert found.undecided == (flagged(A, Kind.OUTLIER),)
    assert found.taken_out == (told.by_item[B],)
    assert found.still_there == 1
    assert settle([], told, [B]).taken_out == (told.by_item[A],)


def test_the_file_to_decide_in_holds_what_is_flagged_and_what_was_decided():
    told = of(
        decided(A, Choice.CLEARED, Kind.DUPLICATE),
        decided(B, Choice.TAKEN_OUT, Kind.OUTLIER),
        decided(C, Choice.CLEARED, Kind.OUTLIER),
    )
    flags = [flagged(A, Kind.TRIGGER), flagged(C, Kind.OUTLIER, row=3), flagged(B, Kind.OUTLIER)]
    printed = decisions.printed(flags, told)
    again = decisions.parse(printed, "decisions.json")
    assert again.salt == SALT
    assert {item: one.choice for item, one in again.by_item.items()} == {
        A: Choice.OPEN,
        B: Choice.TAKEN_OUT,
        C: Choice.CLEARED,
    }
    assert again.by_item[A].screens == {Kind.TRIGGER}
    assert {(one["file"], one["row"]) for one in json.loads(printed)["items"]} == {("a.csv", 1), ("a.csv", 3)}


@given(st.dictionaries(st.binary(min_size=32, max_size=32), st.tuples(KINDS, st.sampled_from(Choice), LINES, LINES)))
def test_what_is_printed_is_read_back(made):
    told = of(
        *(
            Decision(Digest(key), kinds, choice, person or "x", reason or "y")
            for key, (kinds, choice, person, reason) in made.items()
        )
    )
    kept = {item: one for item, one in told.by_item.items() if one.choice is not Choice.OPEN}
    assert decisions.parse(decisions.printed([], told), "d") == Decisions(SALT, kept)


def document(**changes):
    item = {"item": str(A), "screens": ["trigger"], "decision": "cleared", "person": "ada", "reason": "fine"}
    return {"format": decisions.FORMAT, "salt": SALT.hex(), "items": [item | changes]}


WRONG = [
    document(decision="kept"), document(decision=["cleared"]), document(person=""), document(reason=" "),
    document(screens=[]), document(screens=["odd"]), document(screens="trigger"), document(item="a"), document(more=1),
    document(person="a\nb"), document(person=1), document() | {"salt": "00"}, document() | {"salt": "zz" * 32},
    document() | {"format": "other"}, document() | {"more": 1}, document() | {"items": {}}, [], {},
    document() | {"items": document()["items"] * 2}, document() | {"items": [1]},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_file_that_is_not_understood_is_refused(wrong):
    with pytest.raises(MalformedInput):
        decisions.parse(json.dumps(wrong).encode(), "d.json")


def test_decisions_of_other_data_are_refused():
    decisions.check_share(5, 5)
    with pytest.raises(UsageError, match="other data"):
        decisions.check_share(6, 5)
