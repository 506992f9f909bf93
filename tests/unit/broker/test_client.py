"""What the broker's process answers, and what is made of it."""

import pytest

from ringfence.broker.client import _sealed, passed_on
from ringfence.kernel.errors import InternalError, Refused, Unavailable


def test_a_sealed_key_is_taken_only_from_a_process_that_ended_well():
    assert _sealed(b'{"sealed":"AAAA"}', 0) == bytes(3)
    with pytest.raises(InternalError):
        _sealed(b'{"sealed":"AAAA"}', 1)


def test_no_answer_is_no_key():
    with pytest.raises(Unavailable):
        _sealed(b"", -9)


def test_a_reason_keeps_its_kind():
    with pytest.raises(Refused, match="erased"):
        _sealed(b'{"because":"it was erased","kind":"refused"}', 3)


def test_the_broker_is_given_no_search_path_and_nothing_that_loads_code():
    ours = {"RINGFENCE_HOME": "/srv", "LANG": "C"}
    theirs = dict.fromkeys(("PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONSTARTUP", "HOME"), "/nowhere")
    assert passed_on(ours | theirs) == ours
