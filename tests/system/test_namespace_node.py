"""Namespace nodes as nobody else sees them: from inside, after crashes, and without root."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence import components
from ringfence.compute.providers import processes
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.namespace import NamespaceProvider
from ringfence.compute.providers.records import Record, Records
from ringfence.fabric.client import Fabric
from ringfence.installation import SystemClock
from ringfence.kernel.errors import Unavailable
from ringfence.testing import compute, fabric
from ringfence.tour.lab import until

ABSENT = [name for name in ("bwrap", "sshd", "ssh") if not components.present(name)]
REASON = f"missing: {', '.join(ABSENT)} (`make setup` installs them)" if ABSENT else fabric.missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "-")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with fabric.lab(tmp_path_factory.mktemp("net") / "fabric") as made:
        yield made


@pytest.fixture
def suite(net, tmp_path):
    authority = KeyFileAuthority(tmp_path / "ssh_ca", SystemClock())

    def opened():
        return NamespaceProvider(tmp_path / "nodes", lambda: Fabric.open(net.directory), authority)

    wanted = compute.spec(password=compute.CHEAP_HASH)
    with compute.cleaned(compute.Suite(opened(), authority, SystemClock(), wanted, tmp_path, opened)) as made:
        yield made


def test_nobody_inside_has_a_right_over_sshd_or_the_network(suite):
    suite.start()
    status = suite.ssh("cat", "/proc/self/status").out
    assert "CapEff:\t0000000000000000" in status
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    for forbidden in (
        "cat /proc/1/environ",  # what may not be read may not be traced either
        "readlink /proc/1/fd/2 || echo x > /proc/1/fd/2",
        "kill -9 1; sleep 0.1; test ! -e /proc/1",
        "touch /etc/x || touch /dev/x || touch /usr/x || touch /x",
        "unshare --user true",
        "ip link set eth0 down",
        "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start",
        "ls /sys/",
    ):
        assert not suite.ssh("sh", "-c", forbidden).done, forbidden
    assert suite.ssh("sh", "-c", "echo kept > /data/x && cat /data/x").out == "kept\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="without root nodes have our own user")
def test_each_node_has_a_user_of_its_own(suite):
    suite.start()
    other = compute.spec(2)
    suite.made.append(other.node)
    suite.provider.create(other)
    records = Records(suite.place / "nodes")
    uids = {Path(f"/proc/{records.read(node).first.pid}").stat().st_uid for node in (suite.node, other.node)}
    assert len(uids) == 2
    assert min(uids) >= 64_000


def test_nothing_is_left(suite, net):
    suite.start()
    record = Records(suite.place / "nodes").read(suite.node)
    marker = suite.provider._marker(suite.node)
    assert len(processes.marked(marker)) >= 2  # the sandbox and its log writer
    suite.provider.destroy(suite.node)
    assert processes.marked(marker) == []
    assert not any(process.alive for process in record.processes)
    assert suite.provider._held().named(suite.provider._group(suite.node)) == set()
    assert not (suite.place / "nodes" / suite.node).exists()
    assert suite.node not in net.fabric.nodes()


def test_what_a_crash_left_before_the_start_is_made_whole(suite):
    Records(suite.place / "nodes").begin(Record(suite.node, "namespace", host_key="ssh-ed25519 AAAA"))
    assert suite.node in suite.provider.existing()
    suite.start()
    assert suite.ssh("true").done


def test_a_running_node_that_nobody_wrote_down_is_seen_and_replaced(suite):
    suite.start()
    stray = Records(suite.place / "nodes").read(suite.node).first
    subprocess.run(["rm", "-r", suite.place / "nodes" / suite.node], check=True)
    assert suite.node in suite.provider.existing()
    suite.start()
    assert not stray.alive
    assert suite.ssh("true").done


def test_a_crash_of_ours_in_between_leaves_no_process(suite):
    class Killed(BaseException):
        pass

    def killed(_spec, _pid):
        raise Killed

    suite.provider._network.plug = killed
    with pytest.raises(Killed):
        suite.provider.create(suite.spec)
    until(lambda: not processes.marked(suite.provider._marker(suite.node)), "the end of its processes")
    heir = suite.again()
    assert suite.node in heir.existing()
    heir.destroy(suite.node)
    assert heir.existing() == frozenset()


def test_a_node_whose_sshd_ended_is_not_running_and_can_be_made_again(suite):
    suite.start()
    processes.end(Records(suite.place / "nodes").read(suite.node).first)
    assert not suite.provider.inspect(suite.node).running
    assert not suite.provider.ready(suite.node)
    suite.start()
    assert suite.ssh("true").done


def test_a_sandbox_that_does_not_start_says_why_and_leaves_nothing(suite):
    suite.spec = compute.spec(3, memory_mib=128, name="x" * 100)  # longer than a host's name may be
    with pytest.raises(Unavailable, match="does not start"):
        suite.provider.create(suite.spec)
    assert suite.provider.existing() == frozenset()


ROOTLESS = """
import os, sys
from pathlib import Path
sys.path[:0] = [part for part in sys.argv[2].split(os.pathsep) if part]
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.namespace import NamespaceProvider
from ringfence.fabric.client import Fabric
from ringfence.installation import SystemClock
from ringfence.testing import compute

home = Path(sys.argv[1])
fabric = Fabric.open(home / "fabric")
authority = KeyFileAuthority(home / "ssh_ca", SystemClock())
opened = lambda: NamespaceProvider(home / "nodes", lambda: fabric, authority)
try:
    with compute.cleaned(compute.Suite(opened(), authority, SystemClock(), compute.spec(), home, opened)) as suite:
        compute.lets_a_certificate_in(suite)
        assert not suite.ssh("sh", "-c", "cat /proc/1/environ || readlink /proc/1/fd/2 || echo x > /proc/1/fd/2").done
        compute.logs_arrive_on_our_side(suite)
        compute.holds_processes_back(suite)
        compute.a_cut_holds_and_ends(suite)
        compute.survives_our_restart(suite)
        print("done", *suite.provider.offer().limits, sep="; ")
finally:
    fabric.close(end=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run without root already")
def test_all_of_it_without_a_second_user(tmp_path):
    """Root of a user namespace that knows no user but ours has no more rights outside than that user."""
    unshare = components.find("unshare").path
    keep = {name: os.environ[name] for name in ("PATH", "RINGFENCE_TOOLS") if name in os.environ}
    command = [unshare, "--user", "--map-root-user", sys.executable, "-c", ROOTLESS, tmp_path, ""]
    done = subprocess.run(command, env=keep, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("done")
