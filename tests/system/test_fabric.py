"""The fabric as its callers use it: real namespaces, a real helper, as root and without."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ringfence import components
from ringfence.fabric import anchor, launch
from ringfence.fabric.client import Fabric
from ringfence.fabric.desired import WITNESS
from ringfence.fabric.model import PortState
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, Unavailable, VerificationFailed
from ringfence.testing.fabric import lab, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "-")

STRANGER = "203.0.113.7"
SOURCES = Path(__file__).parents[2] / "src"


def quietly(work):
    with contextlib.suppress(Unavailable):
        work()


@pytest.fixture
def made(tmp_path):
    # A path that is longer than the name of a socket may be.
    with lab(tmp_path / ("long" * 25) / "fabric") as made:
        yield made


def test_nothing_passes_until_it_is_admitted_and_permitted(made):
    a, b = made.node("a", admit=False), made.node("b", admit=False)
    assert made.fabric.nodes() == {"a": PortState.ATTACHED, "b": PortState.ATTACHED}
    made.fabric.permit("a", "b", 9000)
    assert not a.reaches(b)
    made.fabric.admit("a")
    assert not a.reaches(b)
    made.fabric.admit("b")
    assert a.reaches(b)
    assert not a.reaches(b, 22)
    assert not b.reaches(a)
    made.fabric.forbid("a", "b", 9000)
    assert not a.reaches(b)


def test_a_ping_goes_where_a_permit_leads_and_nowhere_else(made):
    a, b, c = made.node("a"), made.node("b"), made.node("c")
    made.fabric.permit("a", "b", 9000)
    c.ask("capture")
    a.ask("ping", name="b", target=b.address)
    a.ask("ping", name="c", target=c.address)
    while not a.ask("status", name="b")["back"]:
        pass
    assert a.ask("status", name="c")["back"] == 0
    assert not [frame for frame in c.ask("frames")["frames"] if frame["type"] == 0x0800]


def test_a_forbidden_connection_ends_although_it_is_established(made):
    a, b = made.node("a"), made.node("b")
    made.fabric.permit("a", "b", 9000)
    a.ask("stream", name="open", target=b.address, port=9000)
    made.fabric.forbid("a", "b", 9000)
    back = a.ask("status", name="open")["back"]
    b.ask("reach", target=a.address, port=9000, seconds=0.2)
    assert a.ask("status", name="open")["back"] <= back + 1


def test_outside_reaches_what_is_exposed_unless_blocked(made):
    node, stranger, other = made.node("n"), made.outside("x", STRANGER), made.outside("y", "198.51.100.9")
    assert not stranger.reaches(node)
    made.fabric.expose("n", 9000)
    assert stranger.reaches(node)
    assert not stranger.reaches(node, 22)
    assert not node.reaches(stranger)
    made.fabric.block(STRANGER)
    assert made.fabric.blocked() == [STRANGER]
    assert not stranger.reaches(node)
    assert other.reaches(node)
    made.fabric.unblock(STRANGER)
    assert stranger.reaches(node)
    made.fabric.hide("n", 9000)
    assert not stranger.reaches(node)
    assert made.fabric.nodes() == {"n": PortState.ADMITTED}


def test_a_block_ends_with_its_time(made):
    made.fabric.block(STRANGER, seconds=1)
    assert made.fabric.blocked() == [STRANGER]
    while made.fabric.blocked():
        pass


def test_the_controller_connects_and_knows_when_nobody_is_there(made):
    made.node("a", serve=(22,))
    with made.fabric.connect("a") as connection:
        connection.sendall(b"hello")
        assert connection.recv(5, socket.MSG_WAITALL) == b"hello"
    with pytest.raises(Unavailable, match="refused"):
        made.fabric.connect("a", 9999)
    with pytest.raises(NotFound):
        made.fabric.connect("z")


def test_probes_tell_open_from_cut(made):
    a, b = made.node("a"), made.node("b")
    made.fabric.permit("a", "b", 9000)
    made.fabric.permit("b", "a", 9000)
    open_paths = {"node-to-peer", "peer-to-node", "established", "controller-to-node"}
    before = {probe.path: probe for probe in made.fabric.probe("a")}
    assert {path for path, probe in before.items() if probe.observed == "open"} == open_paths
    made.fabric.quarantine("a")
    cut = {probe.path: probe for probe in made.fabric.probe("a")}
    assert all(probe.ok for probe in [*before.values(), *cut.values()])
    assert {path for path, probe in cut.items() if probe.observed != "blocked"} == {"forensic"}
    assert set(cut) == open_paths | {"node-to-controller", "metadata", "ipv6", "forensic"}
    assert not a.reaches(b)


def tried(probes):
    return {probe.path: probe for probe in probes if not probe.observed.startswith("not-tried")}


def test_a_lone_node_can_be_shown_to_be_cut_off(made):
    a, digest = made.node("a"), made.fabric.state_digest()
    paths = {"node-to-peer", "peer-to-node", "established", "node-to-controller", "metadata", "ipv6", "forensic"}
    before, cut = tried(made.fabric.probe("a")), made.fabric.quarantine("a")
    after = tried(made.fabric.probe("a"))
    assert set(before) == set(after) == paths | {"controller-to-node"}
    assert all(probe.ok for probe in [*before.values(), *after.values()])
    assert (before["controller-to-node"].observed, after["controller-to-node"].observed) == ("open", "blocked")
    made.fabric.release("a", before=cut.before)
    # The witness is nobody's neighbour.
    assert not a.ask("reach", target=WITNESS.address, port=22)["open"]
    assert made.fabric.nodes() == {"a": PortState.ADMITTED}
    assert made.fabric.state_digest() == digest
    assert {flow.source_node for flow in made.fabric.flows()} == {"a"}


def test_a_witness_is_made_again_and_ends_with_the_helper(made):
    made.node("a")
    for _ in range(2):
        assert all(probe.ok for probe in made.fabric.probe("a"))
        made.inside("ip", "link", "del", WITNESS.interface)
    assert all(probe.ok for probe in made.fabric.probe("a"))
    made.kill()
    assert all(probe.ok for probe in made.fabric.probe("a"))  # whatever the last one left
    made.kill()
    deadline = time.monotonic() + 20
    while WITNESS.interface in made.inside("ip", "link") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert WITNESS.interface not in made.inside("ip", "link")


def test_a_witness_that_is_not_reached_shows_nothing(made):
    made.node("a")
    made.fabric.probe("a")
    made.inside("ip", "link", "set", WITNESS.interface, "down")
    silent = {probe.path for probe in made.fabric.probe("a") if probe.observed.startswith("not-tried")}
    assert silent == {"node-to-peer", "established", "peer-to-node"}


def test_a_helper_killed_while_it_probes_is_followed_by_another_at_once(made):
    made.node("a")
    made.fabric.probe("a")
    for _ in range(3):
        probing = threading.Thread(target=quietly, args=[lambda: made.fabric.probe("a")])
        probing.start()
        time.sleep(0.2)
        made.kill()
        assert made.fabric.nodes() == {"a": PortState.ADMITTED}
        probing.join()


@pytest.mark.parametrize("alone", [False, True])
def test_probes_see_a_hole(made, alone):
    made.node("a")
    if not alone:
        made.node("b")
        made.fabric.permit("a", "b", 9000)
    made.fabric.quarantine("a")
    hole = ("nft", "insert", "rule", "ip", "ringfence", "marking", "meta", "mark", "set", "1", "accept")
    code = (
        "import json,sys\nfrom ringfence.fabric import desired, probes\n"
        "from ringfence.fabric.slots import Slots\nfrom pathlib import Path\nfrom ringfence.fabric import links\n"
        "print(json.dumps(probes.probe(desired.load(Slots(Path(sys.argv[1])).load()), 'a', links.witness())))"
    )
    made.kill()  # or it would close the hole at once
    made.inside(*hole)
    rows = json.loads(made.inside_python(code, str(made.directory / "state")))
    seen = {path for path, _, observed, ok in rows if observed == "open" and not ok}
    assert seen >= {"node-to-peer", "established"}
    if alone:
        assert "peer-to-node" in seen


def test_a_guest_behind_a_tap(made):
    attachment, tap = made.fabric.attach_tap("vm")
    made.fabric.admit("vm")
    mac = bytes.fromhex("525400000001")
    ask = (
        b"\xff" * 6 + mac + b"\x08\x06" + bytes.fromhex("0001080006040001") + mac + socket.inet_aton(attachment.address)
    )
    os.write(tap, bytes(10) + ask + bytes(6) + socket.inet_aton(attachment.gateway))  # 10 bytes: the virtio header
    reply = b""
    while reply[12:14] != b"\x08\x06":
        reply = os.read(tap, 2048)[10:]
    assert reply[28:32] == socket.inet_aton(attachment.gateway)
    observed = {probe.path: probe.observed for probe in made.fabric.probe("vm")}
    assert {path for path, seen in observed.items() if seen.startswith("not-tried")} == {
        *("node-to-peer", "node-to-controller", "metadata", "ipv6")
    }
    assert observed["peer-to-node"] == "blocked"
    os.close(tap)
    made.fabric.detach("vm")
    assert made.fabric.nodes() == {}


GUEST = """
import fcntl, os, select, socket, struct, subprocess, sys, threading
outer, address, gateway, ip = int(sys.argv[1]), *sys.argv[2:]
inner = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(inner, 0x400454CA, struct.pack("16sH22x", b"ens3", 0x5002))
script = f"link set lo up\\naddr add {address}/30 dev ens3\\nlink set ens3 up\\nroute add default via {gateway}\\n"
subprocess.run([ip, "-batch", "-"], input=script, text=True, check=True)
server = socket.create_server(("0.0.0.0", 22))
def echo():
    while True:
        connection, _ = server.accept()
        connection.sendall(connection.recv(100))
