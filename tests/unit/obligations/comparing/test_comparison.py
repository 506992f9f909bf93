from dataclasses import replace

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import board, catalog
from ringfence.obligations.comparing.comparison import check_extent, comparison, moved
from ringfence.obligations.comparing.model import Other
from ringfence.obligations.comparing.outline import MAX_ENTRIES
from ringfence.obligations.difference import told
from ringfence.obligations.records import Records
from ringfence.obligations.results import State
from ringfence.testing.obligations import START, Story

RULES = catalog.load()
FEWER = replace(RULES, digest=Digest.of(b"fewer"), controls=RULES.controls[1:])


@pytest.fixture(scope="module")
def here():
    return board.compute(RULES, Records.of(Story().tenant, [], demo=False), START)


def test_rules_that_say_they_are_ours_and_are_not_are_refused(here):
    forged = Other.whole("edition", replace(FEWER, digest=RULES.digest))
    with pytest.raises(MalformedInput, match="its rules are other ones"):
        comparison(forged, told(RULES), here, None)


def test_a_version_beside_itself_differs_in_nothing(here):
    found = comparison(Other.whole("shipped", RULES), told(RULES), here, here)
    assert (bool(found.found), found.moved) == (False, ())


def test_what_only_one_side_has_is_told_from_here(here):
    there = replace(here, rules=FEWER.digest, controls=here.controls[1:])
    found = comparison(Other.whole("edition", FEWER), told(RULES), here, there)
    assert ([entry.id for entry in found.found.added], found.found.removed) == ([RULES.controls[0].id], ())
    (one,) = found.moved
    assert (one.control.id, one.there, one.here) == (RULES.controls[0].id, None, here.controls[0].verdict)


def test_a_control_that_the_rules_here_lack_is_told_too(here):
    (one,) = moved(here, replace(here, controls=here.controls[1:]))
    assert (one.here, one.there) == (None, here.controls[0].verdict)


def test_only_another_state_is_a_move(here):
    first = here.controls[0]
    said = replace(first, verdict=replace(first.verdict, because="said in other words"))
    assert moved(replace(here, controls=(said, *here.controls[1:])), here) == ()
    green = replace(first, verdict=replace(first.verdict, state=State.SATISFIED))
    assert [one.control.id for one in moved(replace(here, controls=(green, *here.controls[1:])), here)] == [
        first.control.id
    ]


def test_without_a_status_by_the_other_rules_nothing_is_said_of_states(here):
    found = comparison(Other("pack", told(FEWER)), told(RULES), here, None)
    assert (found.there, found.moved) == (None, ())


def test_rules_without_an_end_are_refused():
    check_extent(RULES)
    one = next(iter(RULES.requirements.values()))
    with pytest.raises(MalformedInput, match="at most"):
        check_extent(replace(RULES, requirements={str(n): one for n in range(MAX_ENTRIES + 1)}))
