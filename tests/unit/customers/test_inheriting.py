from dataclasses import replace

import pytest

from ringfence.customers import inheriting, register
from ringfence.customers.model import Regime
from ringfence.obligations import board
from ringfence.obligations.records import Records
from ringfence.testing.customers import A, B
from ringfence.testing.ledger import START, TENANT


@pytest.fixture
def known(log):
    return register.fold(log.statements())


def reached(catalog, one):
    return set(inheriting.reached(catalog.controls, one))


def test_regime_and_clauses_bring_controls_with_their_reason(catalog, known):
    found = inheriting.reached(catalog.controls, known.everybody[A])
    assert [why.ground.id for why in found["SUP-02"]] == ["nis2-essential"]
    assert [why.ground.id for why in found["INC-04"]] == ["ir2690-5.1.4.d"]
    assert "AIA-01" not in found


def test_another_regime_brings_others(catalog, known):
    assert reached(catalog, known.everybody[A]) != reached(catalog, known.everybody[B])


@pytest.mark.parametrize("regime", [Regime.CONTRACT, Regime.UNKNOWN])
def test_without_a_regime_only_clauses_bring_controls(catalog, known, regime):
    bare = replace(known.everybody[A], regimes=(regime,), clauses=())
    assert reached(catalog, bare) == set()
    assert inheriting.undetermined(bare) is (regime is Regime.UNKNOWN)


def test_a_clause_that_is_no_longer_there_brings_nothing(catalog, known):
    assert reached(catalog, replace(known.everybody[A], regimes=(Regime.CONTRACT,), clauses=("gone",))) == set()


def test_the_status_is_our_own_result_itself(catalog, known, log):
    shown = board.compute(catalog, Records.of(TENANT, log.statements(), demo=False), START)
    ours = {id(result) for result in shown.controls}
    found = inheriting.inherited(shown, known.everybody[A])
    assert found
    assert {id(one.result) for one in found} <= ours
