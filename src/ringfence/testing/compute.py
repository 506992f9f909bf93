"""What every provider of nodes has to do, tried with a real SSH client.

with cleaned(Suite(provider, authority, clock, spec(), place, again)) as suite:
    lets_a_certificate_in(suite)
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence import components
from ringfence.compute import sshkeys
from ringfence.compute.configuration import Fact, drifted, unread
from ringfence.compute.model import NodeClass, NodeId, NodeSpec, node_id
from ringfence.compute.ports import Provider
from ringfence.compute.providers import sshd
from ringfence.compute.providers.authority import KeyFileAuthority, private_bytes, public_line
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import RingfenceError
from ringfence.kernel.identifier import Tenant
from ringfence.storage.files import PRIVATE
from ringfence.testing.clock import FakeClock
from ringfence.tour.lab import until

TENANT = Tenant("acme")
CHEAP_HASH = "$5$rounds=1000$ringfencelab$ckq/ghMBO3hxZZzAS3XcIJ8Fs8KvuAPZ0s0QZwEg8y8"
PASSWORD = "tr0ub4dor"  # noqa: S105 -- of lab nodes that are to be broken into
PATIENCE = 20.0


def spec(number: int = 1, *, node_class: NodeClass = NodeClass.NAMESPACE, **changes: object) -> NodeSpec:
    """Return what a small node is to be."""
    made = NodeSpec(
        node=node_id(f"n-{number:08x}"),
        name=f"lab-{number}",
        tenant=TENANT,
        node_class=node_class,
        memory_mib=128,
        cpus_percent=100,
        processes=32,
        expose=(),
        password=None,
        training=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def done(self) -> bool:
        """Return whether it ran to a good end."""
        return self.code == 0


@dataclass
class Suite:
    """A provider under test, its node, and a person with a key."""

    provider: Provider
    authority: KeyFileAuthority
    clock: Clock
    spec: NodeSpec
    place: Path
    again: Callable[[], Provider]  # the provider as another process of ours would open it
    patience: float = PATIENCE
    serial: int = 0
    made: list[NodeId] = field(default_factory=list)

    @property
    def node(self) -> NodeId:
        """Return the node's id."""
        return self.spec.node

    def start(self) -> None:
        """Make the node and wait until its SSH proves its host key."""
        self.provider.create(self.spec)
        until(lambda: self.provider.ready(self.node), "an answer of its SSH", self.patience)

    def certificate(
        self,
        *,
        authority: KeyFileAuthority | None = None,
        principal: str = "",
        seconds: int = 120,
        tunnel: bool = False,
    ) -> str:
        """Certify the person's key."""
        self.serial += 1
        return (authority or self.authority).certificate(
            public_line(self.key),
            principal=principal or self.node,
            seconds=seconds,
            serial=self.serial,
            key_id="person-1",
            tunnel=tunnel,
        )

    @property
    def key(self) -> Ed25519PrivateKey:
        """Return the person's key."""
        return Ed25519PrivateKey.from_private_bytes(b"a key of one test".ljust(32))

    def ssh(
        self,
        *command: str,
        certificate: str | None = None,
        host_key: str | None = None,
        forensic: bool = False,
        options: Sequence[str] = (),
        seconds: float = 30.0,
    ) -> Said:
        """Log in as a person does, who knows the host key beforehand and accepts no other."""
        endpoint = self.provider.endpoint(self.node, forensic=forensic)
        program = components.find("ssh")
        with tempfile.TemporaryDirectory(dir=self.place) as folder:
            files = session(
                Path(folder), self.node, host_key or endpoint.host_key, self.key, certificate or self.certificate()
            )
            argv = sshkeys.command(str(program.path), self.node, endpoint, files, command)
            argv[1:1] = [part for option in options for part in ("-o", option)]
            environment = {"PATH": os.environ["PATH"], **program.environment}
            return run(argv, environment, max(seconds, self.patience))

    @contextmanager
    def open(
        self, *command: str, certificate: str | None = None, options: Sequence[str] = ()
    ) -> "Iterator[subprocess.Popen[bytes]]":
        """Log in and stay: the session ends with the block."""
        endpoint = self.provider.endpoint(self.node)
        program = components.find("ssh")
        with tempfile.TemporaryDirectory(dir=self.place) as folder:
            files = session(Path(folder), self.node, endpoint.host_key, self.key, certificate or self.certificate())
            argv = sshkeys.command(str(program.path), self.node, endpoint, files, command)
            argv[1:1] = [part for option in options for part in ("-o", option)]
            environment = {"PATH": os.environ["PATH"], **program.environment}
            with subprocess.Popen(  # noqa: S603
                argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
            ) as process:
                try:
                    yield process
                finally:
                    process.kill()


def run(argv: Sequence[str], environment: dict[str, str], seconds: float) -> Said:
    """Run a program to its end."""
    done = subprocess.run(  # noqa: S603
        argv, capture_output=True, text=True, errors="replace", env=environment, timeout=seconds, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr)


