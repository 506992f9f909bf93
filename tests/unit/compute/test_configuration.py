"""What a node says of itself: parsed strictly, compared fact by fact."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.compute import configuration
from ringfence.compute.configuration import Fact, digest, drifted, kept, listed, parse, unread
from ringfence.kernel.digest import dumps
from ringfence.kernel.errors import MalformedInput

BASELINE = {Fact.SSHD: "aa", Fact.LISTENING: "22,8080", Fact.REMOVABLE: "blocked"}


def said(*lines):
    return parse("\n".join(lines), source="n-00000001")


class TestParse:
    def test_facts_come_a_line_each(self):
        assert said("sshd aa", "removable blocked") == {"sshd": "aa", "removable": "blocked"}

    def test_ports_are_those_that_somebody_else_can_reach(self):
        here = ("listening here", "socket 00000000:0016", "socket 0100007F:1F90", "socket 020011AC:0050")
        assert said(*here, "socket 00000000000000000000000001000000:0017")[Fact.LISTENING] == "22,80"

    def test_a_mapped_loopback_address_is_one(self):
        assert said("listening here", "socket 0000000000000000FFFF00000100007F:1F90")[Fact.LISTENING] == "none"

    def test_a_node_that_shows_no_sockets_says_nothing_about_ports(self):
        assert Fact.LISTENING not in said("sshd aa")

    @pytest.mark.parametrize(
        "line",
        [
            "colour blue",
            "sshd",
            "sshd ",
            "sshd a b",
            "sshd a\x00",
            "socket 22",
            "socket 0000000:0016",
            f"sshd {'a' * 4097}",
        ],
    )
    def test_anything_else_is_refused(self, line):
        with pytest.raises(MalformedInput):
            said("listening here", line)

    def test_a_fact_twice_is_refused(self):
        with pytest.raises(MalformedInput):
            said("sshd aa", "sshd bb")

    @given(st.text(max_size=200))
    def test_nothing_that_a_node_says_is_another_error(self, text):
        with suppress(MalformedInput):
            parse(text, source="n-00000001")


class TestComparison:
    def test_the_same_has_not_drifted(self):
        assert drifted(BASELINE, BASELINE) == unread(BASELINE, BASELINE) == []

    @pytest.mark.parametrize("fact", [Fact.SSHD, Fact.REMOVABLE])
    def test_each_fact_that_differs_is_named(self, fact):
        assert drifted(BASELINE, {**BASELINE, fact: "other"}) == [fact]

    @pytest.mark.parametrize(("ports", "differs"), [("22", []), ("none", []), ("22,23", [Fact.LISTENING])])
    def test_a_port_less_is_no_drift_and_a_port_more_is(self, ports, differs):
        assert drifted(BASELINE, {**BASELINE, Fact.LISTENING: ports}) == differs

    def test_what_was_not_read_is_unknown_and_never_the_same(self):
        found = {Fact.REMOVABLE: "blocked"}
        assert drifted(BASELINE, found) == []
        assert unread(BASELINE, found) == [Fact.LISTENING, Fact.SSHD]

    def test_what_the_baseline_leaves_out_is_not_compared(self):
        assert drifted(BASELINE, {**BASELINE, Fact.PROGRAMS: "bb"}) == []


class TestKept:
    def test_facts_come_back(self):
        assert kept(dumps(dict(BASELINE)), source="baseline.json") == BASELINE

    @pytest.mark.parametrize(
        "data", [b"", b"[]", b'{"colour":"blue"}', b'{"sshd":1}', b'{"sshd":"a b"}', b'{"sshd":""}']
    )
    def test_anything_else_is_refused(self, data):
        with pytest.raises(MalformedInput):
            kept(data, source="baseline.json")


def test_the_digest_names_whose_facts_they_are():
    one = digest({"n-00000001": BASELINE})
    assert one != digest({"n-00000002": BASELINE})
    assert one != digest({"n-00000001": {**BASELINE, Fact.SSHD: "bb"}})
    assert one == digest({"n-00000001": dict(reversed(BASELINE.items()))})


def test_ports_are_written_in_order_and_once():
    assert listed((8080, 22, 22)) == "22,8080"
    assert listed(()) == "none"
    assert configuration.BLOCKED == "blocked"
