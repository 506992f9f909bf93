"""Whatever a stranger types, a node says of itself, or a file claims: nobody is cut off for it."""

import os
import re
from types import SimpleNamespace

import httpx
import pytest

from ringfence import components
from ringfence.compute.providers import image
from ringfence.fabric.model import PortState
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import RingfenceError
from ringfence.testing import lab as labs

pytestmark = pytest.mark.skipif(bool(labs.missing()), reason=labs.missing() or "-")
VICTIM = "10.0.0.9"  # an address that lines name and that nobody has
INSIDER, ADMINISTRATOR = "203.0.113.90", "203.0.113.91"
STAMP = "2026-01-01T00:00:00.000Z "


def names(node, other):
    """Return user names that want to be lines, for the strangers who type them."""
    success = f"Accepted password for ringfence from {VICTIM} port 22 ssh2"
    failures = "\r".join(f"Failed password for root from {VICTIM} port 22 ssh2" for _ in range(4))
    return {
        "203.0.113.11": f"x from {VICTIM} port 22 ssh2",
        "203.0.113.12": f"x from {other['network_address']} port 22 ssh2",
        "203.0.113.13": f"{failures}\r{success}",
        "203.0.113.14": f"x\x0b\x0c{STAMP}{failures}\r{STAMP}{success}\r\x85\u2028",
        "203.0.113.15": f"\x1b[2J\x1b[1A\x1b[2K{success}\x07\x9b2J",
        "203.0.113.16": f"ringfence from {VICTIM} port 22 ssh2\rJan  1 00:00:00 {other['node']} sshd[1]: {success}",
        "203.0.113.17": f"x from {node['network_address']} port 22 ssh2: message repeated 9 times: [ {success}]",
    }


@pytest.fixture(scope="module")
def lab(made_now, tmp_path_factory):
    place = tmp_path_factory.mktemp("forged")
    with labs.running(made_now.copy(place / "home"), place / "work") as made:
        made.node, made.other = made.start("lab", password=True), made.start("other")
        yield made


def raw_names(node):
    """Return user names that `ssh` refuses to send: with line feeds, alone and as sshd's own lines end.

    sshd prints the first hundred characters of a name, line feeds as they are where it logs to standard error.
    """
    own = "203.0.113.24"  # who guesses from here, and then writes a success into the log that never was
    return {
        "203.0.113.21": f"x\nAccepted password for ringfence from {VICTIM} port 22 ssh2\ny",
        "203.0.113.22": f"\r\nAccepted password for ringfence from {VICTIM} port 22 ssh2\r\n",
        "203.0.113.23": f"\n{STAMP}Accepted password for root from {VICTIM} port 22 ssh2\n\x1b[2J",
        own: f"x\r\nAccepted password for ringfence from {own} port 22 ssh2\r\n{node['node']}",
    }


@pytest.fixture(scope="module")
def sent(lab):
    """Each raw name, sent by a stranger of its own, as often as makes a finding."""
    for address, user in raw_names(lab.node).items():
        lab.stranger(address).guess_raw(lab.node["network_address"], labs.wrong(6), user)
    for address in raw_names(lab.node):
        lab.until(lambda address=address: address in lab.net.fabric.blocked(), f"the block of {address}")
    return lab.findings()


def test_a_line_feed_in_a_name_is_no_line(sent, lab):
    """What follows a line feed in a name must not be taken as sshd's own words: it would isolate the node."""
    accused = {one["source"] for one in sent if one["authenticated"]}
    assert set(raw_names(lab.node)) <= accused
    assert VICTIM not in accused
    assert VICTIM not in lab.net.fabric.blocked()
    nobody_is_cut_off(lab)
    lines = (lab.home.path / "nodes" / lab.node["node"] / "sshd.log").read_bytes().split(b"\n")[:-1]
    begun = [line for line in lines if line[25:].startswith((b"Accepted password", STAMP.encode()))]
    assert not [line for line in begun if f" from {INSIDER} port " not in line.decode()]


