"""Each node runs as a user of the host that nobody else is."""

import pytest

from ringfence.compute.providers import users
from ringfence.kernel.errors import Unavailable


def test_a_user_that_is_taken_is_not_given_again() -> None:
    first = users.free([], users.MACHINES)
    assert first in users.MACHINES
    assert users.free([None, first], users.MACHINES) != first


def test_when_all_are_taken_that_is_said() -> None:
    with pytest.raises(Unavailable, match="are taken by nodes"):
        users.free(users.MACHINES, users.MACHINES)