threading.Thread(target=echo, daemon=True).start()
print("up", flush=True)
while True:
    for ready in select.select([outer, inner], [], [])[0]:
        os.write(inner if ready == outer else outer, os.read(ready, 70000))
"""


def test_a_guest_behind_a_tap_is_cut_off_like_any_node(made):
    attachment, tap = made.fabric.attach_tap("vm")
    unshare, ip = (str(components.find(name).path) for name in ("unshare", "ip"))
    where = [str(tap), attachment.address, attachment.gateway, ip]
    command = [*made.fabric.child_prefix(), unshare, "--net", "--", sys.executable, "-c", GUEST, *where]
    guest = subprocess.Popen(command, pass_fds=[tap], stdout=subprocess.PIPE, text=True)
    os.close(tap)
    try:
        assert guest.stdout.readline() == "up\n"
        made.fabric.admit("vm")
        made.node("peer")
        for via in ("control", "forensic"):
            with made.fabric.connect("vm", via=via) as connection:
                connection.sendall(b"hello")
                assert connection.recv(5, socket.MSG_WAITALL) == b"hello"
        made.fabric.permit("peer", "vm", 22)
        seen = tried(made.fabric.probe("vm"))
        assert {path: probe.observed for path, probe in seen.items()} == {
            "controller-to-node": "open",
            "established": "open",
            "forensic": "answers",
            "peer-to-node": "open",
        }
        made.fabric.quarantine("vm")
        cut = tried(made.fabric.probe("vm"))
        assert set(cut) == set(seen)
        assert all(probe.ok for probe in [*seen.values(), *cut.values()])
        with pytest.raises(Refused):
            made.fabric.connect("vm")
    finally:
        guest.kill()
        guest.wait()
        guest.stdout.close()


def test_flows_are_counted_by_verdict(made):
    a, b = made.node("a"), made.node("b")
    made.fabric.permit("a", "b", 9000)
    assert a.reaches(b)
    assert not a.reaches(b, 4444)
    a.ask("attack", own=a.address, gateway=a.attachment.gateway, peer=b.address, spoofs=[STRANGER], ports=[5, 6])
    flows = made.fabric.flows()
    accepted = {(flow.source_node, flow.target, flow.port) for flow in flows if flow.verdict == "accepted"}
    assert accepted == {("a", b.address, 9000), ("b", a.address, 9000)}
    denied = [flow for flow in flows if flow.verdict == "denied"]
    assert ("a", a.address, b.address, "tcp", 4444) in {
        (flow.source_node, flow.source, flow.target, flow.protocol, flow.port) for flow in denied
    }
    assert {flow.source for flow in denied} >= {a.address, STRANGER}
    assert all(flow.packets > 0 and flow.bytes > 0 and flow.source_node in {"a", "b"} for flow in flows)


def test_ssh_is_handed_a_connection(made):
    made.node("a", serve=(22,))
    for via in ("control", "forensic"):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            command = [sys.executable, "-I", "-m", "ringfence.fabric.connect", str(made.directory), "a", via]
            assert subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, check=False).returncode == 0
            _, (passed,), _, _ = socket.recv_fds(ours, 10, 1)
        with socket.socket(fileno=passed) as connection:
            connection.sendall(b"SSH-")
            assert connection.recv(4, socket.MSG_WAITALL) == b"SSH-"
    made.fabric.quarantine("a")
    refused = subprocess.run([*command[:-1], "control"], capture_output=True, text=True, check=False)
    assert (refused.returncode, "quarantined" in refused.stderr, "Traceback" in refused.stderr) == (3, True, False)


def test_a_killed_helper_leaves_the_network_as_it_is(made):
    a, b = made.node("a"), made.node("b")
    made.fabric.permit("a", "b", 9000)
    a.ask("stream", name="open", target=b.address, port=9000)
    digest = made.fabric.state_digest()
    first = launch.living(made.directory, launch.HELPER)
    made.kill()
    assert a.reaches(b)
    assert made.fabric.state_digest() == digest
    assert launch.living(made.directory, launch.HELPER) != first
    status = a.ask("status", name="open")
    assert status["error"] == ""
    assert a.reaches(b)
    while a.ask("status", name="open")["back"] <= status["back"]:
        pass


def test_end_leaves_no_process(tmp_path):
    with lab(tmp_path / "fabric") as made:
        processes = [launch.living(made.directory, name) for name in (launch.HELPER, anchor.RECORD)]
        assert None not in processes
    assert [launch.living(made.directory, name) for name in (launch.HELPER, anchor.RECORD)] == [None, None]


def raw(directory, message):
    within = os.open(directory, os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as helper:
        helper.settimeout(10)
        helper.connect(f"/proc/self/fd/{within}/socket")
        os.close(within)
        helper.send(message)
        return json.loads(helper.recv(65536))


GARBAGE = (
    *(b"", b"{", b"[]", b"\xff", b"[" * 4000, b"x" * 60000, b'{"verb": "format"}', b'{"verb": ["hello"]}'),
    *(b'{"verb": "hello", "more": 1}', b'{"verb": "hello", "verb": "flows"}', b'{"verb": "admit", "node": 1}'),
)


def test_garbage_is_answered_and_survived(made):
    assert {raw(made.directory, message)["problem"] for message in GARBAGE} == {"malformed-input"}
    assert raw(made.directory, b'{"verb": "hello"}') == {}


def test_what_cannot_be_done_is_refused_in_a_sentence(made):
    fabric = made.fabric
    made.node("a")
    with pytest.raises(MalformedInput):
        fabric.attach("A node!", pid=os.getpid())
    for name in "ab":  # and who is attached stays so
        with pytest.raises(Refused, match="network namespace of its own"):
            fabric.attach(name, pid=os.getpid())
    with pytest.raises(NotFound):
        fabric.attach("b", pid=2**22 + 5)
    with pytest.raises(Conflict, match="eth0"):
        fabric.attach("b", pid=made.nodes["a"].pid)
    with pytest.raises(MalformedInput, match="IPv6"):
        fabric.block("2001:db8::1")
    with pytest.raises(Refused, match="inside the fabric"):
        fabric.block("10.203.0.2")
    with pytest.raises(Refused, match="inside the fabric"):
        fabric.attach_outside("x", pid=made.nodes["a"].pid, address="10.203.0.6")
    with pytest.raises(NotFound):
        fabric.quarantine("z")
    with pytest.raises(Conflict):
        fabric.release("a", before="0" * 64)
    with pytest.raises(NotFound):
        fabric.probe("z")
    fabric.detach("never-there")
    assert fabric.nodes() == {"a": PortState.ADMITTED}
    made.kill()
    with pytest.raises(ConnectionRefusedError):  # the probe that failed left no second helper
        raw(made.directory, b'{"verb": "hello"}')


def test_a_damaged_state_admits_nobody(made):
    made.node("a")
    made.fabric.quarantine("a")
    made.kill()
    (made.directory / "state").write_bytes(b"\1" * (2 << 20))
    with pytest.raises(VerificationFailed, match="damaged"):
        made.fabric.nodes()


def test_a_directory_that_others_may_enter_is_refused(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(Refused):
        Fabric.open(tmp_path)


def test_a_link_to_a_directory_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "fabric").symlink_to(tmp_path / "real")
    with pytest.raises(Refused):
        Fabric.open(tmp_path / "fabric")
    assert not list((tmp_path / "real").iterdir())


STRANGE_USER = """
import os, socket, sys
os.chdir(sys.argv[1])
os.setresgid(65000, 65000, 65000); os.setresuid(65000, 65000, 65000)
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as helper:
    helper.connect("socket")
    try:
        helper.send(b'{"verb": "nodes"}')
    except BrokenPipeError:
        pass
    print(helper.recv(1000).decode())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_not_heard(made):
    # Even where somebody opened the doors: directory and socket for everybody.
    made.directory.chmod(0o777)
    (made.directory / "socket").chmod(0o777)
    said = subprocess.run(
        [sys.executable, "-c", STRANGE_USER, str(made.directory)], capture_output=True, text=True, check=False
    )
    assert "refused" in said.stdout, said.stderr


