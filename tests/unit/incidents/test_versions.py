from dataclasses import replace
from datetime import timedelta

from ringfence.incidents import versions
from ringfence.incidents.model import Awareness
from ringfence.testing.incidents import SECURITY, event

T = event(1).at
H = timedelta(hours=1)


def signed(at):
    return replace(event(1), at=at, by=SECURITY.id)


def test_a_value_moves_forward_never_back():
    known: list[Awareness] = []
    versions.move(known, T, signed(T), "", "first")
    versions.move(known, T + H, signed(T + H), "", "later")
    assert [one.value for one in known] == [T]
    versions.move(known, T - H, signed(T + H), "", "earlier")
    assert [one.value for one in known] == [T, T - H]


def test_a_withdrawn_value_comes_back_as_it_was():
    known = [Awareness(T, T, SECURITY.id, "x")]
    versions.withdraw(known, signed(T + H), "", "no")
    versions.withdraw(known, signed(T + H), "", "no again")
    versions.move(known, T + 5 * H, signed(T + 5 * H), "", "yes after all")
    assert [one.value for one in known] == [T, None, T]
    assert versions.current(known).value == T


def test_customers_are_counted_apart():
    known = [Awareness(T, T, SECURITY.id, "x"), Awareness(T + H, T, SECURITY.id, "x", "cars")]
    assert versions.earliest(known) == T
    assert versions.earliest(known, "cars") == T + H
    assert versions.earliest(known, "hospital") is None
    moved = versions.corrected(tuple(known), T - H, signed(T + H), "typing error")
    assert [(one.value, one.customer) for one in moved[2:]] == [(T - H, "")]
