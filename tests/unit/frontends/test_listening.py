import socket

import pytest

from ringfence.frontends.listening import listen, listen_on_socket
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


def test_the_socket_is_its_owners_alone(tmp_path):
    with listen_on_socket(tmp_path / "s") as door:
        assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
        door.listen()
        with pytest.raises(Unavailable, match="running"):
            listen_on_socket(tmp_path / "s")


def test_what_a_killed_server_left_is_replaced(tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "s"))
    with listen_on_socket(tmp_path / "s") as door:
        assert door


def test_a_file_in_its_place_is_left_alone(tmp_path):
    (tmp_path / "s").write_text("mine")
    with pytest.raises(Unavailable):
        listen_on_socket(tmp_path / "s")
    assert (tmp_path / "s").read_text() == "mine"
