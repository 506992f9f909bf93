"""A node that sees this installation's Python, and what our own services do on it through SSH."""

import os
import socket
import subprocess
import sys

import pytest

from ringfence import components
from ringfence.compute.lifecycle import Order
from ringfence.compute.model import NodeClass
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.namespace import NamespaceProvider
from ringfence.compute.providers.runtime import PYTHON
from ringfence.fabric.client import Fabric
from ringfence.installation import SystemClock
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Refused, Unavailable
from ringfence.testing import compute, fabric
from ringfence.testing import lab as labs
from ringfence.testing.home import TENANT
from ringfence.tour.lab import until
from ringfence.workloads.shell import NodeShell

pytestmark = pytest.mark.skipif(bool(labs.missing()), reason=labs.missing() or "-")

ECHO = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    import os, sys
    if os.fork() == 0:
        os.setsid()
        null = os.open("/dev/null", os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        while True:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(1024):
                    connection.sendall(data.upper())
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with fabric.lab(tmp_path_factory.mktemp("net") / "fabric") as made:
        yield made


@pytest.fixture(scope="module")
def suite(net, tmp_path_factory):
    place = tmp_path_factory.mktemp("runtime")
    authority = KeyFileAuthority(place / "ssh_ca", SystemClock())

    def opened():
        return NamespaceProvider(place / "nodes", lambda: Fabric.open(net.directory), authority)

    wanted = compute.spec(runtime=True, memory_mib=1024, processes=64)
    with compute.cleaned(compute.Suite(opened(), authority, SystemClock(), wanted, place, opened)) as made:
        made.start()
        yield made


@pytest.fixture(scope="module")
def installation(made_now, tmp_path_factory):
    """Give services with nodes that have a runtime, one of them to be cut off, and one that has none."""
    home = made_now.copy(
        tmp_path_factory.mktemp("shell") / "a home: 50% $HOME '%d'"
    )  # nothing of it is for ssh to expand
    with home.services() as services:
        service = services.cutoff.compute
        caller = home.actor(Role.ENGINEER)
        try:
            for name, runtime in (("engine", True), ("plain", False), ("doomed", True)):
                service.start(caller, Order(name, NodeClass.NAMESPACE, 512 if runtime else 64, 100, runtime=runtime))
            yield services, caller
        finally:
            for node in service.all(TENANT):
                services.cutoff.compute.desk.provider(node).destroy(node.id)
            services.cutoff.network.end()


def shell(installation, name):
    services, caller = installation
    return NodeShell(services.cutoff.compute, caller, services.cutoff.compute.node(TENANT, name))


def test_our_python_runs_with_every_package(suite):
    said = suite.ssh(PYTHON, "-I", "-c", "import sys, httptools; print(sys.version, sys.prefix, sep='\\n')")
    assert said.out.splitlines() == [*sys.version.splitlines(), "/ringfence"], said.err


def test_nothing_of_it_can_be_written_and_nothing_else_of_the_host_is_seen(suite):
    assert not suite.ssh("sh", "-c", "touch /ringfence/x || touch /ringfence/lib/*/site-packages/x").done
    for place in (__file__, sys.prefix, "/etc/hostname"):
        assert not suite.ssh("test", "-e", str(place)).done, place
    assert suite.ssh("sh", "-c", "cat /proc/self/status").out.count("CapEff:\t0000000000000000") == 1


def test_a_plain_node_sees_no_python_of_ours_and_forwards_nothing(suite):
    plain = compute.spec(2, memory_mib=64)
    suite.made.append(plain.node)
    suite.provider.create(plain)
    other = compute.Suite(suite.provider, suite.authority, suite.clock, plain, suite.place, suite.again)
    until(lambda: other.provider.ready(plain.node), "its SSH")
    assert not other.ssh("test", "-e", PYTHON).done
    assert forwarded(other, "LocalForward={local} 127.0.0.1:22") == b""


def forwarded(suite, option):
    """Return what comes through a local socket that leads where an option says."""
    local = suite.place / "ways.sock"
    local.unlink(missing_ok=True)
    seen = b""
    try:
        session = suite.open("cat", options=[option.format(local=local)], certificate=suite.certificate(tunnel=True))
        with session as process:
            until(lambda: local.exists() or process.poll() is not None, "the socket", 10.0)
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(5)
                sock.connect(str(local))
                seen = sock.recv(4)
    except OSError:
        return b""
    return seen


def test_the_loopback_is_reached_and_nothing_else(suite):
    assert forwarded(suite, "LocalForward={local} 127.0.0.1:22") == b"SSH-"
    for what in ("192.0.2.1:22", "localhost:22", "[::1]:22", "/run/x.sock", f"{suite.spec.name}:22"):
        assert forwarded(suite, f"LocalForward={{local}} {what}") == b"", what


def test_nothing_is_forwarded_back_and_no_agent_display_or_device(suite):
    options = ["ExitOnForwardFailure=yes", "RemoteForward=127.0.0.1:0 127.0.0.1:22"]
    said = suite.ssh("true", options=options, certificate=suite.certificate(tunnel=True))
    assert not said.done
    assert "remote port forwarding failed" in said.err
    for option in ("ForwardAgent=yes", "ForwardX11=yes"):
        said = suite.ssh("env", options=[option], certificate=suite.certificate(tunnel=True))
        assert "SSH_AUTH_SOCK" not in said.out
        assert "DISPLAY" not in said.out
    assert not suite.ssh("true", options=["Tunnel=yes", "ExitOnForwardFailure=yes"]).done


def test_a_certificate_for_people_forwards_nothing(suite):
    said = suite.ssh("true", options=["LocalForward=" + str(suite.place / "p.sock") + " 127.0.0.1:22"])
    assert said.done
    local = suite.place / "q.sock"
    with suite.open("cat", options=[f"LocalForward={local} 127.0.0.1:22"]) as process:
        until(lambda: local.exists() or process.poll() is not None, "the socket", 10.0)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(5)
            sock.connect(str(local))
            assert sock.recv(4) == b""


def test_a_command_is_fed_and_drained_at_the_same_time(installation):
    done = shell(installation, "engine").run(["cat"], stdin=(b"x" * 65_536 for _ in range(12)), timeout=20)
    assert (done.code, len(done.out)) == (0, 12 * 65_536), done.err


def test_a_command_is_bounded_in_time_and_words(installation):
    with pytest.raises(Unavailable, match="longer than it may"):
        shell(installation, "engine").run(["sleep", "20"], timeout=1)
    with pytest.raises(Unavailable, match="prints more"):
        shell(installation, "engine").run(["cat", "/dev/zero"], timeout=20)
    assert shell(installation, "engine").run(["false"], timeout=10).code == 1
    early = shell(installation, "engine").run(["true"], stdin=(b"x" * 65_536 for _ in range(40)), timeout=10)
    assert early.code == 0


def test_a_tunnel_carries_to_the_nodes_own_port_and_leaves_nothing(installation, tmp_path):
    engine = shell(installation, "engine")
    said = engine.run([PYTHON, "-I", "-c", ECHO], timeout=20)
    folder = tmp_path / "a %d:$H'"  # as a home may be called
    folder.mkdir()
    tunnel = engine.forward(folder / "e.sock", int(said.out))
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(folder / "e.sock"))
            sock.sendall(b"hello")
            assert sock.recv(5) == b"HELLO"
        assert (folder / "e.sock").stat().st_mode & 0o777 == 0o600
    finally:
        tunnel.close()
    assert not (folder / "e.sock").exists()
    assert not tunnel.alive
    assert not tunnel.folder.exists()


