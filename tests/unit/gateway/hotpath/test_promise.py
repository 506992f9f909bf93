import asyncio

import pytest

from ringfence.gateway.hotpath.promise import Promise
from ringfence.kernel.errors import Unavailable


def test_whoever_waits_is_told_once_and_whoever_comes_later_soon():
    async def work():
        promise, heard = Promise(), []
        promise.add_done_callback(heard.append)
        assert not promise.done()
        promise.end(None)
        assert heard == [promise]
        promise.add_done_callback(heard.append)
        assert heard == [promise]
        await asyncio.sleep(0)
        assert heard == [promise, promise]
        assert promise.done()
        assert promise.exception() is None
        await promise

    asyncio.run(work())


def test_a_promise_that_is_not_kept_says_why():
    async def work():
        promise = Promise()
        waiting = asyncio.ensure_future(promise)
        await asyncio.sleep(0)
        promise.end(Unavailable("the disk refuses"))
        with pytest.raises(Unavailable, match="refuses"):
            await waiting
        with pytest.raises(Unavailable, match="refuses"):
            await promise
        assert isinstance(promise.exception(), Unavailable)

    asyncio.run(work())


def test_who_gives_up_waiting_changes_nothing():
    async def work():
        promise = Promise()
        given_up, other = asyncio.ensure_future(promise), asyncio.ensure_future(promise)
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
        promise.end(None)
        await other
        assert given_up.cancelled()

    asyncio.run(work())
