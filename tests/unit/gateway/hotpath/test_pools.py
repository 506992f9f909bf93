import asyncio

import pytest

from ringfence.gateway.hotpath.pools import verifying
from ringfence.gateway.hotpath.tuning import Tuning
from ringfence.gateway.records import Because
from ringfence.testing.gateway import deployment
from ringfence.testing.gateway_desk import Asker, DeskLab, until


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://no..name/v1"])
def test_an_engine_that_is_not_there(url):
    async def run():
        lab, asker = DeskLab(asyncio.get_running_loop(), deployments=[deployment(url=url)]), Asker()
        lab.engine.protocol._pool.ask_anew(asker, b"question")
        await until(lambda: asker.failure)
        return asker.failure[0]

    assert asyncio.run(run()) is Because.UPSTREAM_DIED


def test_one_engine_does_not_take_all_connections():
    async def run():
        lab = DeskLab(asyncio.get_running_loop(), tuning=Tuning(engines=1))
        first, second = Asker(), Asker()
        lab.engine.protocol._pool.ask(first, b"question")
        lab.engine.protocol._pool.ask(second, b"question")
        return first.failure, second.failure[0]

    assert asyncio.run(run()) == (None, Because.UPSTREAM_STALLED)


def test_deadlines_are_acted_on_when_swept():
    async def run():
        lab, asker = DeskLab(asyncio.get_running_loop()), Asker()
        pool, idle = lab.engine.protocol._pool, lab.connect()
        pool.ask(asker, b"question")
        pool.sweep(lab.loop.time() + 299)
        assert asker.failure is None
        pool.sweep(lab.loop.time() + 301)
        pool.idle[0].deadline = 0
        pool.sweep(1)
        return asker.failure[0], lab.engine.closed, idle.closed

    assert asyncio.run(run()) == (Because.UPSTREAM_STALLED, True, True)


def test_engines_behind_tls_are_verified():
    context = verifying()
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
    assert context.minimum_version.name == "TLSv1_2"
