"""A measured node, whole: it shows what it was started with, and a node that was started with anything else shows that.

One good machine and one with everything changed are started side by side, since each takes seconds to start; the
changes one by one, and the rest of the contract, are tried with the full counts.
"""

import base64
import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from ringfence import components
from ringfence.attestation import document, reference
from ringfence.attestation.appraise import appraise
from ringfence.attestation.model import Activation, Appraisal, Binding, Claim, Expected, Level
from ringfence.compute.model import NodeClass, QuarantineKind
from ringfence.compute.providers import bootvalues, image, measured, processes, remote, softtpm, sshd
from ringfence.compute.providers import reference as references
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.endorsement import Issuer
from ringfence.compute.providers.measured import MeasuredProvider
from ringfence.compute.providers.remote import Remote
from ringfence.fabric.client import Fabric
from ringfence.fabric.desired import CONTROL
from ringfence.installation import SystemClock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.testing import compute, fabric
from ringfence.testing import measured as agents
from ringfence.workloads.attesting import AGENT
from ringfence.workloads.nodeagent.speaking import Speaking

pytestmark = pytest.mark.timeout(900)
PATIENCE, MEMORY = 400.0, 512  # on a busy machine an emulated start takes minutes, and nothing here is timed
ANSWER_SECONDS = 240.0
OWN = f"{sshd.HOME}/busybox"  # a program that the image does not hold


def missing() -> str:
    return agents.machine_missing() or fabric.missing()


@dataclass
class Lab:
    """A network, and measured nodes in it."""

    net: fabric.Lab
    place: Path

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.authority = KeyFileAuthority(self.place / "keys" / "ssh_ca", self.clock)
        self.issuer = Issuer(self.place / "keys" / "ek_ca", self.clock)

    def provider(self) -> MeasuredProvider:
        directory = self.net.directory
        return MeasuredProvider(self.place / "nodes", lambda: Fabric.open(directory), self.authority, self.issuer)

    def suite(self, number: int) -> compute.Suite:
        wanted = compute.spec(number, node_class=NodeClass.MEASURED, memory_mib=MEMORY)
        made = self.provider()
        return compute.Suite(made, self.authority, self.clock, wanted, self.place, self.provider, patience=PATIENCE)

    def agent(self, suite: compute.Suite) -> Speaking:
        def send(message: bytes) -> bytes:
            way = Remote(suite.node, suite.provider.endpoint(suite.node), self.authority)
            return way.run(shlex.join(AGENT), said=message, seconds=ANSWER_SECONDS).encode()

        return Speaking(send, lambda: suite.provider.certificate(suite.node), self.clock.now)

    def expected(self) -> Expected:
        at = self.clock.now()
        made = references.expected("measured nodes", self.issuer.root(), at, at + timedelta(days=1))
        return reference.parse(reference.payload(made))

    def appraisal(self, suite: compute.Suite) -> Appraisal:
        speaking = self.agent(suite)
        asked = agents.binding(speaking)
        return self.judged(speaking.evidence(asked.digest), asked)

    def judged(self, evidence: bytes, asked: Binding) -> Appraisal:
        at = self.clock.now() + timedelta(seconds=1)
        return appraise(document.parse(evidence), self.expected(), asked, at, activation=Activation.ENFORCED)


@contextmanager
def started_otherwise(**changes: object) -> Iterator[None]:
    """Let machines start from other parts than those that reference values were computed from."""
    load, words = measured.image.load, measured.COMMAND_LINE
    try:
        if parts := {name: value for name, value in changes.items() if name != "words"}:
            measured.image.load = lambda folder: replace(load(folder), **parts)  # type: ignore[assignment,arg-type]
        measured.COMMAND_LINE = str(changes.get("words", words))
        yield
    finally:
        measured.image.load, measured.COMMAND_LINE = load, words