ROOTLESS = """
import os, sys
from pathlib import Path
from ringfence.testing.fabric import lab
assert os.geteuid() != 0
with lab(Path(sys.argv[1]) / "fabric") as made:
    assert made.fabric.child_prefix()
    a, b = made.node("a"), made.node("b")
    stranger = made.outside("x", "203.0.113.7")
    made.fabric.permit("a", "b", 9000)
    made.fabric.expose("a", 9000)
    assert a.reaches(b) and stranger.reaches(a)
    b.ask("capture")
    cut = made.fabric.quarantine("a")
    b.ask("frames")
    made.kill()
    where = {"own": a.address, "gateway": a.attachment.gateway, "peer": b.address}
    assert a.ask("attack", **where, spoofs=["10.203.255.1"], ports=[40000, 9000])["sent"] > 50
    made.inside("nft", "flush", "ruleset")
    a.ask("attack", **where, spoofs=["10.203.255.1"], ports=[40000, 9000])
    assert not [frame for frame in b.ask("frames")["frames"] if frame["marked"]]
    assert all(probe.ok for probe in made.fabric.probe("a"))
    with made.fabric.connect("a", via="forensic") as channel:
        channel.sendall(b"x")
        assert channel.recv(1) == b"x"
    made.fabric.release("a", before=cut.before)
    assert a.reaches(b)
    attachment, tap = made.fabric.attach_tap("vm")
    os.close(tap)
    for name in ("b", "x"):
        made.nodes[name].end()
        made.fabric.detach(name)
    made.fabric.quarantine("a")
    assert all(probe.ok for probe in made.fabric.probe("a")), made.fabric.probe("a")
print("held")
"""


