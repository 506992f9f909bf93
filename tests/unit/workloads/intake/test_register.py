"""The fold over what came from outside: only what counts, and the newest decision on the very intake."""

from dataclasses import replace

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.ledger.model import Standing
from ringfence.testing.gating import GateLab
from ringfence.testing.home import TENANT
from ringfence.workloads.intake import register, statements
from ringfence.workloads.intake.model import State


@pytest.fixture
def lab(services, home):
    return GateLab(services, home)


def logged(lab):
    return lab.services.ledger.statements(TENANT, register.PREDICATES)


def test_what_no_trusted_key_stands_for_lets_nothing_in(lab):
    lab.decide(lab.bring())
    assert register.fold(logged(lab))[0].state is State.ACCEPTED
    doubted = [
        replace(one, standing=Standing.REVOKED) if one.envelope.statement.predicate == statements.DECIDED else one
        for one in logged(lab)
    ]
    assert register.fold(doubted)[0].state is State.WAITING


def test_a_decision_about_another_intake_changes_nothing(lab):
    found = lab.bring()
    other = replace(found, id="0" * 64)
    lab.say(statements.decided(other, "accept", "x", found.digest), Role.SECURITY)
    assert register.fold(logged(lab))[0].state is State.WAITING


def test_a_decision_that_names_other_bytes_changes_nothing(lab):
    found = lab.bring()
    lab.say(statements.decided(replace(found, digest=Digest.of(b"x")), "accept", "x", found.digest), Role.SECURITY)
    assert register.fold(logged(lab))[0].state is State.WAITING


def test_the_newest_decision_on_the_same_bytes_counts(lab):
    first = lab.decide(lab.bring())
    second = lab.bring(origin="another disk")
    digests = [lab.digest]
    assert register.held_back(register.fold(logged(lab)), digests) == ""
    lab.decide(second, "refuse")
    assert "refused" in register.held_back(register.fold(logged(lab)), digests)
    lab.decide(first, "refuse")
    lab.decide(second)
    assert register.held_back(register.fold(logged(lab)), digests) == ""


def test_of_several_digests_one_that_is_held_back_is_enough(lab):
    lab.bring()
    assert register.held_back(register.fold(logged(lab)), [Digest.of(b"ours"), lab.digest])


BROUGHT = {"weights": b"many numbers", "LICENSE": b"words", "config.json": b"{}"}
HELD = {name: Digest.of(data) for name, data in BROUGHT.items()}


@pytest.mark.parametrize("decision", [None, "refuse"], ids=["waits", "refused"])
def test_some_files_of_what_is_held_back_are_not_signed_as_another_model(lab, decision):
    lab.files = BROUGHT
    found = lab.bring(BROUGHT)
    if decision:
        lab.decide(found, decision)
    intakes, other = register.fold(logged(lab)), Digest.of(b"another model")
    for name in ("weights", "renamed.bin", "LICENSE.gguf"):  # bytes, and not what they are called
        said = register.not_signable(intakes, other, {name: HELD["weights"], "mine": Digest.of(b"mine")})
        assert said.startswith(repr(name))
        assert "leave it out" in said
    shared = {"LICENSE": HELD["LICENSE"], "sub/config.json": HELD["config.json"], "mine": Digest.of(b"mine")}
    assert register.not_signable(intakes, other, shared) == ""  # words that many models have
    assert "model waiting" in register.not_signable(intakes, other, None)
    assert register.not_signable(intakes, found.digest, HELD)


def test_what_a_person_let_in_is_signed_with_all_its_files(lab):
    lab.files = BROUGHT
    accepted = lab.decide(lab.bring(BROUGHT))
    lab.files = {"weights": b"many numbers"}  # a file of it is refused later, as a model of its own
    lab.decide(lab.bring(lab.files), "refuse")
    intakes = register.fold(logged(lab))
    assert register.not_signable(intakes, accepted.digest, HELD) == ""
    assert register.not_signable(intakes, Digest.of(b"another model"), HELD)
    assert register.not_signable([], Digest.of(b"another model"), None) == ""
