"""Where people sign in, and a software authenticator for it."""

import pytest

from ringfence.testing.authenticator import Authenticator
from ringfence.testing.signin import SITE


@pytest.fixture
def site():
    return SITE


@pytest.fixture
def key(site):
    return Authenticator(site.origin)
