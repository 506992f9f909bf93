from datetime import timedelta

import pytest

from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import MalformedInput
from ringfence.soc.policy import Mode, OnAttempts, Policy, Silence, changed_fields, parse, stored, to_document
from ringfence.testing.clock import START

SOON = START + timedelta(hours=2)
SILENCE = {"rule": "ssh-guessing", "node": "n-1", "until": to_text(SOON), "reason": "maintenance"}
FULL = Policy(
    mode=Mode.DRY_RUN,
    on_attempts=OnAttempts.ISOLATE,
    never_isolate=("db-1",),
    never_block=("192.0.2.0/24", "198.51.100.9/32"),
    rules_off=("ssh-guessing",),
    silences=(Silence("ssh-guessing", "n-1", SOON, "maintenance"),),
)


@pytest.mark.parametrize("policy", [Policy(), FULL])
def test_what_is_printed_is_read_the_same(policy):
    assert parse(to_document(policy), at=START) == policy
    assert stored(to_document(policy)) == policy


def test_fields_that_are_left_out_keep_their_defaults():
    assert parse({}, at=START) == Policy()
    assert parse({"never_block": ["198.51.100.9"]}, at=START).never_block == ("198.51.100.9/32",)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"modus": "act"},
        {"mode": "maybe"},
        {"mode": ["act"]},
        {"on_attempts": True},
        {"isolations": -1},
        {"isolations": True},
        {"isolations": "3"},
        {"share_percent": 101},
        {"block_seconds": 0},
        {"never_isolate": "n1"},
        {"never_isolate": ["a b"]},
        {"never_isolate": ["x"] * 501},
        {"never_block": ["0.0.0.0/0"]},
        {"never_block": ["0.0.0.0/1", "128.0.0.0/1"]},
        {"never_block": ["attacker.example"]},
        {"never_block": [7]},
        {"rules_off": ["Not A Rule"]},
        {"silences": [{"rule": "ssh-guessing"}]},
        {"silences": [SILENCE | {"until": "tomorrow"}]},
        {"silences": [SILENCE | {"until": to_text(START + timedelta(days=31))}]},
        {"silences": [SILENCE | {"forever": True}]},
        {"silences": [SILENCE] * 101},
    ],
)
def test_anything_else_is_refused(document):
    with pytest.raises(MalformedInput):
        parse(document, at=START)


def test_the_cap_is_the_larger_of_number_and_share():
    assert [Policy().cap(nodes) for nodes in (1, 15, 16, 50, 100)] == [3, 3, 3, 10, 20]
    assert Policy(isolations=0, share_percent=0).cap(100) == 0


def test_an_address_is_spared_by_its_network():
    assert FULL.spares("192.0.2.77")
    assert not FULL.spares("192.0.3.77")


def test_a_silence_ends_and_covers_one_node():
    assert FULL.is_silent("ssh-guessing", ("n-1", "name"), START)
    assert not FULL.is_silent("ssh-guessing", ("n-2", "name"), START)
    assert not FULL.is_silent("ssh-guessing", ("n-1", "name"), SOON)
    assert not FULL.is_silent("flow-denied-scan", ("n-1", "name"), START)


def test_a_change_names_its_fields():
    assert changed_fields(Policy(), Policy()) == ()
    assert changed_fields(Policy(), Policy(mode=Mode.DRY_RUN, blocks=1)) == ("mode", "blocks")
