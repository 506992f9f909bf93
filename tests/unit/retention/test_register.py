from datetime import timedelta

import pytest

from ringfence.kernel.errors import Refused
from ringfence.obligations.results import State
from ringfence.retention.model import Scope
from ringfence.testing.home import TENANT
from ringfence.testing.retention import stated, told

DAY = timedelta(days=1)
LOG = "LOG-02"


@pytest.fixture
def registered(services):
    def done():
        services.collectors["retention.register"](TENANT)
        return stated(services, "retention.register")[-1]

    return done


def verdict(services):
    found = next(control for control in services.status.board(TENANT).controls if control.control.id == LOG)
    return next(part.verdict for part in found.requirements if part.requirement.id == "log-02.retention")


def test_it_says_by_which_periods(services, retention, registered, home):
    claims = registered()
    assert (claims["inferenceRecordDays"], claims["overridden"], claims["overdue"]) == (1095, 0, 0)
    assert claims["schedule"] == str(retention.schedule(TENANT).digest)
    assert verdict(services).state is State.SATISFIED
    (home.path / "retention.yaml").write_text("days: {inference-records: 184}\n")
    assert (registered()["inferenceRecordDays"], registered()["overridden"]) == (184, 1)


def test_what_is_past_its_period_for_days_is_overdue_unless_it_is_held(services, retention, registered, home, clock):
    told(services)
    clock.advance(1096 * DAY)
    assert registered()["overdue"] == 0  # the next sweep takes it
    clock.advance(2 * DAY)
    assert registered()["overdue"] > 0
    hold, _ = retention.place(home.actor(), Scope(end=clock.now()), "a court asked")
    claims = registered()
    assert (claims["overdue"], claims["holds"]) == (0, 1)
    assert claims["held"] > 0
    retention.release(home.actor(), hold.id, "it is over")
    retention.sweeper()
    assert registered()["overdue"] == 0


def test_periods_that_are_refused_leave_no_register_and_the_status_goes_stale(services, registered, home, clock):
    registered()
    (home.path / "retention.yaml").write_text("days: {inference-records: 183}\n")
    with pytest.raises(Refused):
        registered()
    clock.advance(2 * DAY)
    assert verdict(services).state is State.NOT_SATISFIED
