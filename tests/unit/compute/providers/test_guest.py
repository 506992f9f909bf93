"""What a machine is given, and how its own words are taken."""

import os
import stat
import time

import pytest

from ringfence.compute.model import Endpoint, NodeClass, NodeId, NodeSpec
from ringfence.compute.providers import guest, sshd
from ringfence.compute.providers.remote import Remote
from ringfence.fabric.model import Attachment
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.testing.sandboxes import HOST_KEY

HASH = "$6$saltsalt$" + "a" * 86


def spec(password: str | None = None) -> NodeSpec:
    return NodeSpec(NodeId("n-0123abcd"), "alpha", Tenant("acme"), NodeClass.VM, 256, 100, 64, (), password, False)


def test_the_kernel_is_told_name_address_and_gateway() -> None:
    words = guest.kernel_words(spec(), Attachment("n-0123abcd", "n0", "10.203.0.2", "10.203.0.1", 30)).split()
    assert {"ringfence.name=alpha", "ringfence.address=10.203.0.2/30", "ringfence.gateway=10.203.0.1"} < set(words)


def test_the_host_key_can_be_read_by_root_only() -> None:
    key = sshd.new_host_key()
    mode, content = guest.files(spec(), key, "ssh-ed25519 AAAA ca")["host_key"]
    assert content.decode() == key.private
    assert mode & 0o077 == 0


def test_a_password_comes_as_its_hash_or_not_at_all() -> None:
    key = sshd.new_host_key()
    assert "password" not in guest.files(spec(), key, "ca")
    mode, content = guest.files(spec(HASH), key, "ca")["password"]
    assert (content, mode & 0o077) == (HASH.encode(), 0)


@pytest.mark.parametrize("password", ["", "secret", "$6$x", f"{HASH}|s", f"{HASH}\nroot::0:0", "$6$" + "&" * 20])
def test_anything_but_a_hash_is_refused(password: str) -> None:
    with pytest.raises(MalformedInput):
        guest.files(spec(password), sshd.new_host_key(), "ca")


def test_the_emulator_s_answers_are_listed() -> None:
    assert guest.described({"query-status": {"status": "running"}}) == "query-status: {'status': 'running'}"


def test_a_log_writer_frames_what_a_machine_says(tmp_path) -> None:
    log = tmp_path / "sshd.log"
    with guest.writer(log, "ringfence-test") as end:
        os.write(end, b"Accepted publickey\n\x1b[2Jforged\n")
    deadline = time.monotonic() + 20
    while not (log.exists() and log.read_bytes().count(b"\n") == 2) and time.monotonic() < deadline:
        time.sleep(0.02)
    first, second = log.read_text().splitlines()
    assert first.endswith("Z Accepted publickey")
    assert second.endswith("Z ?[2Jforged")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def way(proxy: tuple[str, ...]) -> Remote:
    class Authority:
        def certificate(self, public_key: str, *, principal: str, seconds: int, serial: int, key_id: str = "") -> str:
            return f"ssh-ed25519-cert-v01@openssh.com {principal} {key_id} {seconds} {serial} {public_key.split()[1]}"

        def ca_public(self) -> str:
            return HOST_KEY

    return Remote(
        NodeId("n-0123abcd"), Endpoint("ringfence", HOST_KEY, proxy, "n-0123abcd", 22, fdpass=False), Authority()
    )


def test_without_time_nothing_is_asked() -> None:
    facts = guest.facts(way(("/bin/false",)), seconds=0.0)
    assert set(facts.values()) == {b"not taken: the time was up"}


def test_a_guest_that_cannot_be_reached_says_nothing() -> None:
    facts = guest.facts(way(("/bin/false",)), seconds=5.0)
    assert set(facts) == set(guest.FACTS)
    assert all(fact.startswith(b"not taken: ") for fact in facts.values())


def test_a_guest_that_says_too_much_is_not_heard_out(tmp_path, monkeypatch) -> None:
    ssh = tmp_path / "usr/bin/ssh"
    ssh.parent.mkdir(parents=True)
    ssh.write_text("#!/bin/sh\nexec /usr/bin/head -c 9000000 /dev/zero\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("RINGFENCE_TOOLS", str(tmp_path))
    facts = guest.facts(way(()), seconds=20.0)
    assert all(b"answers with more than" in fact for fact in facts.values())


def test_a_guest_that_hangs_is_left() -> None:
    facts = guest.facts(way(("/bin/sleep", "5")), seconds=0.4)
    assert set(facts.values()) == {b"not taken: the guest did not answer in time"}
