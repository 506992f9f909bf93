import pytest

from ringfence.customers import clauses
from ringfence.customers.model import Regime
from ringfence.kernel.errors import NotFound

TICKED = {
    *(f"ir2690-5.1.4.{letter}" for letter in "abcdefgh"),
    *("gdpr-28.3", "dora-30.2", "dora-30.3", "data-act-25", "ai-act-25.4"),
}


def test_there_are_the_clauses_of_the_reference_and_no_others():
    assert set(clauses.clauses()) == TICKED
    assert {one.source for one in clauses.clauses().values()} == {"V"}


def test_what_a_regime_brings_is_said_for_each_but_those_that_say_nothing():
    assert set(clauses.regimes()) == set(Regime) - {Regime.CONTRACT, Regime.UNKNOWN}


@pytest.mark.parametrize("name", sorted(TICKED))
def test_every_clause_reaches_some_control(catalog, name):
    assert any(clauses.clause(name).reached(control) for control in catalog.controls)


def test_a_part_of_a_provision_is_reached_and_a_longer_number_is_not(catalog):
    controls = {control.id: control for control in catalog.controls}
    assert clauses.clause("ir2690-5.1.4.f").reached(controls["DEV-04"]) == ("6.10.2(b)",)
    assert clauses.clause("ir2690-5.1.4.c").reached(controls["HYG-05"]) == ()  # 10.1 and not 10.2
    assert clauses.clause("data-act-25").reached(controls["SUP-06"]) == ("SUP-06",)


def test_another_clause_is_not_known():
    with pytest.raises(NotFound):
        clauses.clause("nis2-21")
