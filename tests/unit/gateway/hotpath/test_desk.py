import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest

from ringfence.gateway.hotpath.desk import Desk, unrecorded
from ringfence.gateway.hotpath.pools import verifying
from ringfence.gateway.hotpath.problem import Problem
from ringfence.gateway.hotpath.tuning import Tuning
from ringfence.gateway.hotpath.wallclock import WallClock
from ringfence.gateway.model import Upstream
from ringfence.kernel.clock import to_millis
from ringfence.kernel.errors import Unavailable
from ringfence.testing.gateway import FakeAccessLog, FakeJournal, FakeReceipts, deployment
from ringfence.testing.gateway_desk import DeskLab


def in_loop(test, **facts):
    async def run():
        return test(DeskLab(asyncio.get_running_loop(), **facts))

    return asyncio.run(run())


def nanos(at):
    return to_millis(at) * 1_000_000


def test_without_a_snapshot_nothing_is_served():
    def test(lab):
        empty = Desk(lab.loop, WallClock(), Tuning(), FakeJournal(), FakeAccessLog(), FakeReceipts(), verifying)
        with pytest.raises(Problem) as caught:
            empty.fresh(nanos(empty.clock.now()))
        return caught.value.code

    assert in_loop(test) == "no_snapshot"


def test_a_snapshot_is_used_to_its_end():
    def test(lab):
        end = lab.desk.snapshot.expires_at
        assert lab.desk.fresh(nanos(end) - 1) is lab.desk.snapshot
        for at in (nanos(end), nanos(end - timedelta(seconds=200))):
            with pytest.raises(Problem):
                lab.desk.fresh(at)

    in_loop(test)


def test_a_renewed_snapshot_keeps_what_was_prepared(tmp_path):
    (tmp_path / "token").write_text("one")

    def test(lab):
        before = lab.desk.targets
        lab.publish(lab.desk.clock.now())
        assert lab.desk.targets is before

    in_loop(test)

    def changed(lab):
        (tmp_path / "token").write_text("two")
        lab.publish(lab.desk.clock.now())
        return lab.desk.targets.ready()[0].authorization

    named = deployment(upstream=Upstream("http://127.0.0.1:1/v1", credential=str(tmp_path / "token")))
    assert in_loop(changed, deployments=[named]) == "two"


def test_ids_and_salts_are_never_the_same():
    def test(lab):
        drawn = [lab.desk.drawn() for _ in range(100)]
        assert len({request for request, _ in drawn}) == len({salt for _, salt in drawn}) == 100
        assert all(len(salt) == 32 and len(request) == 36 for request, salt in drawn)

    in_loop(test)


def forsaken(lab):
    """Return an engine that the newest snapshot no longer names, and its pool."""
    engine = lab.desk.targets.ready()[0].engine
    pool = lab.desk.pool(engine)
    lab.deployments = []
    object.__setattr__(lab.desk.snapshot, "digest", None)
    lab.publish(lab.desk.clock.now())
    return engine, pool


def test_pools_of_engines_that_nobody_names_any_more_go():
    def test(lab):
        engine, pool = forsaken(lab)
        lab.desk.sweep()
        assert lab.desk.pool(engine) is pool  # a connection is still open
        lab.desk.close()
        lab.desk.sweep()
        assert lab.desk.pool(engine) is not pool
        assert lab.desk.date.startswith(b"date: ")

    in_loop(test)


def test_what_could_not_be_recorded_is_refused_for_a_while():
    problem = unrecorded(Unavailable("the disk is full"))
    assert (problem.status, problem.code, problem.retry_after) == (503, "recording_failed", 5)
    assert "the disk is full" in str(problem)


def test_a_pool_whose_connection_is_about_to_open_stays():
    def test(lab):
        engine, pool = forsaken(lab)
        lab.desk.close()
        pool.ask_anew(SimpleNamespace(cancelled=True, failed=None), b"question")
        lab.desk.sweep()
        assert lab.desk.pool(engine) is pool

    in_loop(test)
