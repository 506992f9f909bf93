import subprocess
import time
from contextlib import contextmanager

import pytest

from ringfence.compute.model import Endpoint
from ringfence.compute.providers import remote
from ringfence.compute.providers.authority import KeyFileAuthority
from ringfence.compute.providers.remote import Remote, Talk, explained
from ringfence.compute.providers.sshd import new_host_key
from ringfence.kernel.errors import Refused, Unavailable, VerificationFailed
from ringfence.testing.clock import FakeClock
from ringfence.testing.compute import spec

KEY = new_host_key().public


@contextmanager
def talk(script, seconds=5.0):
    pipe = subprocess.PIPE
    with subprocess.Popen(["sh", "-c", script], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as process:
        try:
            yield Talk(process, "app-1", time.monotonic() + seconds)
        finally:
            process.kill()


def test_a_conversation():
    with talk("echo noise; echo begun; echo one; echo ready; cat; echo done") as made:
        assert made.until("begun") == "noise\n"
        assert made.until("ready") == "one\n"
        made.say(b"rules\n", end=True)
        assert made.until("done") == "rules\n"


def test_a_mark_in_the_middle_of_a_line_is_none():
    with talk("echo xready; echo ready") as made:
        assert made.until("ready") == "xready\n"


def test_a_command_that_fails_is_told_with_its_last_words():
    with talk("echo first >&2; printf 'no\\033such table\\n' >&2; exit 3") as made, pytest.raises(Unavailable) as told:
        made.rest()
    assert "app-1: no?such table" in str(told.value)


def test_one_that_is_silent_is_not_waited_for():
    with talk("sleep 20", seconds=0.2) as made, pytest.raises(Unavailable, match="in time"):
        made.until("ready")
    with talk("echo part; sleep 20", seconds=0.3) as made:
        assert made.printed() == "part\n"


def test_one_that_never_stops_is_stopped():
    with talk("yes", seconds=20) as made, pytest.raises(VerificationFailed, match="more than"):
        made.until("ready")


@pytest.mark.parametrize(
    ("complaint", "kind"),
    [
        ("root@192.0.2.1: Permission denied (publickey).\n", Refused),
        ("Host key verification failed.\n", VerificationFailed),
        ("ssh: connect to host 192.0.2.1 port 22: Connection refused\n", Unavailable),
        ("", Unavailable),
    ],
)
def test_what_ssh_says_becomes_an_error_of_ours(complaint, kind):
    assert type(explained(complaint, "app-1")) is kind


def test_a_login_trusts_one_key_and_takes_nothing_along(tmp_path):
    authority = KeyFileAuthority(tmp_path / "ca", FakeClock())
    endpoint = Endpoint("deploy", KEY, (), "app-1", 2222, fdpass=False)
    made = Remote(spec().node, endpoint, authority)
    argv, environment = made.command(tmp_path, "uptime")
    told = " ".join(argv)
    assert argv[1:].index("-F") >= 0
    assert argv[-2:] == ["app-1", "uptime"]
    for option in ("StrictHostKeyChecking=yes", "BatchMode=yes", "ForwardAgent=no", "ClearAllForwardings=yes"):
        assert option in told
    assert "SSH_AUTH_SOCK" not in environment
    assert (tmp_path / "known_hosts").read_text() == f"{spec().node} {KEY}\n"
    assert (tmp_path / "id").stat().st_mode & 0o777 == 0o600
    assert remote.CERTIFIED_SECONDS <= 300
