"""Every reason has a sentence, and ids are parsed."""

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.keyrelease.model import SENTENCES, Denial, lease_id, minutes


def test_every_denial_has_a_sentence():
    assert {denial.value for denial in Denial} <= set(SENTENCES)


@pytest.mark.parametrize("text", ["", "lease-", "lease-0123456789AB", "lease-0123456789abc", 7])
def test_what_is_no_lease_is_refused(text):
    with pytest.raises(MalformedInput):
        lease_id(text)


@pytest.mark.parametrize("value", [0, 61, True, "5", 1.5])
def test_what_is_no_length_is_refused(value):
    with pytest.raises(MalformedInput):
        minutes(value)
