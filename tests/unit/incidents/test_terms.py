from datetime import UTC, datetime, timedelta

import pytest

from ringfence.incidents.terms import PROPOSAL, Customer, Period, Unit

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
CHANGED = Customer("x", 48, agreed=True, held=((NOW, 6, True, "c"), (NOW + DAY, 48, True, "c")))


def test_a_period_reads_as_people_say_it():
    assert str(Period(24, Unit.HOURS)) == "24 hours"


def test_hours_that_nobody_agreed_are_marked_as_such():
    assert Customer("x") == Customer("x", 12, agreed=False)


@pytest.mark.parametrize(("at", "hours"), [(NOW - DAY, 6), (NOW, 6), (NOW + DAY, 48), (NOW + 9 * DAY, 48)])
def test_the_hours_are_those_that_held_at_the_moment(at, hours):
    assert CHANGED.at(at) == (hours, True, "c")


def test_who_has_no_history_has_the_hours_of_now():
    assert Customer("x", 5).at(NOW) == (5, False, PROPOSAL)


ONE = frozenset({"n-00000001"})


@pytest.mark.parametrize(
    ("customer", "nodes", "touched"),
    [
        (Customer("x"), ONE, None),
        (Customer("x", nodes=ONE), ONE, True),
        (Customer("x", nodes=ONE), {"n-00000002"}, None),  # something else of theirs may run there
        (Customer("x", nodes=ONE, only_nodes=True), {"n-00000002"}, False),
        (Customer("x", nodes=ONE, only_nodes=True), {"k-0123456789ab"}, None),  # a key: on which node, nobody knows
        (Customer("x", nodes=ONE, only_nodes=True), (), None),
    ],
)
def test_who_is_touched_is_known_only_where_it_is(customer, nodes, touched):
    assert customer.touched(nodes) is touched
    assert customer.named(nodes) is (touched is not False)


def test_a_former_customer_is_named_by_nobody_but_a_person():
    assert not Customer("x", nodes=ONE, former=True).named(ONE)
