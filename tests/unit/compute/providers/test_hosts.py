import os

import pytest

from ringfence.compute.providers import processes
from ringfence.compute.providers.hosts import Follower, Host, Hosts
from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.testing.compute import spec

HOST = Host(spec().node, "ssh://root@app-1", "ssh-ed25519 AAAA", rules="sudo", met=True, cut=True, before="ab" * 32)


def test_a_record_survives(tmp_path):
    Hosts(tmp_path / "hosts").write(HOST)
    assert Hosts(tmp_path / "hosts").all() == [HOST]
    assert (tmp_path / "hosts" / HOST.node).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("spoilt", [b"", b"[]", b"{", b'{"node": "n-00000001"}', b'{"other": 1}'])
def test_a_spoilt_record_is_none_and_its_folder_is_seen(tmp_path, spoilt):
    hosts = Hosts(tmp_path)
    hosts.write(HOST)
    (hosts.folder(HOST.node) / "host.json").write_bytes(spoilt)
    assert hosts.read(HOST.node) is None
    assert hosts.folders() == [HOST.node]
    with pytest.raises(NotFound):
        hosts.known(HOST.node)


def test_a_machine_without_a_baseline_has_none_and_a_kept_one_comes_back(tmp_path):
    hosts = Hosts(tmp_path)
    hosts.write(HOST)
    assert hosts.baseline(HOST.node) == {}
    hosts.keep_baseline(HOST.node, {"sshd": "aa"})
    assert hosts.baseline(HOST.node) == {"sshd": "aa"}


def test_a_spoilt_baseline_is_never_taken_for_none(tmp_path):
    hosts = Hosts(tmp_path)
    hosts.write(HOST)
    (hosts.folder(HOST.node) / "baseline.json").write_bytes(b"{")
    with pytest.raises(MalformedInput):
        hosts.baseline(HOST.node)


def test_forgetting_leaves_nothing(tmp_path):
    hosts = Hosts(tmp_path)
    with hosts.locked(HOST.node):
        hosts.write(HOST)
        hosts.keep_rules(HOST.node, "table ip x {\n}\n")
        hosts.remove(HOST.node)
    assert list(tmp_path.iterdir()) == []


def test_a_follower_is_known_by_pid_and_start_time(tmp_path):
    follower = Follower(tmp_path / "follower")
    assert follower.read() is None
    ourselves = processes.find(os.getpid())
    follower.write(ourselves)
    assert follower.read() == ourselves
    follower.path.write_text(f"{ourselves.pid} {ourselves.started + 1}\n")
    assert follower.read() is None, "the pid came back as another process"
