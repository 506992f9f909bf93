import os
import resource

import pytest

from ringfence.gateway.hotpath.snapshots import SnapshotFile, control_key
from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.testing.gateway import api_key
from ringfence.testing.gateway_process import GatewayProcess


@pytest.fixture
def gateway(tmp_path):
    made = GatewayProcess(tmp_path / "home")
    made.prepare()
    return made


def test_the_newest_good_file_counts(gateway):
    file = SnapshotFile(gateway.folder, control_key(gateway.folder))
    with pytest.raises(Unavailable):
        file.newest()
    gateway.publish([api_key()])
    first = file.newest()
    assert file.newest() is first
    gateway.publish([api_key(name="other")])
    assert file.newest().version == first.version + 1


def test_a_bad_file_changes_nothing(gateway, caplog):
    gateway.publish([api_key()])
    file = SnapshotFile(gateway.folder, control_key(gateway.folder))
    good = file.newest()
    path = gateway.folder / "snapshot.json"
    data = path.read_bytes()
    for bad in (b"", b"{}\n{}\n", data.replace(b"acme", b"evil"), data[:-1]):
        path.write_bytes(bad)
        assert file.newest() is good
    path.unlink()
    assert file.newest() is good
    path.symlink_to("/dev/zero")
    assert file.newest() is good
    assert SECRET_OF_NOBODY not in caplog.text


SECRET_OF_NOBODY = "rfk-"


def test_an_older_file_is_not_taken(gateway):
    gateway.publish([api_key()])
    old = (gateway.folder / "snapshot.json").read_bytes()
    gateway.publish([api_key(blocked="guessing")])
    file = SnapshotFile(gateway.folder, control_key(gateway.folder))
    assert file.newest().keys[0].blocked
    (gateway.folder / "snapshot.json").write_bytes(old)
    assert file.newest().keys[0].blocked


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 33])
def test_a_control_key_is_one(tmp_path, text):
    (tmp_path / "control.pub").write_text(text)
    with pytest.raises(MalformedInput):
        control_key(tmp_path)


def test_a_control_key_that_is_missing(tmp_path):
    with pytest.raises(Unavailable):
        control_key(tmp_path)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 -- nothing was made


def test_a_file_that_could_not_be_read_once_is_read_the_next_time(gateway):
    file = SnapshotFile(gateway.folder, control_key(gateway.folder))
    gateway.publish([api_key()])
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(Unavailable, match="cannot be read"):
            file.newest()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert file.newest().version == 1