def test_the_same_without_root(tmp_path):
    python, user = [sys.executable, "-I"], []
    if os.geteuid() == 0:
        setpriv, plain = "/usr/bin/setpriv", "/usr/bin/python3"
        if not Path(setpriv).exists() or not Path(plain).exists():
            pytest.skip("no setpriv or no Python that other users can run")
        user = [setpriv, "--reuid=65000", "--regid=65000", "--clear-groups"]
        subprocess.run([plain, "-m", "venv", "--without-pip", tmp_path / "python"], check=True)
        site = next((tmp_path / "python").glob("lib/python*/site-packages"))
        (site / "sources.pth").write_text(f"{SOURCES}\n")
        python = [str(tmp_path / "python" / "bin" / "python"), "-I"]
    home = tmp_path / "home"
    home.mkdir()
    if user:
        os.chown(home, 65000, 65000)
        for parent in [tmp_path, *tmp_path.parents][:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
        if subprocess.run(
            [*user, *python, "-c", "import ringfence.fabric.client"], check=False, capture_output=True
        ).returncode:
            pytest.skip("another user cannot read this checkout, or its Python is too old")
    command = [*user, *python, "-c", ROOTLESS, str(home)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd="/")
    finally:
        launch.end(home / "fabric")  # whatever became of it
    if "uid_map" in done.stderr or "unshare failed" in done.stderr:
        pytest.skip("user namespaces are off for plain users")
    assert done.stdout.strip() == "held", done.stderr
