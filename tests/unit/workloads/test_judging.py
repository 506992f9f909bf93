"""The wires of judgement: what an opinion is about, who is a second person, and what waits for whom."""

from dataclasses import replace

import pytest

from ringfence.governance.exceptions import statements as exceptions
from ringfence.governance.risks import statements as risks
from ringfence.identity.policy import shipped
from ringfence.kernel.actor import Role
from ringfence.testing.home import TENANT
from ringfence.testing.judging import EXCEPTION, PLAN, RISK, ROW, WANTED, Signers
from ringfence.workloads.judging import ComputedStatus, targets, wishes

ENGINEER, SECURITY, MANAGEMENT, AUDITOR = Role.ENGINEER, Role.SECURITY, Role.MANAGEMENT, Role.AUDITOR


@pytest.fixture
def people(services, home):
    return Signers(services, home)


def test_what_an_opinion_is_about_is_the_board(services):
    board, found = services.status.board(TENANT), ComputedStatus(services.status)(TENANT)
    assert {name: one.state for name, one in found.items()} == {
        one.control.id: one.verdict.state.value for one in board.controls
    }
    assert {one.rules for one in found.values()} == {board.rules}


def test_every_act_of_judgement_is_taken_under_an_action_that_somebody_has(services, home):
    found = targets(services.judgements)
    assert set(found) == {*risks.ALL, *exceptions.ALL, "opinion.given", "opinion.withdrawn"}
    for target in found.values():
        assert any(shipped().allows(home.actor(role), target.action) for role in Role)
        assert target.page(RISK).startswith("/")


def test_what_waits_for_a_signature_waits_for_whoever_may_give_it(services, people):
    judged, engineer = services.judgements, people.actor(ENGINEER)
    row = replace(ROW, owner=people.actor(SECURITY).id)
    judged.risks.register(engineer, *people.file(ENGINEER, risks.registered([row])))
    wanted = replace(WANTED, owner=engineer.id)
    judged.exceptions.request(engineer, *people.file(ENGINEER, exceptions.requested(wanted)))

    def links(role):
        return {item.link for item in wishes(judged, shipped().allows, people.actor(role))}

    excepted = f"/exceptions#{EXCEPTION}"
    assert links(MANAGEMENT) == {excepted}  # the risk is not treated yet
    judged.risks.treat(engineer, RISK, *people.file(ENGINEER, risks.treated(RISK, PLAN)))
    assert links(MANAGEMENT) == {excepted, f"/risks/{RISK}"}
    assert links(SECURITY) == {excepted}
    assert links(ENGINEER) == links(AUDITOR) == set()
    request = judged.exceptions.one(TENANT, EXCEPTION).request
    approval = people.passkey(SECURITY, exceptions.approved(EXCEPTION, request))[0]
    judged.exceptions.approve(people.actor(SECURITY), EXCEPTION, approval)
    assert links(SECURITY) == set()


def test_removed_people_are_no_established_ones(services, home, clock):
    colleagues = services.judgements.risks.desk.colleagues
    later = clock.now().replace(day=clock.now().day + 2)
    before = colleagues.established(TENANT, later)
    services.identity.remove(home.people[ENGINEER].id, by=home.actor(), left_at=None, reason="left")
    services.ledger.integrate()
    assert before - colleagues.established(TENANT, later) == 1
