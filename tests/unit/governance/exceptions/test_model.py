from datetime import timedelta

import pytest

from ringfence.governance.exceptions import register
from ringfence.governance.exceptions.model import WAITS, State, exception_id
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.clock import START
from ringfence.testing.judging import EXCEPTION, approved, asked, in_days


def of(*said):
    return register.fold(said)[EXCEPTION]


def test_a_request_waits_for_thirty_days():
    one = of(asked())
    assert one.state(START) is State.WAITING
    assert one.state(START + WAITS - timedelta(milliseconds=1)) is State.WAITING
    assert one.state(START + WAITS) is State.LAPSED


def test_what_was_approved_runs_out_after_its_last_day():
    request = asked()
    one = of(request, approved(request))
    assert one.state(START + timedelta(days=90)) is State.IN_FORCE
    assert one.wanted.until == in_days(90)
    assert one.state(START + timedelta(days=91)) is State.EXPIRED


def test_an_id_is_one_of_an_exception():
    assert exception_id(EXCEPTION) == EXCEPTION
    with pytest.raises(MalformedInput):
        exception_id("risk-0123456789ab")
