import socket

import pytest

from ringfence.identity.signin import site
from ringfence.kernel.errors import Unavailable
from ringfence.server import config, create_app, listen_on_socket


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


@pytest.mark.parametrize(("console", "believed"), [(site.DEFAULT, False), ("https://console.example", True)])
def test_what_a_proxy_says_is_believed_where_there_is_one(services, console, believed):
    """Else anybody on this machine names a fresh place for each guess."""
    assert config(create_app(services, console=console)).proxy_headers is believed
