"""Each emulator runs as a user of the host that nobody else is."""

import pytest

from ringfence.compute.providers import users
from ringfence.kernel.errors import Unavailable


def test_a_user_that_is_taken_is_not_given_again() -> None:
    first = users.free([])
    assert users.FIRST <= first <= users.LAST
    assert users.free([None, first]) != first


def test_when_all_are_taken_that_is_said() -> None:
    with pytest.raises(Unavailable, match="are taken by nodes"):
        users.free(range(users.FIRST, users.LAST + 1))
