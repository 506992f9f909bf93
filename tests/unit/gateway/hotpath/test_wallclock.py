from ringfence.gateway.hotpath.wallclock import WallClock
from ringfence.kernel.clock import from_text


def test_the_text_is_the_instant_and_time_goes_on():
    clock = WallClock()
    first = clock.now()
    assert from_text(clock.text()) >= first
    while clock.now() == first:
        pass
    assert from_text(clock.text()) > first
