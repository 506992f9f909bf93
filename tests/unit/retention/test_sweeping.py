from datetime import timedelta

import pytest

from ringfence.kernel.errors import Refused
from ringfence.retention import sweeping
from ringfence.retention.model import Scope
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
    assert stated(services, "retention.sweep_requested")[-1]["schedule"] == str(retention.schedule.digest)
