import threading

from ringfence.kernel.errors import Unavailable
from ringfence.ledger.model import Checkpoint
from ringfence.loops import OBSERVE_AFTER, OBSERVE_EVERY, Loop, Sweeper, collect, of, running
from ringfence.testing.home import TENANT
from ringfence.workloads.collecting.observing import Cadence


def test_an_error_ends_a_turn_and_not_the_loop(caplog):
    turns = threading.Semaphore(0)

    def fails():
        turns.release()
        raise Unavailable("the disk is full")

    with running([Loop("failing", fails, every=0.001)]):
        for _ in range(3):
            assert turns.acquire(timeout=10)
    assert "the loop failing will try again: the disk is full" in caplog.text


def test_the_first_turn_comes_at_the_start():
    turns = threading.Semaphore(0)
    with running([Loop("hourly", turns.release, every=3600.0)]):
        assert turns.acquire(timeout=5), "what was cut off is held again only after an hour"


def test_a_loop_has_ended_when_its_block_has():
    loop = Loop("quiet", lambda: None, every=0.001)
    with running([loop]):
        assert loop.is_alive()
    assert not loop.is_alive()


def test_the_loops_of_an_installation_start_with_the_integrator(services):
    assert of(services)[0].name == "sweeper"


def test_a_turn_of_the_sweeper_collects_once_and_then_hourly(services):
    sweeper = Sweeper(services)
    sweeper()
    first: Checkpoint = services.ledger.head().checkpoint
    sweeper()  # integrates what the first turn collected
    grown = services.ledger.head().checkpoint
    sweeper()
    assert grown.size >= first.size
    assert services.ledger.head().checkpoint == grown


def stated(services):
    return services.ledger.tally(TENANT)


def test_a_first_turn_that_is_to_come_later_comes():
    turns = threading.Semaphore(0)
    with running([Loop("later", turns.release, every=3600.0, after=0.001)]):
        assert turns.acquire(timeout=10)


def test_a_loop_that_is_stopped_before_its_first_turn_takes_none():
    turns = []
    with running([Loop("waiting", lambda: turns.append(1), every=0.001, after=3600.0)]):
        pass
    assert turns == []


def test_nobody_looks_before_everything_has_settled_and_then_once(services):
    [observers] = [loop for loop in of(services) if loop.name == "observers"]
    assert (observers.after, observers.every) == (OBSERVE_AFTER, OBSERVE_EVERY)
    assert "clock.sync" not in stated(services)
    observers.turn()
    assert stated(services)["clock.sync"] == 1


def test_drills_are_run_by_no_loop(services):
    collect(services, Cadence.HOURLY)
    collect(services, Cadence.SIX_HOURLY)
    assert "backup.restore_drill" not in stated(services)
    assert {"log.heartbeat", "asset.inventory"} <= stated(services).keys()


def test_a_collector_that_fails_keeps_none_of_the_others_from_it(services, home, caplog):
    (home.path / "retention.yaml").write_text("days: {inference-records: 183}\n")  # refused
    (home.path / "backups.json").write_text("{}")
    collect(services, Cadence.HOURLY)
    collect(services, Cadence.SIX_HOURLY)
    assert "retention.register" not in stated(services)
    assert "backup.integrity" not in stated(services)
    assert {"access.register", "clock.sync"} <= stated(services).keys()
    assert "the collector backup.integrity of main stated nothing" in caplog.text


def test_a_turn_of_the_loops_finishes_an_erasure_that_was_cut_off(services):
    (loop,) = (loop for loop in of(services) if loop.name == "erasures")
    assert loop.turn() == 0
    assert loop.turn.artifacts is services.artifacts
    assert loop.turn.vaults.root == services.home.path / "datasets"
    assert loop.turn.tenants() == [record.tenant for record in services.identity.people.tenants()] != []
