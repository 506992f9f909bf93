import dataclasses
from datetime import timedelta

import pytest

from ringfence.kernel.errors import Refused, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.retention import sweeping
from ringfence.retention.model import Scope
from ringfence.retention.sweeping import Sweeper
from ringfence.testing.home import TENANT
from ringfence.testing.retention import PERSONAL, details_of, stated, told
from ringfence.testing.tenancy import OTHER, second

DAY = timedelta(days=1)


def test_a_day_before_the_limit_nothing_goes_and_a_day_after_it_does(services, retention, clock):
    envelope = told(services)
    clock.advance(1095 * DAY - timedelta(seconds=1))
    assert retention.sweeper.sweep(TENANT) == []
    clock.advance(timedelta(seconds=2))
    kinds = [outcome.run.kind for outcome, _ in retention.sweeper.sweep(TENANT)]
    assert "details-other" in kinds
    assert details_of(services, envelope) is None


def test_a_sweep_states_counts_and_nothing_personal(services, retention, clock):
    told(services)
    clock.advance(1096 * DAY)
    retention.sweeper()
    asked, done = stated(services, "retention.sweep_requested"), stated(services, "retention.swept")
    assert [claims["class"] for claims in asked] == [claims["class"] for claims in done]
    other = next(claims for claims in done if claims["class"] == "details-other")
    assert (other["destroyed"], other["held"], other["kept"]) == (1, 0, 0)
    assert "Ada" not in str((asked, done))


def test_a_second_sweep_has_nothing_to_do_and_says_nothing(services, retention, clock):
    told(services)
    clock.advance(1096 * DAY)
    retention.sweeper()
    size = services.ledger.head().checkpoint.size
    assert retention.sweeper() == []
    assert services.ledger.head().checkpoint.size == size


def test_what_is_held_stays_and_does_not_keep_others_from_going(services, retention, home, clock):
    held, gone = told(services, case="i-00000001"), told(services, case="i-00000002")
    retention.place(home.actor(), Scope(incident="i-00000001"), "a court asked")
    clock.advance(1096 * DAY)
    retention.sweeper.sweep(TENANT)
    assert details_of(services, held) == {"who": PERSONAL, "case": "i-00000001"}
    assert details_of(services, gone) is None


def test_a_lot_is_taken_in_several_runs(sweeper, source, clock):
    many = sweeping.PER_RUN + 1  # of one statement
    for number in range(many):
        source.put(f"{number:05}", "sessions", clock.now() - 30 * DAY)
    runs = [outcome for outcome, _ in sweeper.sweep(TENANT) if outcome.run.kind == "sessions"]
    assert [sum(outcome.fates.values()) for outcome in runs] == [sweeping.PER_RUN, 1]
    assert source.items == {}


def test_every_tenant_is_swept_under_its_own_holds(services, retention, home, clock):
    second(services, home)
    mine, theirs = told(services), told(services, tenant=OTHER)
    retention.place(home.actor(), Scope(family="lab"), "a court asked")
    clock.advance(1096 * DAY)
    retention.sweeper()
    assert details_of(services, mine) is not None
    assert details_of(services, theirs, OTHER) is None


def test_periods_that_are_refused_stop_every_sweep(services, retention, home, clock):
    envelope = told(services)
    clock.advance(1096 * DAY)
    (home.path / "retention.yaml").write_text("days: {inference-records: 183}\n")
    with pytest.raises(Refused, match="at least 184"):
        retention.sweeper()
    assert details_of(services, envelope) is not None


def test_a_teams_own_period_counts_at_the_next_turn(services, retention, home, clock):
    envelope = told(services)
    (home.path / "retention.yaml").write_text("days: {details-other: 30}\n")
    clock.advance(31 * DAY)
    retention.sweeper()
    assert details_of(services, envelope) is None
    assert stated(services, "retention.sweep_requested")[-1]["schedule"] == str(retention.schedule(TENANT).digest)


def because(sweeper):
    return {(trouble.tenant, trouble.key): trouble.because for trouble in sweeper.troubles.all()}


def test_a_place_that_cannot_be_read_keeps_no_other_from_being_swept(services, sweeper, source, clock):
    envelope = told(services)
    clock.advance(1096 * DAY)
    source.refused = (TENANT,)
    assert sweeper()
    assert details_of(services, envelope) is None
    assert because(sweeper)[TENANT, "memory details-other"] == "the folder cannot be read"
    since = {trouble.since for trouble in sweeper.troubles.all()}
    clock.advance(DAY)
    sweeper()
    assert {trouble.since for trouble in sweeper.troubles.all()} == since  # the same trouble as before
    source.refused = ()
    sweeper()
    assert sweeper.troubles.all() == ()


def test_a_tenant_that_cannot_be_swept_keeps_no_other_from_it(services, home, runner, source, clock):
    second(services, home)
    tenants = (Tenant("broken"), TENANT, OTHER)
    sweeper = Sweeper(dataclasses.replace(runner, holds=Unreadable(runner.holds)), lambda: tenants)
    source.put("a", "sessions", clock.now() - 30 * DAY)
    sweeper()
    assert source.items == {}
    assert because(sweeper) == {(Tenant("broken"), "sweep"): "the holds cannot be read"}


class Unreadable:
    """Holds of whom one tenant's cannot be read."""

    def __init__(self, real):
        self.real = real

    def all(self, tenant):
        if tenant == "broken":
            raise Unavailable("the holds cannot be read")
        return self.real.all(tenant)


def test_a_run_that_cannot_be_finished_keeps_no_other_from_it_and_is_announced_once(services, sweeper, source, clock):
    for name in ("a", "b"):
        source.put(name, "sessions", clock.now() - 30 * DAY)
    source.broken = {"a": "an input/output error"}
    sweeper()
    assert list(source.items) == ["a"]
    ((_, run),) = because(sweeper)
    assert run.startswith("run-")
    source.put("c", "sessions", clock.now() - 30 * DAY)
    sweeper()
    sweeper()
    assert list(source.items) == ["a"]
    asked = [claims["items"] for claims in stated(services, "retention.sweep_requested")]
    source.broken = {}
    sweeper()
    assert (source.items, sweeper.troubles.all()) == ({}, ())
    assert [claims["items"] for claims in stated(services, "retention.sweep_requested")] == asked == [2, 1]
    assert sorted(claims["destroyed"] for claims in stated(services, "retention.swept")) == [1, 2]


def test_periods_that_are_refused_are_a_trouble_of_all(retention, home):
    (home.path / "retention.yaml").write_text("days: {inference-records: 183}\n")
    with pytest.raises(Refused):
        retention.sweeper()
    assert "at least 184" in because(retention.sweeper)[None, "periods"]
