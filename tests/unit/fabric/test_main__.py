import os
import socket

from ringfence.fabric.__main__ import _caller, listen


def test_it_listens_where_a_path_is_too_long_for_a_socket(tmp_path):
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    for _ in range(2):  # and again, over what a killed helper left
        with listen(deep):
            assert (deep / "socket").stat().st_mode & 0o777 == 0o600


def test_it_hears_its_own_user():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        assert _caller(ours) == os.getpid()
