import socket
from pathlib import Path

import pytest

from ringfence.storage import sockets


@pytest.mark.parametrize("folder", ["short", "x" * 120, "\u00fc" * 100])
def test_a_socket_is_bound_and_reached_whatever_the_length_of_its_path(tmp_path, folder):
    path = tmp_path / folder / "s.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        sockets.bind(server, path)
        server.listen(1)
        assert path.is_socket()
        sockets.connect(client, path)


def test_nothing_stays_open_and_a_name_is_short(tmp_path):
    path = tmp_path / ("x" * 120) / "s.sock"
    path.parent.mkdir()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with sockets.named(path) as name:
        assert len(name) <= sockets.LONGEST
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with sockets.named(tmp_path / "s.sock") as name:
        assert name == str(tmp_path / "s.sock")


def test_a_folder_that_is_not_there_is_the_same_error_as_for_a_short_path(tmp_path):
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(FileNotFoundError):
        sockets.connect(client, tmp_path / ("x" * 120) / "s.sock")
