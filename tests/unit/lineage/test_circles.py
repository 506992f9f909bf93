"""Circles by example; tests/property/test_lineage.py holds them against a plain search."""

from ringfence.kernel.clock import from_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.lineage.circles import circles
from ringfence.lineage.model import Basis, Kind, Link, Ref, Relation

BASIS = Basis(0, Digest.of(b""), PredicateName("run.manifest"), "observed", from_millis(0))


def ref(number):
    return Ref(Kind.MODEL, Digest(number.to_bytes(32, "big")))


def found(*pairs, among=range(9)):
    links = [Link(ref(a), ref(b), Relation.BASE, BASIS) for a, b in pairs]
    return [
        [int.from_bytes(one.digest.value, "big") for one in group] for group in circles(list(map(ref, among)), links)
    ]


def test_a_line_and_a_diamond_have_none():
    assert found((0, 1), (1, 2)) == []
    assert found((0, 1), (0, 2), (1, 3), (2, 3)) == []


def test_circles_are_grouped_and_sorted():
    assert found((5, 4), (4, 5), (1, 2), (2, 3), (3, 1), (3, 4)) == [[1, 2, 3], [4, 5]]


def test_a_thing_that_leads_to_itself_is_one():
    assert found((7, 7)) == [[7]]


def test_links_to_things_that_are_not_looked_at_are_left_out():
    assert found((0, 1), (1, 0), among=[0]) == []


def test_a_long_line_needs_no_deep_stack():
    assert found(*((n, n + 1) for n in range(5000)), (5000, 0), among=range(5001)) == [list(range(5001))]
