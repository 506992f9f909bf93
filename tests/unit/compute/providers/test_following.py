"""What needs no machine; that lines arrive, and arrive again, is in tests/system/test_own_host.py."""

import os

from ringfence.compute.providers import processes
from ringfence.compute.providers.following import PROCESS, Following
from ringfence.compute.providers.hosts import Follower, Host, Hosts
from ringfence.testing.compute import spec

NODE = spec().node


def test_what_runs_is_not_started_again(tmp_path):
    hosts = Hosts(tmp_path)
    hosts.write(Host(NODE, "ssh://root@app-1", "ssh-ed25519 AAAA"))
    following = Following(hosts)
    assert not following.runs(NODE)
    following.end(NODE)
    Follower(hosts.folder(NODE) / PROCESS).write(processes.find(os.getpid()))
    assert following.ensure(NODE, None), "it runs, and needs no way to the machine"
