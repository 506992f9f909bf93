"""What people sign about models reaches the same use cases from the browser as from a terminal."""

import pytest

from ringfence.admission import ACTS
from ringfence.kernel.actor import Role
from ringfence.signing.policy import OF_OTHERS
from ringfence.testing.gating import GateLab
from ringfence.testing.home import TENANT, signed
from ringfence.workloads.gating.model import Mode
from ringfence.workloads.gating.wires import targets


@pytest.fixture
def lab(services, home):
    return GateLab(services, home)


def test_each_act_is_a_persons_alone(lab):
    known = targets(lab.gates)
    assert {target.action for target in known.values()} == {"model.decide", "model.approve", "gate.change"}
    assert known.keys() <= ACTS
    assert known.keys() <= OF_OTHERS


def test_a_decision_an_approval_and_a_mode_are_taken(lab, home):
    person, known = home.actor(Role.SECURITY), targets(lab.gates)

    def submit(draft, place):
        return known[draft.predicate].submit(person, place, *signed(lab.services, home.people[Role.SECURITY], draft))

    found = lab.bring()
    assert submit(lab.gates.intakes.draft(person, found.id, "accept", "read it"), found.id)["state"] == "accepted"
    lab.signed()
    assert submit(lab.gates.approval(person, "tiny", "approve", "tried it"), "")["statement"]["entry"]
    assert submit(lab.gates.setting(TENANT, Mode.ENFORCE), "gate")["statement"]["entry"]
    assert lab.gates.mode(TENANT).mode is Mode.ENFORCE
