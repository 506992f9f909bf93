import os
import socket

import pytest

from ringfence.kernel.errors import RingfenceError
from ringfence.workloads.sockets import GatewaySockets


@pytest.fixture
def sockets(tmp_path):
    (tmp_path / "gateway").mkdir(mode=0o700)
    return GatewaySockets(tmp_path / "gateway")


def bound(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


def test_the_gateway_finds_it_in_its_own_folder(sockets, tmp_path):
    path = sockets.path("abc")
    assert path == tmp_path / "gateway" / sockets.relative("abc")
    assert path.parent.is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="without root the gateway has our own user")
def test_it_belongs_to_the_gateways_user(sockets, tmp_path):
    os.chown(tmp_path / "gateway", 64_123, 64_124)
    bound(sockets.path("abc"))
    sockets.path("abc").parent.chmod(0o700)
    sockets.hand_over("abc")
    assert sockets.path("abc").parent.stat().st_mode & 0o777 == 0o755
    found = sockets.path("abc").stat()
    assert (found.st_uid, found.st_gid) == (64_123, 64_124)


def test_what_is_no_socket_any_more_is_not_handed_over(sockets, tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"")
    sockets.path("abc").symlink_to(target)
    with pytest.raises(RingfenceError, match="not a socket"):
        sockets.hand_over("abc")
    with pytest.raises(RingfenceError):
        sockets.hand_over("absent")
    (tmp_path / "elsewhere").mkdir()
    sockets.path("abc").unlink()
    sockets.path("abc").parent.rmdir()
    (tmp_path / "gateway" / "engines").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RingfenceError):
        sockets.hand_over("abc")