def with_another_byte(path: Path, at: int, into: Path) -> Path:
    """Copy a file with one byte changed where it starts nothing else."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    into.write_bytes(data)
    return into


def another_kernel(place: Path) -> Path:
    """Return the kernel with another byte in its version text, which it never reads itself: it starts as before."""
    shared = image.load(components.machine_files())
    data = shared.kernel.read_bytes()
    text = int.from_bytes(data[0x20E:0x210], "little") + 0x200
    return with_another_byte(shared.kernel, text + 2, place / "kernel")


def another_initrd(place: Path) -> Path:
    """Return the first file system with one file more behind it."""
    shared = image.load(components.machine_files())
    into = place / "measured"
    more = image.archive([image.Entry("more", 0o100644, b"more")])
    into.write_bytes(shared.measured.read_bytes() + more)
    return into


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[Lab]:
    if why := missing():
        pytest.skip(why)
    place = tmp_path_factory.mktemp("measured")
    with pytest.MonkeyPatch.context() as patched, fabric.lab(place / "fabric") as net:
        # A controller asks again where a machine is late; here nothing is timed, and a busy host makes all of it late.
        patient = (f"ConnectTimeout={ANSWER_SECONDS:.0f}", "ServerAliveCountMax=100")
        patched.setattr(remote, "OPTIONS", (*patient, *remote.OPTIONS))  # of an option twice, the first one counts
        patched.setattr(remote, "READ_SECONDS", ANSWER_SECONDS)
        net.node("peer")
        yield Lab(net, place)


@contextmanager
def pair(lab: Lab, place: Path) -> Iterator[tuple[compute.Suite, compute.Suite]]:
    """Start a good machine, and one with everything changed, side by side."""
    good, bad = lab.suite(1), lab.suite(2)
    with compute.cleaned(good), compute.cleaned(bad):
        good.provider.create(good.spec)
        with started_otherwise(
            kernel=another_kernel(place),
            measured=another_initrd(place),
            words=measured.COMMAND_LINE + " more=1",
        ):
            bad.provider.create(bad.spec)
        for suite in (good, bad):
            come_up(suite)
        yield good, bad


def come_up(suite: compute.Suite) -> None:
    """Wait for a machine; where it does not come, show what its console said."""
    try:
        suite.start()
    except RingfenceError as error:
        console = suite.place / "nodes" / suite.node / measured.CONSOLE
        said = console.read_text(errors="replace") if console.exists() else "nothing"
        raise AssertionError(
            f"{error}; {suite.provider.inspect(suite.node).detail}; its console: {said[-2000:]}"
        ) from error


def a_good_start_is_affirmed_and_a_released_key_opens_there(lab: Lab, good: compute.Suite, bad: compute.Suite) -> None:
    speaking = lab.agent(good)
    evidence = agents.gives_evidence(speaking)
    found = lab.judged(evidence, agents.binding(speaking))
    assert found.acceptable, {claim: found.claims[claim] for claim in found.lacking}
    assert found.software_tpm, "a TPM that is a program must say so"
    assert found.claims[Claim.RUNTIME].level is Level.AFFIRMING
    agents.refuses(lambda: lab.agent(bad).read("lease-00000000000a", Digest.of(b""), "x", {}), "no such lease")
    until = lab.clock.now() + timedelta(minutes=10)
    before = speaking.identify()
    agents.opens_what_is_released(speaking, until)
    assert speaking.identify() != before, "with the last lease the agent ends, and its key with it"


def a_key_for_another_node_is_refused(lab: Lab, good: compute.Suite, bad: compute.Suite) -> None:
    elsewhere = lab.agent(bad)
    evidence = elsewhere.evidence(agents.binding(elsewhere).digest)
    agents.refuses_what_is_not_for_it(lab.agent(good), lab.clock.now() + timedelta(minutes=10), evidence)


def another_start_shows_in_each_part(lab: Lab, _: compute.Suite, bad: compute.Suite) -> None:
    found, expected = lab.appraisal(bad), lab.expected().values
    assert found.claims[Claim.BOOT].level is Level.CONTRAINDICATED
    assert Claim.BOOT in found.lacking
    for part in ("kernel", "initrd", "cmdline"):
        assert bytes.fromhex(found.measurements[part]) not in expected.events[part], part
    assert found.claims[Claim.SIGNATURE].level is Level.AFFIRMING, "it is a genuine quote of another start"


def a_quote_is_good_for_its_own_node_and_challenge_only(lab: Lab, good: compute.Suite, bad: compute.Suite) -> None:
    speaking = lab.agent(good)
    asked = agents.binding(speaking)
    evidence = speaking.evidence(asked.digest)
    others = {
        "another nonce": replace(asked, nonce=b"o" * 32),
        "another node's key": replace(asked, node_key=lab.agent(bad).identify()),
        "another workload": replace(asked, workload=Digest.of(b"other.py")),
        "another dataset": replace(asked, dataset="b" * 32),
    }
    for what, other in others.items():
        assert not lab.judged(evidence, other).acceptable, what
    stolen = {**json.loads(evidence), "ekCertificate": base64.b64encode(bad.provider.certificate(bad.node)).decode()}
    assert not lab.judged(json.dumps(stolen).encode(), asked).acceptable, "another TPM's certificate"


def what_a_user_starts_there_is_listed(lab: Lab, good: compute.Suite, _: compute.Suite) -> None:
    """From then on the machine shows more than the image; all that ran before was of the image."""
    tried = "for at in /tmp /dev/shm; do cp /bin/busybox $at/own; $at/own true; done; cat /tmp/own /dev/shm/own | wc -c"
    said = good.ssh("sh", "-c", tried)  # of what lies in memory alone nothing would be measured
    assert (int(said.out) > 2**20, said.err.count("Permission denied")) == (True, 2), said
    assert lab.appraisal(good).claims[Claim.RUNTIME].level is Level.AFFIRMING
    said = good.ssh("sh", "-c", f"cp /bin/busybox {OWN} && echo '#' >> {OWN}")
    assert said.done, said.err
    assert good.ssh(OWN, "true").done
    found = lab.appraisal(good)
    assert found.claims[Claim.RUNTIME].level is Level.CONTRAINDICATED
    assert OWN in found.claims[Claim.RUNTIME].reason
    assert found.claims[Claim.BOOT].level is Level.AFFIRMING


def the_rest_of_what_a_node_promises(lab: Lab, good: compute.Suite, _: compute.Suite) -> None:
    compute.says_how_it_is_set_up(good)
    compute.logs_arrive_on_our_side(good)
    nobody_of_the_host_is_root_for_it(lab.place / "nodes" / good.node)
    nobody_inside_reaches_the_tpm(good)
    assert good.provider.offer().quarantine is QuarantineKind.OUTSIDE_GUEST
    compute.survives_our_restart(good)
    nothing_is_left(lab.place / "nodes", good)


STEPS = (
    a_good_start_is_affirmed_and_a_released_key_opens_there,
    a_key_for_another_node_is_refused,
    another_start_shows_in_each_part,
    a_quote_is_good_for_its_own_node_and_challenge_only,
    what_a_user_starts_there_is_listed,  # from here on it is affirmed no more
    the_rest_of_what_a_node_promises,  # and at its end it is gone
)


def test_a_measured_node_from_its_start_to_its_end(lab, tmp_path) -> None:
    """Take one step after the other on the same two machines: the order matters, since the last steps change them."""
    with pair(lab, tmp_path) as (good, bad):
        for step in STEPS:
            step(lab, good, bad)


def nobody_inside_reaches_the_tpm(suite: compute.Suite) -> None:
    """Check that users can ask the agent and nothing else: neither its memory nor the TPM."""
    for path in ("/dev/tpm0", "/dev/tpmrm0", "/sys/kernel/security/tpm0/binary_bios_measurements"):
        assert not suite.ssh("sh", "-c", f"cat {path} > /dev/null").done, path
    keeper = suite.ssh("sh", "-c", "ps -o pid,user,args | grep '[a]gent.py keep' | head -n 1").out.split()
    assert keeper[1] == "keeper", keeper
    for name in ("mem", "environ", "maps"):
        assert not suite.ssh("sh", "-c", f"cat /proc/{keeper[0]}/{name} > /dev/null").done, name
    assert not suite.ssh("kill", "-9", keeper[0]).done


def nobody_of_the_host_is_root_for_it(folder: Path) -> None:
    """Check that emulator and TPM run as a user of the node's own, with a folder that nobody else may enter."""
    record = json.loads((folder / "node.json").read_text())
    users = {Path("/proc", str(each["pid"])).stat().st_uid for each in record["processes"]}
    assert users == {record["uid"]} or record["uid"] is None
    assert (folder / measured.TPM).stat().st_mode & 0o777 == 0o700
    for each in record["processes"]:
        status = Path(f"/proc/{each['pid']}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert Path(f"/proc/{each['pid']}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()


def nothing_is_left(nodes: Path, suite: compute.Suite) -> None:
    """Check that a destroyed node leaves no process, no group and no file, its TPM's state least of all."""
    marks = suite.provider._marks(suite.node)
    assert any(mark.startswith(softtpm.PREFIX) for mark in marks)
    assert not processes.marked(*marks)
    assert not (nodes / suite.node).exists()


def test_who_is_killed_while_making_one_leaves_nothing(lab) -> None:
    suite = lab.suite(3)

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with compute.cleaned(suite):
        made = measured.qemu.start
        measured.qemu.start = killed  # type: ignore[assignment]
        try:
            with pytest.raises(Killed):
                suite.provider.create(suite.spec)
        finally:
            measured.qemu.start = made
        heir = lab.provider()
        assert suite.node in heir.existing()
        assert not heir.inspect(suite.node).running
        heir.destroy(suite.node)
        nothing_is_left(lab.place / "nodes", suite)


def test_what_would_not_be_measured_right_is_refused(lab) -> None:
    suite = lab.suite(4)
    for change in ({"memory_mib": 256}, {"memory_mib": 400}, {"cpus_percent": 300}, {"password": compute.CHEAP_HASH}):
        with pytest.raises(Unavailable):
            suite.provider.create(replace(suite.spec, **change))
    assert suite.node not in suite.provider.existing()


CHANGES: dict[str, Callable[[Path], dict[str, object]]] = {
    "kernel": lambda place: {"kernel": another_kernel(place)},
    "initrd": lambda place: {"measured": another_initrd(place)},
    "cmdline": lambda _: {"words": measured.COMMAND_LINE + " more=1"},
}


@pytest.mark.soak
@pytest.mark.parametrize("part", CHANGES)
def test_each_part_alone(lab, tmp_path, part) -> None:
    suite = lab.suite(5)
    with compute.cleaned(suite):
        with started_otherwise(**CHANGES[part](tmp_path)):
            come_up(suite)
        found, expected = lab.appraisal(suite), lab.expected().values
        assert not found.acceptable
        assert found.claims[Claim.BOOT].level is Level.CONTRAINDICATED
        differs = {
            name for name, right in expected.events.items() if bytes.fromhex(found.measurements[name]) not in right
        }
        # QEMU tells the kernel how long the first file system is, before the kernel is measured.
        assert differs == ({"kernel", "initrd"} if part == "initrd" else {part})
        assert f"PCR {4 if 'kernel' in differs else 9}" in found.claims[Claim.BOOT].reason


@pytest.mark.soak
@pytest.mark.parametrize("memory", bootvalues.SIZES_MIB)
@pytest.mark.parametrize("processors", bootvalues.PROCESSORS)
def test_every_size_is_affirmed(lab, memory, processors) -> None:
    suite = lab.suite(6)
    suite.spec = replace(suite.spec, memory_mib=memory, cpus_percent=100 * processors)
    with compute.cleaned(suite):
        come_up(suite)
        found = lab.appraisal(suite)
        assert found.acceptable, {claim: found.claims[claim] for claim in found.lacking}


@pytest.mark.soak
def test_the_rest_of_the_contract(lab, tmp_path) -> None:
    suite = lab.suite(7)
    with compute.cleaned(suite):
        compute.refuses_other_certificates(suite, KeyFileAuthority(tmp_path / "keys" / "other_ca", suite.clock))
        compute.refuses_a_changed_host_key(suite)
        compute.reaches_nothing(suite, lab.net.nodes["peer"].address, CONTROL)
        compute.holds_processes_back(suite)
        compute.a_cut_holds_and_ends(suite)
        compute.tells_what_is_volatile(suite)
        compute.makes_it_once_and_destroys_it_wholly(suite.provider, suite.spec)
        compute.cuts_once_and_gives_back(suite.provider, suite.spec)
