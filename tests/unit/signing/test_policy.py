from datetime import timedelta

import pytest

from ringfence.admission import ACTS, OPERATOR_PREDICATES
from ringfence.kernel.errors import Refused
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Checkpoint
from ringfence.obligations.forms import shelf
from ringfence.signing import policy
from ringfence.signing.model import Mark
from ringfence.testing.clock import START
from ringfence.testing.signing import head, proof

OPERATOR = KeyRole.OPERATOR
# A service opens an incident on its own; the same is an act where a person does it.
BOTH = {"incident.opened"}


def of_people(services):
    """What a gate, a form, a use case or a rule takes as the word of a person, wherever that is written down."""
    rules = services.status.catalog.requirements.values()
    asked = {(rule.evidence, role) for rule in rules for role in rule.issuers}
    by_rule = {evidence for evidence, _ in asked} - {evidence for evidence, role in asked if role is not OPERATOR}
    return {*OPERATOR_PREDICATES, *ACTS, *shelf.types(), *services.acting.desk.targets, *by_rule} - BOTH


def test_no_service_speaks_for_a_person(services):
    """Else whoever has the control plane's key accepts risks, approves exceptions and sets controls aside."""
    assert of_people(services) <= policy.OF_OTHERS


def test_what_people_state_is_found_in_every_place_that_says_so(services):
    """The list above is not empty by mistake: one of each place."""
    expected = {
        "dataset.sealed",
        "risk.accepted",
        "pentest.report",
        "profile.selected",
        "mgmt.vote",
        "exception.approved",
    }
    assert expected <= of_people(services)


@pytest.mark.parametrize("role", list(KeyRole))
def test_nobody_but_the_root_enrols(role):
    assert not policy.may_state(role, "key.enrolled")


def test_the_emergency_key_contains_and_does_nothing_else():
    stated = {name for name in policy.CONTAINMENT | policy.OF_OTHERS if policy.may_state(KeyRole.EMERGENCY, name)}
    assert stated == policy.CONTAINMENT
    assert not policy.may_state(KeyRole.EMERGENCY, "source.unblocked")


def test_the_first_head_may_be_any():
    assert policy.next_mark(None, head(7), START, (), START) == Mark(7, head(7).root, START)


def test_a_small_step_back_of_the_clock_takes_the_time_of_the_head_before():
    last = Mark(5, head(5).root, START)
    made = policy.next_mark(last, head(9), START - timedelta(seconds=3), proof(5, 9), START)
    assert made.at == START


@pytest.mark.parametrize("size", [0, 4])
def test_a_smaller_head_is_refused(size):
    with pytest.raises(Refused, match="older than what was signed"):
        policy.next_mark(Mark(5, head(5).root, START), head(size), START, (), START)


@pytest.mark.parametrize("spoilt", [(), proof(4, 9), proof(5, 8), (*proof(5, 9), bytes(32)), (b"short",)])
def test_a_head_without_its_proof_is_refused(spoilt):
    with pytest.raises(Refused, match="two logs of one"):
        policy.next_mark(Mark(5, head(5).root, START), head(9), START, spoilt, START)


def test_the_same_head_again_needs_no_proof_and_changes_no_size():
    assert policy.next_mark(Mark(5, head(5).root, START), head(5), START, proof(4, 5), START).size == 5


def test_a_root_for_an_empty_log_is_continued_by_nothing():
    with pytest.raises(Refused):
        policy.next_mark(Mark(0, bytes(32), START), Checkpoint("example.eu/signed", 3, bytes(32)), START, (), START)
