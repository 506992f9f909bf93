"""Measured machines, as far as none runs: what is refused, and which words a node gets and its image takes."""

import base64
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.compute.model import NodeClass, NodeId, NodeSpec, QuarantineKind
from ringfence.compute.providers import measured, sshd
from ringfence.compute.providers.endorsement import Issuer
from ringfence.compute.providers.measured import MeasuredProvider
from ringfence.compute.providers.records import Record, Records
from ringfence.fabric.model import Attachment
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.testing.clock import FakeClock
from ringfence.testing.sandboxes import HOST_KEY

NODE = NodeId("n-0123abcd")
SPEC = NodeSpec(NODE, "alpha", Tenant("acme"), NodeClass.MEASURED, 512, 100, 64, (), None, training=False)
WORDS = Path(__file__).resolve().parents[4] / "scripts/guest/words"
ATTACHMENT = Attachment(NODE, "rf0", "10.203.0.2", "10.203.0.1", 30)


class Authority:
    def certificate(self, public_key: str, *, principal: str, seconds: int, serial: int) -> str:  # noqa: ARG002
        raise AssertionError("nobody logs in here")

    def ca_public(self) -> str:
        return HOST_KEY


def no_network():
    raise Unavailable("no network here")


@pytest.fixture
def provider(tmp_path):
    return MeasuredProvider(tmp_path / "nodes", no_network, Authority(), Issuer(tmp_path / "ek_ca", FakeClock()))


def test_the_offer_names_what_is_missing_and_what_the_tpm_is_worth(provider):
    offer = provider.offer()
    assert (offer.available, offer.quarantine) == (False, QuarantineKind.OUTSIDE_GUEST)
    assert offer.because
    assert any("proves nothing against this host" in each for each in offer.limits)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"memory_mib": 256}, "one of these sizes"),
        ({"memory_mib": 600}, "one of these sizes"),
        ({"cpus_percent": 201}, "at most 2 processors"),
        ({"password": "$6$salt$hash"}, "by password"),
    ],
)
def test_what_no_reference_value_describes_is_refused(provider, change, why):
    with pytest.raises(Unavailable, match=why):
        provider.create(replace(SPEC, **change))
    assert provider.existing() == frozenset()


def test_a_node_without_a_tpm_has_no_certificate(provider, tmp_path):
    with pytest.raises(NotFound):
        provider.certificate(NODE)
    Records(tmp_path / "nodes").begin(Record(NODE, "measured-vm", host_key=HOST_KEY))
    with pytest.raises(NotFound, match="no certificate"):
        provider.certificate(NODE)


def test_a_plain_machine_is_another_class(provider, tmp_path):
    Records(tmp_path / "nodes").begin(Record(NODE, "vm", host_key=HOST_KEY))
    with pytest.raises(NotFound):
        provider.certificate(NODE)
    provider.destroy(NODE)
    assert (tmp_path / "nodes" / NODE).is_dir()


@pytest.fixture
def key():
    return sshd.new_host_key()


def lines(key, **changes):
    made = measured.words(SPEC, ATTACHMENT, key, f"{key.public} ringfence-ssh-ca").decode()
    found = dict(line.split(" ", 1) for line in made.splitlines())
    return {**found, **changes}


def read(found, place):
    """Let the image's own reader read the words: what it would mount or switch off is printed instead."""
    (place / "ssh").mkdir(exist_ok=True)
    given = place / "words"
    given.write_text("".join(f"{name} {value}\n" for name, value in found.items()))
    text = WORDS.read_text().replace("/etc/ssh", str(place / "ssh")).replace("/run/words", str(given))
    text = text.replace("/bin/busybox poweroff -f", "echo OFF").replace("/bin/busybox ", "")
    text = text.replace("/usr/lib/ringfence/sshd_config", "/dev/null")
    stubs = "mount() { :; }\nhostname() { echo named $1; }\n"
    shown = 'echo "$address $gateway $processes"\n'
    script = f"{stubs}{text}\n{shown}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=20, check=False)
    return done, place / "ssh"


def test_the_image_reads_a_node_s_words(key, tmp_path):
    done, folder = read(lines(key), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == ["named alpha", "10.203.0.2/30 10.203.0.1 64"]
    assert (folder / "host_key").read_text() == key.private
    assert (folder / "host_key").stat().st_mode & 0o777 == 0o600
    assert (folder / "principals").read_text() == f"{NODE}\n"
    assert (folder / "ca.pub").read_text() == f"{key.public} ringfence-ssh-ca\n"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "a; touch /tmp/x"},
        {"name": "A"},
        {"address": "10.0.0.2/30 dev eth1"},
        {"gateway": "$(reboot)"},
        {"processes": "64; id"},
        {"processes": "-1"},
        {"ca.pub": "ssh-rsa AAAA"},
        {"ca.pub": 'command="id" ssh-ed25519 ' + "A" * 68},
        {"principals": "n-0123abcd,root"},
        {"principals": "root"},
        {"host_key": "not base64!"},
        {"more": "x"},
        {"host_key": ""},
        {"password": "$6$x$y"},
    ],
)
def test_a_word_of_another_form_ends_the_machine(key, tmp_path, change):
    done, _ = read(lines(key, **change), tmp_path)
    assert done.returncode != 0
    assert "OFF" in done.stdout
    assert "ringfence: " in done.stdout


@pytest.mark.parametrize("lost", ["ca.pub", "principals", "host_key"])
def test_a_missing_word_ends_the_machine(key, tmp_path, lost):
    found = lines(key)
    del found[lost]
    done, _ = read(found, tmp_path)
    assert (done.returncode != 0, "OFF" in done.stdout) == (True, True)


def test_the_host_key_is_written_for_one_line(key):
    assert base64.b64decode(lines(key)["host_key"]).decode() == key.private
