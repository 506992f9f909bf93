"""Each evidence type that a rule asks for comes from exactly one place."""

from dataclasses import replace

import pytest

from ringfence.kernel.errors import InternalError
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import catalog, producers
from ringfence.obligations.forms import shelf
from ringfence.obligations.producers import Way

CATALOG = catalog.load()
# It asks the application itself, as a stranger would: `server` registers it, nothing below may build one.
BY_THE_SERVER = {"tenant.isolation_test"}


def test_no_evidence_type_is_an_orphan():
    assert producers.orphans(CATALOG, shelf.types()) == []


def test_the_rule_sees_an_orphan():
    rule = next(iter(CATALOG.requirements.values()))
    asking = replace(CATALOG, requirements={"x": replace(rule, evidence=PredicateName("nobody.states"))})
    assert producers.orphans(asking, shelf.types()) == ["nobody.states"]


def test_no_evidence_type_has_two_producers():
    found = producers.by_type(shelf.types())
    assert len(found) == len(producers.every(shelf.types()))


@pytest.mark.parametrize("name", ["log.heartbeat", "dataset.sealed", "backup.restore_drill"])
def test_the_rule_sees_a_second_producer(name):
    with pytest.raises(InternalError, match="has two producers"):
        producers.by_type({name})


def test_a_form_only_ever_serves_rules_that_take_a_persons_word():
    for kind, rules in producers.asked(CATALOG).items():
        if producers.by_type(shelf.types())[kind].way is Way.FORM:
            for rule in rules:
                assert rule.issuers == {KeyRole.OPERATOR}, rule.id
                assert rule.strength <= Strength.DOCUMENTED, rule.id


def test_what_is_observed_is_never_taken_from_a_person():
    for kind, rules in producers.asked(CATALOG).items():
        if producers.by_type(shelf.types())[kind].way is Way.COLLECTOR:
            assert all(KeyRole.OPERATOR not in rule.issuers for rule in rules), kind


def test_every_collector_that_a_rule_asks_for_is_one_that_runs(services):
    ours = {*producers.COLLECTORS, *producers.DRILLS}
    wanted = set(producers.asked(CATALOG)) & ours
    assert wanted - services.collectors.keys() == BY_THE_SERVER
    assert services.collectors.keys() - ours == set()


def test_every_condition_of_a_rule_over_a_form_asks_what_the_form_asks():
    for kind, rules in producers.asked(CATALOG).items():
        if kind in shelf.types():
            asked = {one.name for one in shelf.form(kind).questions}
            for rule in rules:
                assert {condition.path for condition in rule.conditions} <= asked, rule.id
