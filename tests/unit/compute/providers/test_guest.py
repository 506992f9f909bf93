"""What a machine is given, and how its own words are taken."""

import os
import stat
import time

import pytest

from ringfence.compute.model import Endpoint, NodeClass, NodeId, NodeSpec
from ringfence.compute.providers import guest, sshd
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


def session(proxy: tuple[str, ...]) -> guest.Session:
    class Authority:
        def certificate(self, public_key: str, *, principal: str, seconds: int, serial: int) -> str:
            return f"ssh-ed25519-cert-v01@openssh.com {principal} {seconds} {serial} {public_key.split()[1]}"

        def ca_public(self) -> str:
            return HOST_KEY

    return guest.Session(
        NodeId("n-0123abcd"), Endpoint("ringfence", HOST_KEY, proxy, "n-0123abcd", 22, fdpass=False), Authority()
    )


def test_without_time_nothing_is_asked(tmp_path) -> None:
    facts = session(("/bin/false",)).facts(tmp_path, seconds=0.0)
    assert set(facts.values()) == {b"not taken: the time was up"}


def test_a_guest_that_cannot_be_reached_says_nothing(tmp_path) -> None:
    facts = session(("/bin/false",)).facts(tmp_path, seconds=5.0)
    assert set(facts) == set(guest.FACTS)
    assert all(fact.startswith(b"not taken: ") for fact in facts.values())
    assert not list(tmp_path.iterdir()), "the key of the session is gone"


def test_a_guest_that_hangs_is_left(tmp_path) -> None:
    facts = session(("/bin/sleep", "5")).facts(tmp_path, seconds=0.4)
    assert set(facts.values()) == {b"not taken: the guest did not answer in time"}
