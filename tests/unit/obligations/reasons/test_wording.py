import re
from dataclasses import replace

import pytest

from ringfence.obligations import catalog
from ringfence.obligations.model import Condition, Op
from ringfence.obligations.reasons import wording

RULES = catalog.load().requirements


def words(name):
    return " ".join(wording.sentences(RULES[name], RULES))


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_condition_of_every_rule_is_a_sentence_with_what_holds_where_it_is_broken(rule):
    told = wording.sentences(rule, RULES)
    for condition in rule.conditions:
        assert any(one.endswith(f"else {condition.because}.") for one in told)
    assert all(one.endswith(".") and "None" not in one and "Op." not in one for one in told)
    assert rule.evidence in told[0]
    assert rule.strength.text in told[0]


@pytest.mark.parametrize(
    ("op", "value", "said"),
    [
        (Op.PRESENT, None, "key age is stated"),
        (Op.TRUE, None, "key age is true"),
        (Op.EQUALS, "pass", "key age is pass"),
        (Op.EQUALS, False, "key age is false"),
        (Op.EQUALS, (), "key age is empty"),
        (Op.ONE_OF, ("a", "b"), "key age is one of a, b"),
        (Op.AT_LEAST, 3, "key age is at least 3"),
        (Op.AT_MOST, 3, "key age is at most 3"),
        (Op.INCLUDES, ("a", "b"), "key age includes a, b"),
        (Op.SAME_AS, "key.maxAge", "key age is the same as key max age"),
    ],
)
def test_every_comparison_has_its_words(op, value, said):
    assert wording.condition(Condition("keyAge", op, "it is too old", value)) == f"{said}; else it is too old."


def test_no_comparison_is_left_out():
    for op in Op:
        assert wording.condition(Condition("a", op, "b", "c"))


def test_whose_period_it_is_stands_beside_it():
    assert "(a period of the law)" in words("gov-10.topics")
    assert "(our own default)" in words("gov-01.classification")


def test_a_population_is_named_with_where_it_comes_from():
    assert "One is asked for each" in words("dat-01.verified")
    assert "dataset.sealed (dat-01.sealed)" in words("dat-01.verified")


def test_what_takes_evidence_back_is_said():
    rule = next(rule for rule in RULES.values() if rule.contradicted_by)
    assert re.search(r"A newer statement of the type \S+ takes it back where", words(rule.id))


def test_an_event_after_which_it_is_asked_anew_is_said():
    rules = [rule for rule in RULES.values() if rule.triggers]
    for rule in rules:
        told = words(rule.id)
        assert all(f"After a statement {trigger.evidence}" in told for trigger in rule.triggers)
    assert rules


def test_a_control_says_whether_a_statement_tells_of_its_trigger():
    known = catalog.load()
    for control in known.controls:
        told = wording.trigger(control, known.of(control.id))
        assert bool(told) == bool(control.trigger)
        if told:
            assert ("stands at the rules" in told) == any(rule.triggers for rule in known.of(control.id))


def test_a_rule_about_one_subject_says_which():
    rule = replace(RULES["gov-01.classification"], about="organisation/acme")
    assert "among those about organisation/acme" in " ".join(wording.sentences(rule, RULES))


def test_a_sentence_stands_once():
    for rule in RULES.values():
        told = wording.sentences(rule, RULES)
        assert sum("counted again" in sentence for sentence in told) == bool(rule.recount)
