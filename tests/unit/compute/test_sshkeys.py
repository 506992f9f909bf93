import pytest

from ringfence.compute import sshkeys
from ringfence.compute.model import Endpoint, NodeId
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.sandboxes import HOST_KEY

NODE = NodeId("n-0123abcd")
FILES = sshkeys.Files("/t/key", "/t/cert", "/t/known")


def test_a_key_with_and_without_its_comment_has_one_fingerprint():
    assert sshkeys.fingerprint(HOST_KEY) == sshkeys.fingerprint(HOST_KEY + " me@host")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        "ssh-rsa AAAA",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAA",
        HOST_KEY.replace("ssh-ed25519 A", "ssh-ed25519 B"),
        HOST_KEY + " a b",
        'command="x" ' + HOST_KEY,
        HOST_KEY + " " + "x" * 300,
        HOST_KEY[:-1] + "\u0661",
        None,
    ],
)
def test_anything_else_is_refused(line):
    with pytest.raises(MalformedInput):
        sshkeys.fingerprint(line)


def test_ssh_trusts_only_the_recorded_host_key_and_goes_through_the_proxy():
    endpoint = Endpoint("ringfence", HOST_KEY, ("py", "-m", "x y"), NODE, 22, fdpass=True)
    argv = sshkeys.command("/usr/bin/ssh", NODE, endpoint, FILES, ["echo", "a b"])
    assert argv[:3] == ["/usr/bin/ssh", "-F", "none"]
    assert "StrictHostKeyChecking=yes" in argv
    assert "ProxyCommand=py -m 'x y'" in argv
    assert "ProxyUseFdpass=yes" in argv
    assert argv[-3:] == ["--", NODE, "echo 'a b'"]
    assert sshkeys.known_hosts(NODE, HOST_KEY) == f"{NODE} {HOST_KEY}\n"


def test_what_ssh_would_expand_in_the_way_to_the_proxy_is_escaped():
    endpoint = Endpoint("ringfence", HOST_KEY, ("py", "/50%/a b"), NODE, 22, fdpass=True)
    argv = sshkeys.command("ssh", NODE, endpoint, FILES, [])
    assert "ProxyCommand=py '/50%%/a b'" in argv


def test_without_a_proxy_and_without_a_command_it_is_a_plain_login():
    endpoint = Endpoint("me", HOST_KEY, (), "gpu.example", 2222, fdpass=False)
    argv = sshkeys.command("ssh", NODE, endpoint, FILES, [])
    assert argv[-6:] == ["-p", "2222", "-l", "me", "--", "gpu.example"]
    assert not any(part.startswith("Proxy") for part in argv)
