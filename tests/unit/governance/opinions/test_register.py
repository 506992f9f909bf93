from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.governance.opinions import register, statements
from ringfence.governance.opinions.model import State
from ringfence.testing.clock import START
from ringfence.testing.judging import ANNA, BEN, OPINION, in_days, opined, rewritten, said


def of(*several):
    return register.fold(several).get(OPINION)


def withdrawn(by=BEN, **changes):
    return replace(said(statements.withdrawn(OPINION, "I was wrong."), 2, by), **changes)


def test_an_opinion_is_kept_and_what_happens_later_removes_it_not():
    one = of(opined())
    assert (one.by, one.entry, one.state(START)) == (BEN, 1, State.IN_FORCE)
    assert of(opined(), opined(entry=2, by=ANNA)).by == BEN


@pytest.mark.parametrize("change", [{"until": str(in_days(367))}, {"until": str(in_days(0))}, {"verdict": "green"}])
def test_an_opinion_without_an_end_in_time_is_none(change):
    assert of(rewritten(opined(), **change)) is None


def test_only_a_passkey_gives_an_opinion_or_takes_it_back():
    assert of(replace(opined(), with_passkey=False)) is None
    assert of(opined(), withdrawn(with_passkey=False)).withdrawn_at is None


def test_only_whoever_gave_it_takes_it_back_and_it_stays_on_record():
    assert of(opined(), withdrawn(by=ANNA)).withdrawn_at is None
    one = of(opined(), withdrawn(), withdrawn(entry=3, at=START + timedelta(days=1)))
    assert one.state(START) is State.WITHDRAWN
    assert (one.because, one.withdrawn_entry, one.given.sentence) == ("I was wrong.", 2, "The population is not whole.")
    assert of(withdrawn()) is None
