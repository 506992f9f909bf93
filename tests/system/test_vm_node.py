"""A virtual node, whole: one machine is started, and everything that a provider promises is tried on it.

One test, since a machine takes seconds to start where it is emulated.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence import components
from ringfence.compute.model import NodeClass, QuarantineKind
from ringfence.compute.providers import image, kvm, processes, wire
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.vm import VmProvider
from ringfence.fabric.client import Fabric
from ringfence.fabric.desired import CONTROL
from ringfence.installation import SystemClock
from ringfence.kernel.errors import RingfenceError
from ringfence.testing import compute, fabric
from ringfence.tour.lab import until

PATIENCE = 60.0
PROBING = """
from dataclasses import replace
from ringfence import components
from ringfence.compute.providers import image, kvm
shared = image.load(components.machine_files())
kvm._boots(replace(shared, probe=shared.initrd))  # this guest waits for a disk, and says nothing
"""
NODE_SIDE = {"node-to-peer", "established", "node-to-controller", "metadata", "ipv6"}


def missing() -> str:
    try:
        for name in ("qemu-system-x86_64", "ssh", "unshare", "setpriv", "setsid"):
            components.find(name)
        image.load(components.machine_files())
    except RingfenceError as error:
        return str(error)
    return fabric.missing()


@pytest.fixture
def net(tmp_path):
    if why := missing():
        pytest.skip(why)
    with fabric.lab(tmp_path / "fabric") as made:
        made.node("peer")
        yield made


@pytest.fixture
def suite(net, tmp_path):
    clock = SystemClock()
    authority = KeyFileAuthority(tmp_path / "keys" / "ssh_ca", clock)

    def opened() -> VmProvider:
        return VmProvider(tmp_path / "nodes", lambda: Fabric.open(net.directory), authority)

    wanted = compute.spec(node_class=NodeClass.VM, memory_mib=256, password=compute.CHEAP_HASH)
    with compute.cleaned(
        compute.Suite(opened(), authority, clock, wanted, tmp_path, opened, patience=PATIENCE)
    ) as made:
        yield made


def test_a_virtual_node_keeps_its_promises(suite, net, tmp_path) -> None:
    compute.lets_a_certificate_in(suite)
    compute.says_how_it_is_set_up(suite)
    compute.logs_arrive_on_our_side(suite)
    the_guest_is_what_was_asked_for(suite)
    nobody_of_the_host_is_root_for_it(suite, tmp_path / "nodes" / suite.node)
    the_evidence_names_what_runs(suite)
    the_probe_sees_an_open_path(suite, net)
    the_probe_sees_the_cut(suite)
    compute.survives_our_restart(suite)
    nothing_is_left(tmp_path / "nodes", suite)


@pytest.mark.soak
def test_the_rest_of_the_contract(suite, net, tmp_path) -> None:
    compute.refuses_other_certificates(suite, KeyFileAuthority(tmp_path / "keys" / "other_ca", suite.clock))
    compute.refuses_a_changed_host_key(suite)
    compute.reaches_nothing(suite, net.nodes["peer"].address, CONTROL)
    compute.holds_processes_back(suite)
    compute.a_cut_holds_and_ends(suite)
    compute.makes_it_once_and_destroys_it_wholly(suite.provider, suite.spec)
    compute.cuts_once_and_gives_back(suite.provider, suite.spec)


@pytest.mark.skipif(not os.access(kvm.DEVICE, os.R_OK | os.W_OK), reason="no virtualisation by the processor here")
@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGINT])
def test_who_is_ended_while_probing_leaves_no_guest(deadly: signal.Signals) -> None:
    if why := missing():
        pytest.skip(why)
    with subprocess.Popen([sys.executable, "-c", PROBING], stderr=subprocess.DEVNULL) as child:
        marker = f"guest=ringfence-probe={child.pid}"
        assert becomes(lambda: any(map(is_emulator, processes.marked(marker))))
        child.send_signal(deadly)
    try:
        assert becomes(lambda: not processes.marked(marker))
    finally:
        for left in processes.marked(marker):
            processes.end(left)


def is_emulator(process: processes.Process) -> bool:
    return processes.command_line(process.pid).startswith(b"/proc/self/fd/")


def becomes(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 3
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def the_guest_is_what_was_asked_for(suite) -> None:
    said = suite.ssh(
        "sh",
        "-c",
        "id -un; ls -d /proc/net/if_inet6 2>&1; python3 -c 'import cryptography; print(cryptography.__name__)'",
    )
    assert said.out.split("\n")[::2] == ["ringfence", "cryptography"], said
    assert "No such file" in said.out, "IPv6 is off inside as well"
    routes = suite.ssh("/sbin/ip", "route").out.splitlines()
    assert len(routes) == 2, "the gateway and its own link"


def nobody_of_the_host_is_root_for_it(suite, folder: Path) -> None:
    (machine,) = processes.marked(f"guest={suite.provider._marker(suite.node)}")
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{machine.pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert status["Uid"].split()[0] != "0"
    assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapInh")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    ours = os.readlink("/proc/self/ns/net")  # noqa: PTH115 -- not a path
    if os.geteuid() == 0:
        assert os.readlink(f"/proc/{machine.pid}/ns/net") != ours  # noqa: PTH115
    assert not [path for path in folder.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]


def the_evidence_names_what_runs(suite) -> None:
    suite.ssh("bash", "-c", "python3 -c 'import time; time.sleep(300)' intruder >/dev/null 2>&1 </dev/null &")
    found = suite.provider.collect(suite.node, seconds=10)
    assert b"intruder" in found["processes"], found["processes"]
    assert b"0.0.0.0:22" in found["sockets"], found["sockets"]
    assert b"Accepted publickey" in found["log-tail"]
    assert b"running" in found["machine"]
    late = suite.provider.collect(suite.node, seconds=0)
    assert set(late) == set(found)
    assert set(late.values()) == {b"not taken: the time was up"}


def the_probe_sees_an_open_path(suite, net) -> None:
    peer, address = net.nodes["peer"].address, suite.provider.inspect(suite.node).address
    control = suite.provider._records.folder(suite.node) / "monitor"
    assert not wire.attempts(control, address, [peer], ["node-to-peer"])["node-to-peer"]
    net.fabric.permit(suite.node, "peer", 22)
    assert wire.attempts(control, address, [peer], ["node-to-peer"])["node-to-peer"]
    net.fabric.forbid(suite.node, "peer", 22)


def the_probe_sees_the_cut(suite) -> None:
    cut = suite.provider.isolate(suite.node)
    assert not suite.ssh("true", options=["ConnectTimeout=2"]).done
    assert suite.ssh("true", forensic=True).done
    assert cut.kind is QuarantineKind.OUTSIDE_GUEST
    found = {probe.path: probe for probe in suite.provider.probe(suite.node)}
    assert set(found) >= NODE_SIDE
    assert {found[path].observed for path in NODE_SIDE} == {"blocked"}, found
    assert all(probe.ok for probe in found.values()), found
    suite.provider.restore(suite.node, cut.before)


def nothing_is_left(nodes: Path, suite) -> None:
    assert suite.provider.existing() == frozenset()
    assert not processes.marked(f"guest={suite.provider._marker(suite.node)}")
    until(lambda: not processes.marked(suite.provider._marker(suite.node)), "the end of its processes")
    assert not [path for path in nodes.iterdir() if path.name.startswith("n-")]
