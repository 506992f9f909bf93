import subprocess

import pytest

from ringfence import components
from ringfence.compute.model import NodeClass
from ringfence.compute.providers import sshd
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.compute import CHEAP_HASH, spec


def options(text):
    return dict(line.split(" ", 1) for line in text.splitlines())


def test_only_certificates_open_an_ordinary_node():
    said = options(sshd.configuration(spec()))
    assert said["AuthorizedKeysFile"] == "none"
    assert said["PasswordAuthentication"] == said["KbdInteractiveAuthentication"] == said["PermitRootLogin"] == "no"
    assert (said["DisableForwarding"], said["PermitTunnel"], said["UsePAM"]) == ("yes", "no", "no")
    assert (said["AllowUsers"], said["LogLevel"]) == ("ringfence", "VERBOSE")


def test_only_a_node_with_a_runtime_forwards_and_only_to_its_own_loopback():
    said = options(sshd.configuration(spec(runtime=True)))
    assert "DisableForwarding" not in said
    assert (said["AllowTcpForwarding"], said["PermitOpen"], said["PermitListen"]) == ("local", "127.0.0.1:*", "none")
    closed = ("AllowStreamLocalForwarding", "AllowAgentForwarding", "X11Forwarding", "PermitTunnel", "GatewayPorts")
    assert {said[name] for name in closed} == {"no"}


def test_a_node_with_a_password_says_so():
    assert options(sshd.configuration(spec(password=CHEAP_HASH)))["PasswordAuthentication"] == "yes"
    assert sshd.accounts(spec(password=CHEAP_HASH))["/etc/shadow"][1].split(":")[1] == CHEAP_HASH
    assert sshd.accounts(spec())["/etc/shadow"] == (0o400, "ringfence:*:20000:0:99999:7:::\n")


def test_root_may_be_the_user_of_a_guest():
    assert options(sshd.configuration(spec(), user="root"))["PermitRootLogin"] == "prohibit-password"


@pytest.mark.parametrize("bad", ["", "secret", "$1$md5$abcdefgh", "$6$a:b:\nroot::0", "$6$" + "x" * 300, "$6$short"])
def test_only_a_hash_becomes_part_of_a_file(bad):
    with pytest.raises(MalformedInput, match="never the password"):
        sshd.verify_hash(bad)


def test_the_private_key_is_not_shown():
    key = sshd.new_host_key()
    assert key.public.startswith("ssh-ed25519 AAAA")
    assert "PRIVATE" not in repr(key)
    assert sshd.files(spec(), key, "ssh-ed25519 AAAA ca")[sshd.HOST_KEY] == (0o400, key.private)
    assert sshd.files(spec(), key, "ssh-ed25519 AAAA ca")[sshd.PRINCIPALS][1] == spec().node + "\n"


def test_the_baseline_follows_from_what_the_node_was_made_of():
    plain = sshd.baseline(spec())
    assert plain["listening"] == "22"
    assert sshd.baseline(spec(expose=(8080,)))["listening"] == "22,8080"
    assert sshd.baseline(spec(runtime=True))["sshd"] != plain["sshd"]
    assert sshd.baseline(spec(password=CHEAP_HASH))["sshd"] != plain["sshd"]
    assert plain.keys() - sshd.baseline(spec(node_class=NodeClass.VM)).keys() == {"accounts", "privileges"}


@pytest.mark.parametrize("runtime", [False, True])
def test_sshd_itself_accepts_the_configuration(tmp_path, runtime):
    if not components.present("sshd"):
        pytest.skip("no sshd (`make setup` installs it)")
    server = components.find("sshd")
    for name, (mode, text) in sshd.files(spec(runtime=runtime), sshd.new_host_key(), "ssh-ed25519 AAAA ca").items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    path = tmp_path / "config"
    path.write_text(sshd.configuration(spec(runtime=runtime), directory=str(tmp_path)))
    # -T prints the whole configuration without the privilege separation directory that -t looks for
    told = subprocess.run(
        [server.path, "-T", "-f", path], check=False, capture_output=True, text=True, env=dict(server.environment)
    )
    assert "Bad configuration" not in told.stderr
    assert "Unsupported" not in told.stderr
    assert "Deprecated" not in told.stderr
