import pytest

from ringfence.frontends.listening import listen
from ringfence.kernel.errors import Unavailable, UsageError


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.eu", ""])  # noqa: S104 - refused
def test_plain_http_stays_on_loopback(host):
    with pytest.raises(UsageError, match="loopback"):
        listen(host, 0)


def test_a_port_that_is_taken_is_named():
    with listen("127.0.0.1", 0) as door:
        door.listen()
        with pytest.raises(Unavailable, match="in use"):
            listen("127.0.0.1", door.getsockname()[1])
