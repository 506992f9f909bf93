import pytest

from ringfence.compute import address
from ringfence.compute.address import Address, host_key, known_host, parse, trust_lines
from ringfence.compute.model import NodeId
from ringfence.kernel.errors import MalformedInput

# Fixed: they stand in the names of tests, which every worker must collect alike.
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKy4oEyQF0C2H8XNte7di/i2zuoz1W1ladr4wfXiYaTD"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB90Wj7h3qAPPMqJWZWr0K50lZpCPYhE+Svw2QFFRzY3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssh://deploy@app-1.example", Address("deploy", "app-1.example", 22)),
        ("ssh://root@192.0.2.7:2222", Address("root", "192.0.2.7", 2222)),
        ("ssh://root@[2001:DB8::0001]:22", Address("root", "2001:db8::1", 22)),
    ],
)
def test_an_address(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", None, "app-1", "http://a@b", "ssh://b", "ssh://a@b:0", "ssh://a@b:65536", "ssh://a@b/x", "ssh://a b@c"),
        *(
            "ssh://-oProxyCommand=x@b",
            "ssh://a@-oProxyCommand=x",
            "ssh://a@b\n",
            "ssh://a@[::g]",
            "ssh://a@" + "b" * 300,
        ),
        *("ssh://a@$(id)", "ssh://a@b;c", "ssh://a@[::1%eth0]"),
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(MalformedInput):
        parse(text)


def test_a_host_key_loses_its_comment():
    assert host_key(f"{KEY} root@app-1") == KEY


@pytest.mark.parametrize("line", ["", None, "ssh-rsa AAAA", "AAAA", f"app-1 {KEY}", KEY[:-8], KEY + "\n" + OTHER])
def test_without_a_host_key_it_says_how_to_get_one(line):
    with pytest.raises(MalformedInput, match="ssh-keyscan"):
        host_key(line)


def test_a_known_hosts_file_is_read_for_exactly_this_host():
    where = parse("ssh://root@app-1:2222")
    text = f"# scanned\napp-1 {OTHER}\n[app-1]:2222,[192.0.2.7]:2222 {KEY} comment\n[app-1]:2222 ssh-rsa AAAA\n"
    assert known_host(text, where) == KEY
    assert known_host(text, parse("ssh://root@app-1")) == OTHER


@pytest.mark.parametrize(
    "text", ["", f"app-2 {KEY}", f"app-1 {KEY}\napp-1 {OTHER}", f"|1|x|y {KEY}", "app-1 ssh-ed25519"]
)
def test_a_file_that_does_not_say_it_is_refused(text):
    with pytest.raises(MalformedInput, match="ssh-keyscan"):
        known_host(text, parse("ssh://root@app-1"))


def test_a_revoked_key_is_no_key():
    with pytest.raises(MalformedInput):
        known_host(f"@revoked app-1 {KEY}", parse("ssh://root@app-1"))


def test_what_is_installed_names_the_node_and_lets_one_user_in():
    lines = trust_lines(NodeId("n-0123abcd"), "deploy", "ssh-ed25519 AAAA ringfence-ssh-ca")
    text = "\n".join(lines)
    assert f"TrustedUserCAKeys {address.CA_FILE}" in text
    assert f"AuthorizedPrincipalsFile {address.PRINCIPALS_FILE}" in text
    assert "echo 'n-0123abcd'" in text
    assert "Match User deploy" in text
    assert "sudoers" in text
    assert "sudoers" not in "\n".join(trust_lines(NodeId("n-0123abcd"), "root", "ssh-ed25519 AAAA"))
