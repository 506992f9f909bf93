from datetime import timedelta

from ringfence.identity.acting import model
from ringfence.identity.signin.model import CEREMONY_LIFE


def test_an_act_waits_as_long_as_any_question_to_an_authenticator():
    assert model.LIFE == CEREMONY_LIFE == timedelta(minutes=5)
