from datetime import timedelta

from ringfence.kernel.statement import Strength
from ringfence.obligations import board, catalog
from ringfence.obligations.records import Records
from ringfence.obligations.results import Reason, RequirementResult, State, Verdict
from ringfence.testing.obligations import START, Story

CATALOG = catalog.load()


def test_counts_add_up_and_the_denominator_keeps_every_gap():
    found = board.compute(CATALOG, Records.of(Story().tenant, ()), START)
    assert sum(found.count(state) for state in State) == len(found.controls) == 109
    assert found.denominator == 109 - found.count(State.UPCOMING)


def test_a_result_that_rests_on_nothing_has_no_strength():
    rule = CATALOG.requirements["log-02.chain"]
    assert RequirementResult(rule, Verdict(State.NOT_SATISFIED, "nothing", Reason.MISSING)).weakest is None
    assert (rule.strength, rule.freshness) == (Strength.OBSERVED, timedelta(days=1))


def test_reasons_are_ordered_worst_first():
    assert next(iter(Reason)) is Reason.CONTRADICTED
    assert list(Reason)[-1] is Reason.MISSING
