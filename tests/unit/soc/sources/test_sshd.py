"""What sshd says, with the user names that strangers type."""

import pytest

from ringfence.soc.sources.sshd import MAX_REPEATS, read

KEY = "ED25519 SHA256:" + "a" * 43
CERTIFICATE = "ED25519-CERT SHA256:" + "a" * 43 + " ID %s (serial 7) CA ED25519 SHA256:" + "b" * 43
FORMS = [
    ("Failed password for root from 192.0.2.1 port 22022 ssh2", "failed", "root"),
    ("Failed password for invalid user admin from 192.0.2.1 port 22022 ssh2", "failed", "admin"),
    ("Failed password for illegal user admin from 192.0.2.1 port 22022 ssh2", "failed", "admin"),
    ("Failed keyboard-interactive/pam for root from 192.0.2.1 port 22022 ssh2", "failed", "root"),
    ("Failed keyboard-interactive for root from 192.0.2.1 port 22022 ssh2 [preauth]", "failed", "root"),
    ("Failed none for invalid user x from 192.0.2.1 port 22022 ssh2", "offer-refused", "x"),
    (f"Failed publickey for root from 192.0.2.1 port 22022 ssh2: {KEY}", "offer-refused", "root"),
    ("Failed publickey for root from 192.0.2.1 port 22022 ssh2: RSA 01:23:ab", "offer-refused", "root"),
    (f"Accepted publickey for root from 192.0.2.1 port 22022 ssh2: {KEY}", "accepted", "root"),
    (f"Accepted publickey for root from 192.0.2.1 port 22022 ssh2: {CERTIFICATE % 'ann'}", "accepted", "root"),
    ("Accepted password for root from 192.0.2.1 port 22022 ssh2", "accepted", "root"),
    ("Accepted keyboard-interactive/pam for root from 192.0.2.1 port 22022 ssh2", "accepted", "root"),
    ("Invalid user admin from 192.0.2.1 port 22022", "invalid-user", "admin"),
    ("Invalid user admin from 192.0.2.1", "invalid-user", "admin"),
    ("Invalid user  from 192.0.2.1 port 22022", "invalid-user", ""),
    ("Connection closed by authenticating user root 192.0.2.1 port 22022 [preauth]", "ended-unauthenticated", "root"),
    ("Connection reset by authenticating user root 192.0.2.1 port 22022 [preauth]", "ended-unauthenticated", "root"),
    ("Connection closed by invalid user x 192.0.2.1 port 22022 [preauth]", "ended-unknown", "x"),
    ("Disconnected from authenticating user root 192.0.2.1 port 22022 [preauth]", "ended-unauthenticated", "root"),
    (
        "Disconnecting authenticating user root 192.0.2.1 port 22022: Too many authentication failures [preauth]",
        "ended-unauthenticated",
        "root",
    ),
    (
        "error: maximum authentication attempts exceeded for root from 192.0.2.1 port 22022 ssh2 [preauth]",
        "attempts-exceeded",
        "root",
    ),
    (
        "error: maximum authentication attempts exceeded for invalid user x from 192.0.2.1 port 22022 ssh2 [preauth]",
        "attempts-exceeded",
        "x",
    ),
    ("error: PAM: Authentication failure for root from 192.0.2.1", "pam-failure", "root"),
    ("error: PAM: Authentication failure for illegal user x from 192.0.2.1", "pam-failure", "x"),
    ("User root from 192.0.2.1 not allowed because not listed in AllowUsers", "not-allowed", "root"),
    ("ROOT LOGIN REFUSED FROM 192.0.2.1 port 22022", "not-allowed", "root"),
    (
        "Unable to negotiate with 192.0.2.1 port 22022: no matching MAC found. Their offer: x [preauth]",
        "negotiation",
        "",
    ),
    ("fatal: Unable to negotiate with 192.0.2.1 port 22022: no matching MAC found. Their offer: x", "negotiation", ""),
    ("banner exchange: Connection from 192.0.2.1 port 22022: invalid format", "negotiation", ""),
    ("ssh_dispatch_run_fatal: Connection from 192.0.2.1 port 22022: bad MAC [preauth]", "negotiation", ""),
    ("Bad protocol version identification 'GET / from 9.9.9.9 port 1' from 192.0.2.1 port 22022", "negotiation", ""),
    ("Did not receive identification string from 192.0.2.1 port 22022", "no-banner", ""),
]
PAM = "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost="
CHANGE = (
    "Change of username or service not allowed: (a,x) -> "
    "(b 10.0.0.9 port 5: Too many authentication failures,ssh-connection)"
)
FORGED = "x from 10.0.0.9 port 22 ssh2"


@pytest.mark.parametrize(("message", "code", "user"), FORMS)
def test_reads_each_form(message: str, code: str, user: str) -> None:
    said = read(message)
    assert said is not None
    assert (said.code, said.user, said.source, said.is_address) == (code, user, "192.0.2.1", True)
    assert said.port in {0, 22022}


