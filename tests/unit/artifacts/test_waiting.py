from datetime import timedelta
from threading import Thread

import pytest

from ringfence.artifacts.waiting import Waiting, signed
from ringfence.kernel.errors import Conflict, Refused
from ringfence.testing.home import TENANT, draft
from ringfence.testing.home import signed as stated

NOW, SOON = timedelta(0), timedelta(seconds=20)


@pytest.fixture
def envelope(services, home):
    return stated(services, next(iter(home.people.values())), draft())[0]


def seal_of(envelope):
    return envelope.statement.subjects[0].digest


def test_a_signed_seal_reaches_whoever_holds_its_bytes(envelope):
    waiting = Waiting()

    def sign():
        with waiting.answering(TENANT, envelope) as given:
            given.append(envelope)

    with waiting.expecting(TENANT, seal_of(envelope)) as signature:
        signer = Thread(target=sign)
        signer.start()
        assert signed(signature, SOON) is envelope
        signer.join()


def test_nothing_is_recorded_of_bytes_that_are_gone(envelope):
    waiting = Waiting()
    with pytest.raises(Conflict, match="not held here"), waiting.answering(TENANT, envelope):
        pytest.fail("it was recorded")
    with waiting.expecting(TENANT, seal_of(envelope)) as signature, pytest.raises(Refused, match="in time"):
        signed(signature, NOW)
    with waiting.expecting(TENANT, seal_of(envelope)) as signature:
        signature.cancel()
        with pytest.raises(Conflict, match="not held here"), waiting.answering(TENANT, envelope):
            pytest.fail("it was recorded")


def test_another_tenants_signature_reaches_nobody(envelope):
    waiting = Waiting()
    held = waiting.expecting("other", seal_of(envelope))
    with held, pytest.raises(Conflict), waiting.answering(TENANT, envelope):
        pytest.fail("it was recorded")


def test_what_is_being_recorded_when_the_time_is_up_is_waited_for(envelope):
    waiting = Waiting()
    with waiting.expecting(TENANT, seal_of(envelope)) as signature:
        with waiting.answering(TENANT, envelope) as given:
            late = Thread(target=lambda: given.append(signed(signature, NOW)))
            late.start()
            given.insert(0, envelope)
        late.join()
        assert given == [envelope, envelope]


def test_why_it_was_not_recorded_is_told_to_both(envelope):
    waiting = Waiting()
    with waiting.expecting(TENANT, seal_of(envelope)) as signature:
        with pytest.raises(Refused, match="no room"), waiting.answering(TENANT, envelope):
            raise Refused("no room")
        with pytest.raises(Refused, match="no room"):
            signed(signature, SOON)