def test_a_tunnel_to_a_plain_node_carries_nothing(installation, tmp_path):
    tunnel = shell(installation, "plain").forward(tmp_path / "e.sock", 22)
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(tmp_path / "e.sock"))
            assert sock.recv(4) == b""
    finally:
        tunnel.close()


def test_a_cut_ends_the_tunnel_and_the_shell(installation, tmp_path):
    services, _ = installation
    engine = shell(installation, "doomed")
    tunnel = engine.forward(tmp_path / "e.sock", 22)
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(20)
            sock.connect(str(tmp_path / "e.sock"))
            assert sock.recv(4) == b"SSH-"
            services.cutoff.compute.quarantine(TENANT, engine.node.id, reason="tried")
            while sock.recv(4096):
                pass
        until(lambda: not tunnel.alive, "the end of the tunnel", 10.0)
        with pytest.raises(Refused):
            engine.run(["true"], timeout=5)
    finally:
        tunnel.close()


ROOTLESS = """
import sys
from pathlib import Path
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.namespace import NamespaceProvider
from ringfence.compute.providers.runtime import PYTHON
from ringfence.fabric.client import Fabric
from ringfence.installation import SystemClock
from ringfence.testing import compute

home = Path(sys.argv[1])
fabric = Fabric.open(home / "fabric")
authority = KeyFileAuthority(home / "ssh_ca", SystemClock())
opened = lambda: NamespaceProvider(home / "nodes", lambda: fabric, authority)
wanted = compute.spec(runtime=True, memory_mib=1024, processes=64)
try:
    with compute.cleaned(compute.Suite(opened(), authority, SystemClock(), wanted, home, opened)) as suite:
        suite.start()
        print(suite.ssh(PYTHON, "-I", "-c", "import httptools; print('done')"))
finally:
    fabric.close(end=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run without root already")
def test_our_python_runs_without_a_second_user(tmp_path):
    unshare = components.find("unshare").path
    keep = {name: os.environ[name] for name in ("PATH", "RINGFENCE_TOOLS") if name in os.environ}
    command = [unshare, "--user", "--map-root-user", sys.executable, "-c", ROOTLESS, tmp_path]
    done = subprocess.run(command, env=keep, capture_output=True, text=True, check=False, timeout=60)
    assert "Said(code=0, out='done" in done.stdout, done.stdout + done.stderr[-3000:]
