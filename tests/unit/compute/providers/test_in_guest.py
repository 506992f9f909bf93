import ipaddress

import pytest

from ringfence.compute.providers import in_guest
from ringfence.compute.providers.in_guest import connection, digest, holds, rest, ruleset
from ringfence.kernel.errors import VerificationFailed

FOUR, SIX = ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::1")
OURS = """\
table inet ringfence_quarantine {
\tchain in {
\t\ttype filter hook input priority -400; policy drop;
\t\tiif "lo" accept
\t}

\tchain out {
\t\ttype filter hook output priority -400; policy drop;
\t}

\tchain forward {
\t\ttype filter hook forward priority -400; policy drop;
\t}
}
"""
THEIRS = """\
table inet filter {
\tset banned {
\t\ttype ipv4_addr
\t\tsize 65535
\t\tflags dynamic,timeout
\t\telements = { 192.0.2.7, 192.0.2.8,
\t\t\t     192.0.2.9 }
\t}

\tset kept {
\t\ttype ipv4_addr
\t\telements = { 198.51.100.1 }
\t}

\tchain input {
\t\ttype filter hook input priority filter; policy accept;
\t\tip saddr @banned counter drop
\t}
}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1 50000 192.0.2.2 22\n", (FOUR, 22)),
        ("2001:db8::1 50000 2001:db8::2 2222", (SIX, 2222)),
        ("::ffff:192.0.2.1 50000 ::ffff:192.0.2.2 22", (FOUR, 22)),
        ("fe80::1%eth0 50000 fe80::2%eth0 22", (ipaddress.ip_address("fe80::1"), 22)),
    ],
)
def test_where_it_sees_us(text, expected):
    assert connection(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "192.0.2.1", "192.0.2.1 1 192.0.2.2", "192.0.2.1 1 192.0.2.2 22 accept", "x 1 y 22"),
        *("192.0.2.0/24 1 y 22", "192.0.2.1 1 y 0", "192.0.2.1 1 y 65536", "192.0.2.1 1 y 22;accept"),
        *("192.0.2.1}accept 1 y 22", f"192.0.2.1 1 y {'9' * 5000}", "192.0.2.1 1 y \uff12\uff12"),
    ],
)
def test_an_answer_that_is_no_connection_becomes_no_rule(text):
    with pytest.raises(VerificationFailed):
        connection(text)


def test_only_our_table_is_written():
    named = [line for line in (ruleset(FOUR, 22) + in_guest.REMOVAL).splitlines() if "table" in line]
    assert {line.removesuffix(" {") for line in named} == {
        "table inet ringfence_quarantine",
        "delete table inet ringfence_quarantine",
    }
    assert "flush" not in ruleset(FOUR, 22)


def test_three_hooks_drop_and_ssh_from_one_address_is_let_in():
    text = ruleset(FOUR, 2222)
    assert text.count("policy drop") == 3
    assert "ip saddr 192.0.2.1 tcp dport 2222 accept" in text
    assert "ip daddr 192.0.2.1 tcp sport 2222 tcp flags & (syn | ack) != syn accept" in text
    assert "icmpv6" not in text


def test_neighbours_are_found_only_where_ipv6_is_the_way():
    assert ruleset(SIX, 22).count("nd-neighbor-solicit, nd-neighbor-advert") == 2
    assert "ip6 saddr 2001:db8::1 tcp dport 22 accept" in ruleset(SIX, 22)


def test_a_table_that_lost_a_chain_or_its_policy_does_not_hold():
    assert holds(OURS + THEIRS)
    assert not holds(THEIRS)
    assert not holds(OURS.replace("output priority -400; policy drop", "output priority -400; policy accept"))
    assert not holds(OURS.replace("hook forward", "hook ingress"))
    assert not holds("# " + OURS)


@pytest.mark.parametrize("listing", [OURS + THEIRS, THEIRS + OURS, THEIRS])
def test_the_rest_is_what_is_not_ours(listing):
    assert digest(listing) == digest(THEIRS)
    assert "ringfence" not in rest(listing)


def test_what_comes_and_goes_by_itself_is_no_change():
    banned = THEIRS.replace("192.0.2.7, 192.0.2.8,\n\t\t\t     192.0.2.9", "203.0.113.9")
    empty = THEIRS.replace("\t\telements = { 192.0.2.7, 192.0.2.8,\n\t\t\t     192.0.2.9 }\n", "")
    assert digest(THEIRS) == digest(banned) == digest(empty)


@pytest.mark.parametrize(
    "changed",
    [
        THEIRS.replace("198.51.100.1", "198.51.100.2"),
        THEIRS.replace("counter drop", "counter accept"),
        THEIRS.replace("65535", "1000"),
        THEIRS + "table ip mine {\n}\n",
        THEIRS.replace("table inet filter", "table inet ringfence_quarantine_"),
    ],
)
def test_any_other_change_is_one(changed):
    assert digest(changed) != digest(THEIRS)


@pytest.mark.parametrize(
    "line", [in_guest.HEAD, "\tset a {", "\tset a {\n\t\tflags timeout\n\t\telements = {", "\tmap b {"]
)
def test_a_listing_without_ends_takes_no_time_to_speak_of(line):
    hostile = f"{line}\n" * (2**21 // len(line))
    assert not in_guest.holds(hostile)
    assert in_guest.rest(hostile) == hostile.strip() + "\n"
    assert in_guest.rest(f"{hostile}\t}}\n")
