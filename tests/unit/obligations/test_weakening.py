from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import catalog
from ringfence.obligations.difference import difference
from ringfence.obligations.model import Condition, Op
from ringfence.obligations.weakening import ordered, weakened

CATALOG = catalog.load()
DAY = timedelta(days=1)
RULE = CATALOG.requirements["bcm-04.failover"]  # of 92 days
EVENT = CATALOG.requirements["mod-01.signed"]
DRAWN = next(rule for rule in CATALOG.requirements.values() if rule.for_each)
TAKEN = next(rule for rule in CATALOG.requirements.values() if rule.contradicted_by)
TRIGGERED = next(rule for rule in CATALOG.requirements.values() if rule.triggers)
PATH = "some.claim"


def changed(rule, **fields):
    new = {**CATALOG.requirements, rule.id: replace(rule, **fields)}
    return difference(CATALOG, replace(CATALOG, digest=Digest.of(b"other"), requirements=new))


def condition(op, value=None):
    return (Condition(PATH, op, "why", value),)


@pytest.mark.parametrize(
    ("rule", "looser", "stricter"),
    [
        (RULE, {"freshness": 93 * DAY}, {"freshness": 91 * DAY}),
        (RULE, {"freshness": None}, {"freshness": timedelta(hours=5)}),
        (EVENT, None, {"freshness": DAY}),
        (EVENT, {"strength": Strength.DECLARED}, {"strength": Strength.ATTESTED}),
        (EVENT, {"issuers": frozenset({KeyRole.OPERATOR, KeyRole.GATEWAY})}, {"issuers": frozenset()}),
        (RULE, {"grace": timedelta(hours=5)}, None),
        (DRAWN, {"for_each": None}, None),
        (TAKEN, {"contradicted_by": None}, None),
        (TRIGGERED, {"triggers": ()}, {"triggers": (*TRIGGERED.triggers, *TRIGGERED.triggers)}),
        (RULE, {"conditions": RULE.conditions[1:]}, {"conditions": (*RULE.conditions, *condition(Op.TRUE))}),
    ],
)
def test_less_is_told_from_more(rule, looser, stricter):
    if looser is not None:
        assert [weakened(change) for change in changed(rule, **looser).changed] == [True]
    if stricter is not None:
        assert [weakened(change) for change in changed(rule, **stricter).changed] == [False]


@pytest.mark.parametrize(
    ("op", "value", "looser", "stricter"),
    [
        (Op.AT_LEAST, 7, 6, 8),
        (Op.AT_MOST, 7, 8, 6),
        (Op.ONE_OF, ("a", "b"), ("a", "b", "c"), ("a",)),
        (Op.INCLUDES, ("a", "b"), ("a",), ("a", "b", "c")),
    ],
)
def test_a_condition_is_compared_by_what_meets_it(op, value, looser, stricter):
    rule = replace(RULE, conditions=condition(op, value))
    old = replace(CATALOG, requirements={**CATALOG.requirements, rule.id: rule})

    def judged(wanted):
        new = replace(old, requirements={**old.requirements, rule.id: replace(rule, conditions=condition(op, wanted))})
        return [weakened(change) for change in difference(old, new).changed]

    assert judged(looser) == [True]
    assert judged(stricter) == [False]


def test_a_condition_that_compares_otherwise_is_looser():
    rule = replace(RULE, conditions=condition(Op.EQUALS, 7))
    old = replace(CATALOG, requirements={**CATALOG.requirements, rule.id: rule})
    for other in (condition(Op.PRESENT), condition(Op.EQUALS, 8)):
        new = replace(old, requirements={**old.requirements, rule.id: replace(rule, conditions=other)})
        assert [weakened(change) for change in difference(old, new).changed] == [True]


def test_what_a_control_leaves_open_may_grow_and_not_shrink():
    first, *rest = CATALOG.controls
    for sentences, expected in ((first.does_not_prove[1:], True), ((*first.does_not_prove, "That more."), False)):
        new = replace(CATALOG, controls=(replace(first, does_not_prove=sentences), *rest))
        assert [weakened(change) for change in difference(CATALOG, new).changed] == [expected]


def test_a_duty_that_is_none_any_more_is_weaker_and_another_word_is_not():
    duty = next(one for one in CATALOG.obligations.values() if one.kind == "duty")
    for fields, expected in (({"kind": "basis"}, True), ({"paraphrase": "otherwise"}, False)):
        new = replace(CATALOG, obligations={**CATALOG.obligations, duty.id: replace(duty, **fields)})
        assert [weakened(change) for change in difference(CATALOG, new).changed] == [expected]


def test_the_looser_ones_come_first():
    new = {**CATALOG.requirements, RULE.id: replace(RULE, asks="otherwise", freshness=None)}
    found = ordered(difference(CATALOG, replace(CATALOG, requirements=new)))
    assert [change.field for change in found] == ["freshness", "asks"]
