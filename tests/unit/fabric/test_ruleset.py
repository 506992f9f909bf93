import re

import pytest

from ringfence.fabric import desired, ruleset
from ringfence.fabric.desired import Desired


@pytest.fixture
def two():
    state = Desired()
    for node in ("a", "b"):
        state = desired.admit(desired.attach(state, node), node)
    return desired.expose(desired.permit(state, "a", "b", 22), "b", 80)


def test_a_cut_takes_a_node_out_of_two_sets_and_nothing_else(two):
    assert ruleset.change(two, desired.quarantine(two, "a")).splitlines() == [
        'delete element ip ringfence admitted { "n0" . 10.203.0.2 }',
        "delete element ip ringfence reachable { 10.203.0.2 }",
    ]


def test_release_adds_exactly_what_the_cut_took(two):
    cut = desired.quarantine(two, "a")
    taken = ruleset.elements(two) - ruleset.elements(cut)
    assert ruleset.change(cut, two).count("add element") == len(taken) == 2


def test_the_same_state_needs_no_script(two):
    assert ruleset.change(two, two) == ""


def test_the_whole_is_one_script_that_replaces_and_drops_by_default(two):
    script = ruleset.whole(two)
    for family in ("ip", "arp", "ip6"):
        assert f"delete table {family} ringfence\n" in script
    policies = re.findall(r"hook (\w+) priority (\S+); policy (\w+)", script)
    assert {(hook, priority) for hook, priority, policy in policies if policy != "drop"} == {("prerouting", "raw")}
    assert script.count("add element") == len(ruleset.elements(two))


def test_the_witness_is_admitted_and_no_permit_names_it(two):
    own = {(family, name) for family, name, value in ruleset.elements(two) if desired.WITNESS.address in value}
    assert own == {("arp", "known"), *(("ip", name) for name in ("attached", "standing", "admitted", "reachable"))}


def test_nothing_of_a_detached_node_can_pass(two):
    gone = desired.detach(desired.quarantine(two, "a"), "a")
    assert not [
        element
        for element in ruleset.elements(gone)
        if element[1] in {"admitted", "reachable", "attached"} and element[2].endswith("10.203.0.2")
    ]


def test_only_marked_packets_are_accepted_beyond_prerouting():
    hooked = re.findall(r"hook (?:forward|input|output) [^\n]*\n((?: {8}[^\n]*\n)*)", ruleset.whole(Desired()))
    rules = [rule for body in hooked for rule in body.splitlines()]
    assert len(rules) == 5
    for rule in rules:
        assert "accept" not in rule or "meta mark 1" in rule or "meta mark set 1" in rule


def test_every_reply_is_bound_to_a_permit():
    replies = [line for line in ruleset.whole(Desired()).splitlines() if "goto pass_reply" in line]
    assert len(replies) > 2
    for line in replies:
        assert "ct state established ct direction reply" in line
        assert any(bound in line for bound in ("@permits", "@exposes", desired.CONTROL, desired.FORENSIC))
