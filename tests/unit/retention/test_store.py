from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.retention.model import Act, ClassName, Erased, Fate, Hold, HoldId, Item, Run, RunId, Scope
from ringfence.retention.store import HoldTable, RunTables
from ringfence.testing.home import TENANT

pytestmark = pytest.mark.databases
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
BY = PersonId("person-0123456789ab")
OTHER = Tenant("other")
HOLD = Hold(HoldId("hold-0123456789ab"), TENANT, Scope("p", "i", "f", AT, None), BY, AT, frozenset({"p", "key"}))
RUN = Run(RunId("run-0123456789ab"), TENANT, Act.ERASE, None, Digest.of(b"asked"), AT)
GONE = Digest.of(b"gone")


def item(key, commitment=b""):
    return Item(ClassName("details-other"), "details", key, AT, "", commitment=commitment)


def test_a_hold_comes_back_as_it_was(database):
    table = HoldTable(database)
    whole = replace(HOLD, id=HoldId("hold-000000000000"), scope=Scope(end=AT), names=frozenset())
    with database.transaction():
        table.add(HOLD)
        table.add(whole)
        table.add(replace(HOLD, tenant=OTHER))
    assert table.all(TENANT) == [whole, HOLD]
    assert table.by_id(OTHER, whole.id) is None


def test_a_hold_is_released_once(database):
    table = HoldTable(database)
    with database.transaction():
        table.add(HOLD)
        assert table.release(HOLD, BY, AT)
        assert not table.release(HOLD, BY, AT)
    assert table.by_id(TENANT, HOLD.id) == replace(HOLD, released_by=BY, released_at=AT)


def test_a_run_is_a_list_that_gets_shorter(database):
    runs = RunTables(database)
    one, two = item("a", GONE.value), item("b")
    with database.transaction():
        runs.add(RUN, [one, two])
    assert runs.unfinished() == [RUN]
    assert [each.key for each in runs.waiting(RUN, 10)] == ["a", "b"]
    with database.transaction():
        runs.settle(RUN, [(one, Fate.DESTROYED)], AT)
    assert runs.waiting(RUN, 10) == [two]
    assert runs.erased(TENANT, GONE) == Erased(AT, Act.ERASE)
    assert runs.erased(OTHER, GONE) is None
    outcome = runs.outcome(RUN)
    assert outcome.fates == {Fate.DESTROYED: 1, Fate.WANTED: 1}
    assert outcome.commitments == (GONE,)


def test_a_finished_run_is_remembered_without_its_list(database):
    runs = RunTables(database)
    sweep = replace(RUN, act=Act.SWEEP, kind=ClassName("details-other"))
    with database.transaction():
        runs.add(sweep, [item("a", GONE.value)])
        runs.settle(sweep, [(item("a", GONE.value), Fate.DESTROYED)], AT)
        runs.finish(sweep, AT)
    assert runs.unfinished() == []
    assert runs.waiting(sweep, 10) == []
    assert runs.last(TENANT) == AT
    assert runs.last(OTHER) is None
    assert runs.erased(TENANT, GONE) == Erased(AT, Act.SWEEP)
