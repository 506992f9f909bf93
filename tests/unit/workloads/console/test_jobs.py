from threading import Event

import pytest

from ringfence.kernel.errors import Conflict, Refused
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import TENANT
from ringfence.workloads.console.jobs import BROKE, REMEMBERED, Jobs


@pytest.fixture
def jobs():
    return Jobs(FakeClock())


def test_work_ends_with_what_it_returned(jobs):
    job = jobs.start(TENANT, "look", lambda job: job.say("looking") or 7).within(20)
    assert (job.result, job.steps, job.runs, job.because) == (7, ["looking"], False, "")
    assert jobs.find(TENANT, "look") is job
    assert jobs.find("other", "look") is None


def test_why_work_came_to_nothing_is_a_sentence(jobs, caplog):
    def refuse(_):
        raise Refused("not today")

    assert jobs.start(TENANT, "refuse", refuse).within(20).because == "not today"
    broken = jobs.start(TENANT, "break", lambda _: 1 / 0).within(20)
    assert (broken.because, broken.runs) == (BROKE, False)
    assert "ZeroDivisionError" in caplog.text


def test_work_of_one_name_runs_once_at_a_time(jobs):
    go = Event()
    running = jobs.start(TENANT, "wait", lambda _: go.wait(20))
    with pytest.raises(Conflict, match="runs already"):
        jobs.start(TENANT, "wait", lambda _: None)
    assert jobs.start("other", "wait", lambda _: 1).within(20).result == 1
    assert running.within(0).runs
    go.set()
    assert not running.within(20).runs
    assert jobs.start(TENANT, "wait", lambda _: 2).within(20).result == 2


def test_work_that_leads_somewhere_is_not_waited_for(jobs):
    go = Event()

    def ask(job):
        job.lead("/sign/act-1")
        go.wait(20)

    job = jobs.start(TENANT, "ask", ask).within(20)
    assert (job.page, job.runs) == ("/sign/act-1", True)
    go.set()


def test_what_ended_long_ago_is_forgotten(jobs):
    for number in range(REMEMBERED + 3):
        jobs.start(TENANT, f"n{number}", lambda _: None).within(20)
    assert jobs.find(TENANT, "n0") is None
    assert jobs.find(TENANT, f"n{REMEMBERED + 2}") is not None