def session(folder: Path, node: NodeId, host_key: str, key: Ed25519PrivateKey, certificate: str) -> sshkeys.Files:
    """Write the files of one session."""
    files = sshkeys.Files(*(str(folder / name) for name in ("id", "id-cert.pub", "known_hosts")))
    for path, content in (
        (files.key, private_bytes(key)),
        (files.certificate, certificate.encode() + b"\n"),
        (files.known_hosts, sshkeys.known_hosts(node, host_key).encode()),
    ):
        Path(path).touch(mode=PRIVATE)
        Path(path).write_bytes(content)
    return files


@contextmanager
def cleaned(suite: Suite) -> Iterator[Suite]:
    """Take the nodes of a test away, whatever came of it."""
    try:
        yield suite
    finally:
        for node in {suite.node, *suite.made}:
            suite.provider.destroy(node)


# What every provider has to do, also the one in memory.


def knows_nothing_of_strangers(provider: Provider) -> None:
    """Check that an unknown node is not running, not ready, has no logs, and can be destroyed."""
    stranger = node_id("n-ffffffff")
    assert not provider.inspect(stranger).running
    provider.destroy(stranger)
    assert stranger not in provider.existing()
    assert stranger not in provider.isolated()
    assert _raises(RingfenceError, lambda: provider.endpoint(stranger))


def makes_it_once_and_destroys_it_wholly(provider: Provider, wanted: NodeSpec) -> None:
    """Check that making and destroying are idempotent, and that a destroyed node can be made again."""
    provider.create(wanted)
    before = provider.endpoint(wanted.node)
    provider.create(wanted)
    assert provider.endpoint(wanted.node) == before
    assert provider.inspect(wanted.node).running
    assert wanted.node in provider.existing()
    provider.destroy(wanted.node)
    provider.destroy(wanted.node)
    assert wanted.node not in provider.existing()
    assert not provider.inspect(wanted.node).running


def cuts_once_and_gives_back(provider: Provider, wanted: NodeSpec) -> None:
    """Check that a second cut is the first one, and that the state before it is what a release takes."""
    provider.create(wanted)
    cut = provider.isolate(wanted.node)
    assert provider.isolate(wanted.node).before == cut.before
    assert wanted.node in provider.isolated()
    provider.restore(wanted.node, cut.before)
    assert wanted.node not in provider.isolated()
    assert provider.isolate(wanted.node).before == cut.before
    assert _raises(RingfenceError, lambda: provider.restore(wanted.node, "0" * 64))
    provider.restore(wanted.node, cut.before)
    provider.destroy(wanted.node)


# What needs a real node.


def lets_a_certificate_in(suite: Suite) -> None:
    """Check a command on the first connection, with strict checking of the host key."""
    suite.start()
    said = suite.ssh("echo", "it", "is", "$HOME")
    assert (said.code, said.out) == (0, "it is $HOME\n"), said.err


def says_how_it_is_set_up(suite: Suite, change: Sequence[str] = ()) -> None:
    """Check that a node is as its baseline says, and is not after a `change`; one of one's own takes the baseline."""
    suite.start()
    found = suite.provider.configuration(suite.node)
    if not suite.provider.baseline(suite.spec):
        assert suite.provider.baseline(suite.spec) == {}
        suite.provider.keep_baseline(suite.node, found)
        assert suite.again().baseline(suite.spec) == found
    baseline = suite.provider.baseline(suite.spec)
    assert drifted(baseline, found) == unread(baseline, found) == [], (baseline, found)
    assert found[Fact.REMOVABLE] in {"blocked", "open", "unknown"}
    if change:
        assert suite.ssh(*change).done
        assert drifted(baseline, suite.provider.configuration(suite.node))


def refuses_other_certificates(suite: Suite, other: KeyFileAuthority) -> None:
    """Check that an expired certificate, another node's, another authority's and a bare key let nobody in."""
    suite.start()
    earlier = FakeClock(suite.clock.now() - timedelta(hours=1))
    bad = {
        "expired": suite.certificate(authority=KeyFileAuthority(suite.authority._path, earlier), seconds=1),  # noqa: SLF001
        "of another node": suite.certificate(principal="n-0badbad0"),
        "of another authority": suite.certificate(authority=other),
        "none": public_line(suite.key),
    }
    for what, certificate in bad.items():
        said = suite.ssh("true", certificate=certificate)
        assert (said.code, "Permission denied" in said.err) == (255, True), f"{what}: {said}"
    assert suite.ssh("true").done


def refuses_a_changed_host_key(suite: Suite) -> None:
    """Check that a client goes no further where the node shows another key than the one that was made for it."""
    suite.start()
    said = suite.ssh("true", host_key=sshd.new_host_key().public)
    assert said.code == 255
    assert "Host key verification failed" in said.err


