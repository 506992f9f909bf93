import threading

from ringfence.kernel.errors import Unavailable
from ringfence.ledger.model import Checkpoint
from ringfence.loops import Loop, Sweeper, of, running


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
