import pytest

from ringfence.obligations import catalog, rule
from ringfence.obligations.model import Condition, Op
from ringfence.testing.obligations import breaking, meeting

EVERY = [(r, c) for r in catalog.load().requirements.values() for c in r.conditions]
VALUES = {
    Op.EQUALS: 3,
    Op.ONE_OF: ("a", "b"),
    Op.AT_LEAST: 3,
    Op.AT_MOST: 3,
    Op.PRESENT: None,
    Op.TRUE: None,
    Op.INCLUDES: ("a", "b"),
    Op.SAME_AS: "y",
}


def condition(op, value=None, path="x"):
    return Condition(path, op, "it is not so", VALUES[op] if value is None else value)


@pytest.mark.parametrize("requirement", catalog.load().requirements.values(), ids=lambda r: r.id)
def test_a_record_made_from_a_rule_meets_it(requirement):
    assert rule.broken(requirement.conditions, meeting(requirement)) is None


@pytest.mark.parametrize(("requirement", "one"), EVERY, ids=lambda x: getattr(x, "id", getattr(x, "path", "")))
def test_every_condition_of_the_data_can_fail_and_says_so(requirement, one):
    wrong = breaking(one, meeting(requirement))
    assert len(wrong) >= 3
    for claims in wrong:
        assert not rule.holds(one, claims), claims
        assert rule.broken(requirement.conditions, claims)


@pytest.mark.parametrize(
    ("op", "value", "holds"),
    [
        (Op.EQUALS, 3, True),
        (Op.EQUALS, True, False),
        (Op.EQUALS, "3", False),
        (Op.ONE_OF, "b", True),
        (Op.ONE_OF, "c", False),
        (Op.AT_LEAST, 3, True),
        (Op.AT_LEAST, 2, False),
        (Op.AT_LEAST, True, False),
        (Op.AT_MOST, 3, True),
        (Op.AT_MOST, 4, False),
        (Op.PRESENT, 0, True),
        (Op.PRESENT, False, True),
        (Op.PRESENT, "", False),
        (Op.PRESENT, [], False),
        (Op.TRUE, True, True),
        (Op.TRUE, 1, False),
        (Op.INCLUDES, ["b", "a", "c"], True),
        (Op.INCLUDES, ["a"], False),
        (Op.INCLUDES, "ab", False),
        (Op.SAME_AS, 9, True),
        (Op.SAME_AS, 8, False),
    ],
)
def test_operators(op, value, holds):
    assert rule.holds(condition(op), {"x": value, "y": 9}) is holds


def test_a_claim_that_changes_its_type_does_not_slip_through():
    assert not rule.holds(Condition("x", Op.EQUALS, "no", 0), {"x": False})
    assert not rule.holds(Condition("x", Op.EQUALS, "no", 1), {"x": True})
    assert not rule.holds(condition(Op.SAME_AS), {"x": 1, "y": True})


@pytest.mark.parametrize("op", Op)
def test_an_absent_claim_meets_nothing(op):
    assert not rule.holds(condition(op), {"y": 9})


def test_same_as_a_claim_that_is_absent_fails():
    assert not rule.holds(condition(Op.SAME_AS), {"x": 9})


def test_paths_lead_into_mappings_and_nowhere_else():
    assert rule.claim({"a": {"b": 1}}, "a.b") == 1
    assert rule.claim({"a": [1]}, "a.0") is rule.ABSENT
    assert rule.claim({"a": 1}, "a.b") is rule.ABSENT


def test_an_empty_list_is_a_value_that_can_be_asked_for():
    nothing = condition(Op.EQUALS, ())
    assert rule.holds(nothing, {"x": []})
    assert not rule.holds(nothing, {"x": ["size"]})
    assert rule.broken((nothing,), {"x": ["size"]}) == "it is not so (x is ['size'], asked: equals empty)"


def test_the_sentence_names_what_was_found_and_what_was_asked():
    assert rule.broken((condition(Op.AT_MOST),), {"x": 5}) == "it is not so (x is 5, asked: at most 3)"
    assert rule.broken((condition(Op.PRESENT),), {}) == "it is not so (x is absent, asked: present)"