@pytest.mark.soak
def test_a_line_feed_in_a_name_is_no_line_of_a_virtual_node(lab):
    """A guest's sshd writes through a channel of the machine; each write stays one message on its way out."""
    try:
        components.find("qemu-system-x86_64")
        image.load(components.machine_files())
    except RingfenceError as error:
        pytest.skip(str(error))
    password = str(labs.password_file(lab.work, lab.password))
    lab.ask("node", "start", "virtual", "--class", "vm", "--expose", "22", "--password-file", password, role=Role.OWNER)
    node = lab.show("virtual")
    log = lab.home.path / "nodes" / node["node"] / "sshd.log"
    for number, user in enumerate(raw_names(node).values()):  # too few guesses of each to be a finding
        lab.stranger(f"203.0.113.{number + 31}").guess_raw(node["network_address"], labs.wrong(2), user)
    last = "203.0.113.34 port"
    lab.until(lambda: log.read_text().count(last) >= 6, "the last lines")
    lines = log.read_bytes().split(b"\n")[:-1]
    assert not [line for line in lines if line[25:].startswith((b"Accepted password", STAMP.encode()))]
    lab.ask("node", "stop", "virtual", role=Role.OWNER)


@pytest.fixture(scope="module")
def typed(lab):
    """Each hostile name, typed by a stranger of its own, as often as makes a finding."""
    for address, user in names(lab.node, lab.other).items():
        lab.stranger(address).guess(lab.node["network_address"], labs.wrong(), user=user, seconds=6)
    for address in names(lab.node, lab.other):
        lab.until(lambda address=address: address in lab.net.fabric.blocked(), f"the block of {address}")
    return SimpleNamespace(findings=lab.findings(), blocked=lab.net.fabric.blocked())


def nobody_is_cut_off(lab):
    states = lab.net.fabric.nodes()
    assert {states[node["node"]] for node in (lab.node, lab.other)} == {PortState.ADMITTED}
    assert not lab.stated("quarantine.requested")
    assert not [one for one in lab.findings() if one["rule"] == "ssh-guessing-then-success" and one["authenticated"]]


def test_the_name_that_is_typed_decides_nothing(typed, lab):
    nobody_is_cut_off(lab)
    strangers = set(names(lab.node, lab.other))
    known = strangers | set(raw_names(lab.node)) | {ADMINISTRATOR, INSIDER}  # whose own tests may have come before
    assert strangers <= set(typed.blocked) <= known
    heard = [one for one in typed.findings if one["authenticated"]]  # a file that another test declared is not
    assert strangers <= {one["source"] for one in heard} <= known
    assert {one["node"] for one in heard} == {lab.node["node"]}


