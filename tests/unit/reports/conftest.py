import pytest

from ringfence.testing.tampering import lab


@pytest.fixture
def log():
    return lab()


@pytest.fixture
def pack(log):
    return log.pack()
