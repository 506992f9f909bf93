from datetime import timedelta

import pytest

from ringfence.governance.opinions import register
from ringfence.governance.opinions.model import State, opinion_id
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.clock import START
from ringfence.testing.judging import OPINION, opined


def test_an_opinion_runs_out_after_its_last_day():
    one = register.fold([opined()])[OPINION]
    assert one.state(START + timedelta(days=180)) is State.IN_FORCE
    assert one.state(START + timedelta(days=181)) is State.EXPIRED


def test_an_id_is_one_of_an_opinion():
    assert opinion_id(OPINION) == OPINION
    with pytest.raises(MalformedInput):
        opinion_id("risk-0123456789ab")