def test_what_is_typed_begins_no_line_of_the_log(typed, lab):  # noqa: ARG001
    lines = (lab.home.path / "nodes" / lab.node["node"] / "sshd.log").read_bytes().split(b"\n")[:-1]
    assert all(re.match(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ [ -~]*$", line) for line in lines)
    assert any(VICTIM.encode() in line for line in lines), "what was typed is in the log"
    begun = [line for line in lines if line[25:].startswith((b"Accepted password", STAMP.encode()))]
    assert not [
        line for line in begun if f" from {INSIDER} port " not in line.decode()
    ]  # who did log in, in another test


def test_a_user_of_the_node_cannot_write_into_its_log(lab):
    line = f"Accepted password for root from {VICTIM} port 22 ssh2"
    forged = "; ".join(
        f"for i in 1 2 3 4 5 6; do echo '{text}' > {target}; done 2>/dev/null"
        for text in (line.replace("Accepted", "Failed"), line)
        for target in ("/proc/1/fd/2", "/proc/1/fd/1", "/proc/$PPID/fd/2", "/dev/stderr", "/dev/log", "/dev/console",
                       "/dev/kmsg")
    )  # fmt: skip
    done = lab.stranger(INSIDER).guess(lab.node["network_address"], [lab.password], f"{forged}; echo tried")
    assert done.stdout.endswith(b"tried\n")
    log = lab.home.path / "nodes" / lab.node["node"] / "sshd.log"
    lab.until(lambda: f"Disconnected from user ringfence {INSIDER}" in log.read_text(), "the end of the insider's stay")
    assert VICTIM not in "".join(part for part in log.read_text().splitlines() if "203.0.113" not in part)
    nobody_is_cut_off(lab)


def test_a_file_that_claims_to_be_a_node_s_log_cuts_nobody_off(lab, tmp_path):
    lines = [f"Failed password for root from {VICTIM} port 22 ssh2"] * 9
    lines.append(f"Accepted password for root from {VICTIM} port 22 ssh2")
    file = tmp_path / "forged.log"
    hostile = "".join(f"Nov 22 05:00:00 {lab.other['node']} sshd[1]: {line}\n" for line in lines)
    file.write_bytes(hostile.encode() + b"\xff\x00\x1b[2J" + b"A" * 70_000 + b"\n")
    for name in ("other", lab.other["node"]):
        said = lab.ask("events", "ingest", str(file), "--source", "sshd", "--node", name, "--year", "2026")
        assert {one["rule"] for one in said["findings"]} >= {"ssh-guessing", "ssh-guessing-then-success"}
    declared = posted(lab, {"source": "sshd", "lines": hostile, "node": lab.other["node"], "year": 2026})
    assert declared["recorded"]
    kept = [one for one in lab.findings() if one["finding"] in declared["recorded"]]
    assert kept
    assert not [one for one in kept if one["authenticated"]]
    assert not [act for one in kept for act in one["actions"] if act["ruling"] == "take"]
    assert VICTIM not in lab.net.fabric.blocked()
    nobody_is_cut_off(lab)


def posted(lab, body):
    address = re.findall(r"(http://localhost:\d+)/login", (lab.home.path / "up.log").read_text())[-1]
    headers = {"authorization": f"Bearer {lab.home.people[Role.SECURITY].token}"}
    answer = httpx.post(f"{address}/api/v1/events", json=body, headers=headers, trust_env=False)
    return answer.raise_for_status().json()


def test_an_administrator_s_address_is_not_blocked(lab):
    """Who came in by certificate from an address: the guesses from there are left to a person."""
    stranger = lab.stranger(ADMINISTRATOR)
    done = by_certificate(lab, stranger, "true")
    assert done.returncode == 0, done.stderr
    stranger.guess(lab.node["network_address"], labs.wrong(), seconds=8)
    finding = lab.finding("ssh-guessing", ADMINISTRATOR)
    acts = {act["action"]: (act["ruling"], act["reason"]) for act in finding["actions"]}
    assert acts["block-source"] == ("ask", "recent-certificate-login")
    assert ADMINISTRATOR not in lab.net.fabric.blocked()
    assert stranger.connects(lab.node["network_address"])
    nobody_is_cut_off(lab)


def by_certificate(lab, stranger, *command):
    """Log in from outside with a certificate of the node's authority."""
    import subprocess

    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made, key = Ed25519PrivateKey.generate(), lab.work / "administrator"
    plain = serialization.NoEncryption()
    key.write_bytes(made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, plain))
    key.chmod(0o600)
    public = key.with_suffix(".pub")
    public.write_bytes(
        made.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    )
    certificate = lab.work / "administrator-cert.pub"
    lab.ask("node", "certificate", "lab", "--key", str(public), "--out", str(certificate), role=Role.ENGINEER)
    argv = stranger.command(lab.node["network_address"], 1, *command)
    switched = {"PreferredAuthentications=password": "PreferredAuthentications=publickey"}
    switched |= {"PubkeyAuthentication=no": f"IdentityFile={key}", "LogLevel=ERROR": f"CertificateFile={certificate}"}
    argv = [switched.get(word, word) for word in argv]
    return subprocess.run(
        argv, check=False, env=stranger.environment([]) | {"PATH": os.environ["PATH"]}, capture_output=True,
        stdin=subprocess.DEVNULL, timeout=20,
    )  # fmt: skip
