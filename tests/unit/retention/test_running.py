from datetime import timedelta

import pytest

from ringfence.kernel.errors import InternalError, Unavailable
from ringfence.retention import statements
from ringfence.retention.model import Act, ClassName, Fate, Scope
from ringfence.testing.home import TENANT
from ringfence.testing.retention import commitment_of, details_of, stated, told

DAY = timedelta(days=1)
SESSIONS = ClassName("sessions")


@pytest.fixture
def old(source, clock):
    """Four hundred and fifty items that are past their period: more than one transaction decides."""
    return [source.put(f"{n:04}", "sessions", clock.now() - 30 * DAY, names=frozenset({f"n{n}"})) for n in range(450)]


def begun(runner, items, act=Act.SWEEP):
    schedule = runner.schedule(TENANT)
    kind = schedule.named(SESSIONS)
    return runner.begin(
        TENANT, act, SESSIONS, items, lambda run: statements.sweep_requested(run, kind, len(items), schedule)
    )


def test_nothing_is_destroyed_before_it_is_stated_and_published(services, runner, source, old):
    run = begun(runner, old)
    assert source.destroyed == []
    seen = []
    source.before_destroying = lambda: seen.append(services.ledger.published(run.requested).stage)
    outcome, done = runner.carry_out(run)
    assert set(seen) == {"published"}
    assert outcome.count(Fate.DESTROYED) == 450
    assert done.entry is not None
    assert stated(services, "retention.swept")[-1]["destroyed"] == 450


def test_a_run_that_was_cut_off_goes_on_and_is_stated_once(services, runner, source, old):
    run = begun(runner, old)

    def cut():
        if len(source.destroyed) >= 200:
            raise Unavailable("the power is gone")

    source.before_destroying = cut
    with pytest.raises(Unavailable):
        runner.carry_out(run)
    assert len(source.destroyed) == 200
    assert stated(services, "retention.swept") == []
    source.before_destroying = lambda: None
    runner.carry_out(*runner.runs.unfinished())
    assert runner.runs.unfinished() == []
    assert sorted(source.destroyed) == [item.key for item in old]
    assert [claims["destroyed"] for claims in stated(services, "retention.swept")] == [450]


def test_one_item_that_cannot_be_destroyed_keeps_no_other_from_going_and_is_tried_again(services, runner, source, old):
    run, broken = begun(runner, old), old[7].key
    source.broken = {broken: "an input/output error"}
    with pytest.raises(Unavailable, match=r"1 of the items of run-.* input/output error"):
        runner.carry_out(run)
    assert list(source.items) == [broken]
    assert stated(services, "retention.swept") == []  # it is not said to be gone
    assert runner.runs.pending(TENANT) == {(source.name, broken)}
    source.broken = {}
    runner.carry_out(run)
    assert source.items == {}
    assert [claims["destroyed"] for claims in stated(services, "retention.swept")] == [450]
    assert runner.runs.pending(TENANT) == set()


def test_what_was_destroyed_before_its_fate_was_written_counts_as_destroyed(runner, source, old):
    run = begun(runner, old)
    del source.items[old[0].key]  # a file, gone before the transaction was committed
    outcome, _ = runner.carry_out(run)
    assert outcome.count(Fate.DESTROYED) == 450


def test_a_hold_that_is_placed_after_the_run_began_keeps_what_is_left(home, retention, runner, source, old):
    run = begun(runner, old)
    retention.place(home.actor(), Scope(end=old[0].since), "a court asked")
    outcome, _ = runner.carry_out(run)
    assert outcome.fates == {Fate.HELD: 450}
    assert source.destroyed == []


def test_a_hold_that_is_placed_between_two_batches_keeps_the_second(home, retention, runner, old):
    run = begun(runner, old)
    assert runner._batch(run, {})
    retention.place(home.actor(), Scope(end=old[0].since), "a court asked")
    outcome, _ = runner.carry_out(run)
    assert outcome.fates == {Fate.HELD: 250, Fate.DESTROYED: 200}


def test_what_is_not_due_after_all_stays(runner, source, old, clock):
    run = begun(runner, old)
    source.put(old[0].key, "sessions", clock.now())  # used again meanwhile
    outcome, _ = runner.carry_out(run)
    assert outcome.fates == {Fate.KEPT: 1, Fate.DESTROYED: 449}


def test_details_that_are_gone_are_known_to_be(services, retention, clock):
    envelope = told(services)
    clock.advance(1096 * DAY)
    retention.sweeper.sweep(TENANT)
    assert details_of(services, envelope) is None
    gone = retention.runner.runs.erased(TENANT, commitment_of(services, envelope))
    assert (gone.act, gone.at) == (Act.SWEEP, clock.now())


def test_a_source_that_nobody_knows_is_an_error_of_ours(runner):
    with pytest.raises(InternalError):
        runner.source("nowhere")
