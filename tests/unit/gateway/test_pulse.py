from datetime import timedelta

import pytest

from ringfence.gateway.pulse import PATIENCE, Pulse
from ringfence.testing.clock import START, FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def pulse(clock):
    return Pulse(clock)


def later(clock, seconds):
    clock.advance(timedelta(seconds=seconds))
    return clock.now()


def test_nobody_is_silent_of_whom_no_answer_is_expected(pulse, clock):
    pulse.take()
    assert pulse.stuck_since(later(clock, 3600)) is None


def test_a_silence_is_one_after_ten_seconds_and_ends_with_an_answer(pulse, clock):
    said = ["it ended"]
    pulse.expect(lambda: said[0])
    pulse.take()
    assert pulse.stuck_since(START + PATIENCE - timedelta(milliseconds=1)) is None
    later(clock, 10)
    said[0] = "nobody answers"
    pulse.take()
    assert (pulse.stuck_since(clock.now()), pulse.because) == (START, "nobody answers")
    said[0] = ""
    pulse.take()
    assert (pulse.stuck_since(later(clock, 60)), pulse.because) == (None, "")


def test_a_clock_that_is_set_back_hides_no_silence(pulse, clock):
    pulse.expect(lambda: "it ended")
    pulse.take()
    assert pulse.stuck_since(later(clock, -5)) == START


def test_an_end_that_was_wanted_is_no_silence(pulse, clock):
    def ended():
        pulse.expect(None)  # while it was asked
        return "nobody answers"

    pulse.expect(ended)
    pulse.take()
    assert pulse.stuck_since(later(clock, 60)) is None