def reaches_nothing(suite: Suite, peer: str, host: str) -> None:
    """Check that a node opens no connection: to a peer, to the host's side, to a metadata service, to the world."""
    suite.start()
    for address in (peer, host, "169.254.169.254", "192.0.2.1"):
        tried = f"timeout 1 bash -c 'exec 3<>/dev/tcp/{address}/22' && echo open || echo closed"
        said = suite.ssh("bash", "-c", tried)
        assert said.out.strip() == "closed", f"{address}: {said}"
    loop = suite.ssh("bash", "-c", "timeout 1 bash -c 'exec 3<>/dev/tcp/127.0.0.1/22' && echo open || echo closed")
    assert loop.out.strip() == "open", "the check itself does not work"


def logs_arrive_on_our_side(suite: Suite, *, from_inside: bool = False) -> None:
    """Check that a failed login is in the file that belongs to the node, and that no one inside can write there.

    Args:
        suite: the provider under test.
        from_inside: the lines come from the node itself, whose root can write what he likes.
    """
    suite.start()
    suite.ssh("true", certificate=public_line(suite.key))
    (log,) = suite.provider.logs(suite.node)
    assert log.node == suite.node
    path = Path(log.path)
    until(lambda: b"[preauth]" in path.read_bytes(), "the line of the failure")
    if from_inside:
        return
    forge = "for fd in /proc/[0-9]*/fd/*; do echo 'FORGED by the node' > $fd; done 2>/dev/null; true"
    suite.ssh("bash", "-c", forge)
    suite.ssh("true", options=["User=x\nFORGED by a name"])
    until(lambda: "Disconnected from user" in path.read_text(errors="replace"), "the line of the end")
    assert not [line for line in path.read_text(errors="replace").splitlines() if "FORGED" in line[:40]]


def holds_processes_back(suite: Suite) -> None:
    """Check that a node cannot start processes without end, and that it works afterwards."""
    suite.start()
    said = suite.ssh("sh", "-c", "i=0; while [ $i -lt 200 ]; do sleep 2 & i=$((i+1)); echo $i; done")  # sh gives up
    assert "200" not in said.out.split(), "200 processes ran"
    until(lambda: suite.ssh("true").done, "a login")


def holds_memory_back(suite: Suite) -> None:
    """Check that a node cannot take more memory than it was given, and that it works afterwards."""
    suite.start()
    greedy = f"x=$(head -c {2 * suite.spec.memory_mib * 2**20} /dev/zero | tr '\\0' x); echo ${{#x}}"
    said = suite.ssh("bash", "-c", greedy, seconds=60)
    assert said.out.strip() != str(2 * suite.spec.memory_mib * 2**20)
    assert suite.ssh("true").done


def a_cut_holds_and_ends(suite: Suite, *, one_way: bool = False) -> None:
    """Check that ordinary SSH ends with the cut while the forensic channel answers, and that a release undoes it.

    Args:
        suite: the provider under test.
        one_way: both come from the same address, so that the cut cannot tell them apart; no certificate is issued then.
    """
    suite.start()
    cut = suite.provider.isolate(suite.node)
    assert suite.ssh("true", options=["ConnectTimeout=2"]).done is one_way
    assert suite.ssh("true", forensic=True).done
    tried = [probe for probe in suite.provider.probe(suite.node) if not probe.observed.startswith("not-tried")]
    assert tried
    assert all(probe.ok for probe in tried), tried
    suite.provider.create(suite.spec)
    assert suite.node in suite.provider.isolated(), "to make it again must not free it"
    assert suite.ssh("true", options=["ConnectTimeout=2"]).done is one_way, "to make it again must not free it"
    suite.provider.restore(suite.node, cut.before)
    assert suite.ssh("true").done


def tells_what_is_volatile(suite: Suite) -> None:
    """Check that the evidence shows a process and the login, and that a spent time says so instead."""
    suite.start()
    # A shell by another name: a BusyBox by another name looks for an applet of that name.
    suite.ssh("bash", "-c", "(exec -a intruder bash -c 'sleep 600; true') > /dev/null 2>&1 < /dev/null &")
    found = suite.provider.collect(suite.node, seconds=suite.patience)
    assert b"intruder" in found["processes"]
    assert b"Accepted publickey" in found["log-tail"]
    late = suite.provider.collect(suite.node, seconds=0)
    assert set(late) == set(found)
    assert all(item == b"not taken: the time was up" for item in late.values())


def survives_our_restart(suite: Suite) -> None:
    """Check that another process of ours finds the node, reaches it and can end it."""
    suite.start()
    heir = suite.again()
    assert heir.inspect(suite.node).running
    assert heir.ready(suite.node)
    assert suite.node in heir.existing()
    assert heir.endpoint(suite.node) == suite.provider.endpoint(suite.node)
    heir.destroy(suite.node)
    assert not suite.provider.inspect(suite.node).running
    assert suite.node not in suite.provider.existing()


def _raises(kind: type[RingfenceError], act: Callable[[], object]) -> bool:
    try:
        act()
    except kind:
        return True
    return False
