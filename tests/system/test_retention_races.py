"""A hold that is placed while a sweep runs: once it is acknowledged, nothing that it names is destroyed any more."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from ringfence.kernel.clock import to_millis
from ringfence.retention.model import Scope
from ringfence.storage.rows import SIDE_RECORDS
from ringfence.testing.home import TENANT, observed
from ringfence.testing.retention import stated

COUNT = 800


@pytest.fixture
def filled(services):
    """Details that are past their period: every second one speaks of an incident."""
    with services.database.transaction():
        for number in range(COUNT):
            services.outbox.record(observed(details={"case": f"i-{number % 2}"}), tenant=TENANT)
        past = to_millis(services.clock.now() - timedelta(days=1100))
        change = update(SIDE_RECORDS).where(SIDE_RECORDS.c.predicate == "lab.observed")
        services.database.connection().execute(change.values(since=past))
    services.ledger.integrate()


def left(services, number):
    """Count the details of a case; the opening is a salt and JSON."""
    with services.database.reading() as connection:
        found = connection.execute(select(SIDE_RECORDS.c.opening).where(SIDE_RECORDS.c.predicate == "lab.observed"))
        return sum(f'"case":"i-{number}"'.encode() in row.opening for row in found)


def progress(services):
    with services.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(SIDE_RECORDS)).scalar()


@pytest.mark.databases
@pytest.mark.usefixtures("filled")
def test_nothing_held_goes_after_the_hold_was_acknowledged(services, home):
    """Wait until some are gone, place the hold, and count at once: however much of the sweep came before it."""
    retention, began = services.retention, progress(services)
    sweep = threading.Thread(target=retention.sweeper.sweep, args=(TENANT,))
    sweep.start()
    while sweep.is_alive() and began - progress(services) < 200:
        pass
    retention.place(home.actor(), Scope(incident="i-1"), "a court asked")
    kept = left(services, 1)
    sweep.join()
    assert left(services, 1) == kept
    assert left(services, 0) == 0
    swept = stated(services, "retention.swept")[-1]
    assert (swept["held"], swept["destroyed"]) == (kept, COUNT - kept)
