import gc
from threading import Barrier, Thread

import pytest

from ringfence.frontends.pausing import collector_paused


@pytest.fixture(params=[True, False], ids=["on", "off"])
def before(request):
    was = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if was else gc.disable)()


def test_it_is_off_inside_and_as_before_afterwards(before):
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() is before


def test_it_comes_back_after_an_error(before):
    with pytest.raises(ValueError, match="broken"), collector_paused():
        raise ValueError("broken")
    assert gc.isenabled() is before


def test_whoever_is_done_first_leaves_it_off_for_the_others(before):
    both, first_done, seen = Barrier(2, timeout=30), Barrier(2, timeout=30), []

    def first():
        with collector_paused():
            both.wait()
        first_done.wait()

    thread = Thread(target=first)
    thread.start()
    with collector_paused():
        both.wait()
        first_done.wait()
        seen.append(gc.isenabled())
    thread.join()
    assert (seen, gc.isenabled()) == ([False], before)