@pytest.mark.parametrize(
    ("message", "user"),
    [
        (f"pam_unix(sshd:auth): {PAM}192.0.2.1  user=root", "root"),
        (f"pam_unix(sshd:auth): {PAM}192.0.2.1 ", ""),
        (f"pam_sss(sshd:auth): {PAM}192.0.2.1 user=root", "root"),
        (f"(pam_unix) {PAM}192.0.2.1  user=root", "root"),
        (f"pam_unix(sshd:auth): {PAM}192.0.2.1  user=x rhost=10.0.0.9", "x rhost=10.0.0.9"),
    ],
)
def test_reads_pam(message: str, user: str) -> None:
    said = read(message)
    assert said is not None
    assert (said.code, said.source, said.user) == ("pam-failure", "192.0.2.1", user)


def test_pam_counts_the_failures_it_sums_up() -> None:
    said = read(f"PAM 4 more {PAM.replace('failure;', 'failures;')}192.0.2.1  user=root")
    assert said is not None
    assert (said.times, said.source) == (4, "192.0.2.1")


@pytest.mark.parametrize(
    "message",
    [
        f"Failed password for invalid user {FORGED} from 192.0.2.1 port 22022 ssh2",
        f"Invalid user {FORGED} from 192.0.2.1 port 22022",
        "Invalid user x from 10.0.0.9 from 192.0.2.1 port 22022",
        "Connection closed by invalid user x 10.0.0.9 port 22 192.0.2.1 port 22022 [preauth]",
        f"error: maximum authentication attempts exceeded for invalid user {FORGED} from 192.0.2.1 port 22022 ssh2",
        f"error: PAM: Authentication failure for illegal user {FORGED} from 192.0.2.1",
        f"Failed publickey for invalid user {FORGED}: {KEY} from 192.0.2.1 port 22022 ssh2: {KEY}",
        'Failed password for invalid user " \\033[2J\\n from 10.0.0.9 port 1 ssh2 from 192.0.2.1 port 22022 ssh2',
        "Failed password for invalid user \udcff\x1b[31m from 10.0.0.9 from 192.0.2.1 port 22022 ssh2",
        "message repeated 2 times: [ Failed password for x from 10.0.0.9 port 2 ssh2] from 192.0.2.1 port 22022 ssh2]",
    ],
)
def test_a_user_name_names_no_source(message: str) -> None:
    said = read(message)
    assert said is not None
    assert said.source == "192.0.2.1"
    assert said.times in {1, 2}


def test_a_certificate_identifier_that_reads_as_an_end_names_nobody() -> None:
    identifier = "x from 10.0.0.9 port 22 ssh2: " + CERTIFICATE % "y"
    assert read(f"Failed publickey for root from 192.0.2.1 port 22022 ssh2: {CERTIFICATE % identifier}") is None


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Failed",
        "Failed password",
        "Failed password for root",
        "Failed password for root from 192.0.2.1",
        "Failed password for root from 192.0.2.1 port 22",
        "Failed password for root from not*a*host port 22 ssh2",
        "Failed password for root from 999.999.1.1 port 22 ssh2",
        "Failed password for root from 192.0.2.1 port 99999 ssh2",
        "Failed password for root from 192.0.2.1 port ²² ssh2",
        "Connection closed by 192.0.2.1 port 22 [preauth]",
        "Disconnected from user root 192.0.2.1 port 22",
        f"Disconnecting invalid user a 192.0.2.1 port 5: {CHANGE} [preauth]",
        "Close session: user root from 192.0.2.1 port 34928 id 0",
        "Server listening on :: port 22.",
        "message repeated 0 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]",
        f"message repeated {MAX_REPEATS + 1} times: [ Failed password for root from 192.0.2.1 port 22 ssh2]",
        "message repeated 2 times: [ message repeated 2 times: [ Invalid user x from 192.0.2.1 port 2]]",
        "pam_unix(sshd:session): session opened for user x; authentication failure; ruser= rhost=10.0.0.9",
        "PAM 0 more authentication failures; logname= ruser= rhost=192.0.2.1",
    ],
)
def test_all_else_says_nothing(message: str) -> None:
    assert read(message) is None


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("2001:DB8::0:1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("71-13-115-12.Static.example.com", "71-13-115-12.static.example.com"),
    ],
)
def test_sources_have_one_spelling(written: str, source: str) -> None:
    said = read(f"Failed password for root from {written} port 22 ssh2")
    assert said is not None
    assert said.source == source


def test_repeats_are_expanded() -> None:
    said = read("message repeated 12 times: [ Failed password for root from 192.0.2.1 port 22022 ssh2]")
    assert said is not None
    assert said.times == 12


def test_ipv6_in_front_of_a_reason() -> None:
    said = read("Unable to negotiate with 2001:db8::1 port 22: no matching MAC found. Their offer: x")
    assert said is not None
    assert said.source == "2001:db8::1"


@pytest.mark.parametrize("words", ["password in vain", "to wait", "a b"])
def test_a_method_is_one_word(words: str) -> None:
    assert read(f"Failed {words} for root from 192.0.2.1 port 22022 ssh2") is None
