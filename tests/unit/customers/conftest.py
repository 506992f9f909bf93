"""A log in memory in which two customers are entered, and the rules that ship."""

import pytest

from ringfence.obligations import catalog as shipped
from ringfence.testing import customers


@pytest.fixture(scope="session")
def catalog():
    return shipped.load()


@pytest.fixture
def log():
    return customers.lab()
