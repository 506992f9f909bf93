from dataclasses import replace

import pytest

from ringfence.admission import ACTS, OPERATOR_PREDICATES, FrontDoor
from ringfence.frontends.http import Credential
from ringfence.kernel.actor import Level, Role
from ringfence.kernel.errors import Refused, Unauthenticated
from ringfence.testing.home import draft, signed


def test_what_operators_may_state_is_what_the_design_says():
    assert {
        "dataset.sealed",
        "dataset.provenance",
        "dataset.opened",
        "dataset.verified",
        "entity.classification",
        "key.custody",
        "ai.classification",
        "ledger.head_exported",
        "report.exported",
        "model.scan",
        "model.signed",
        "redteam.run",
        "run.manifest",
    } == OPERATOR_PREDICATES


@pytest.mark.parametrize("predicate", sorted(OPERATOR_PREDICATES))
def test_the_gate_lets_an_operator_state_it(services, home, predicate):
    envelope, _ = signed(services, home.people[Role.OWNER], draft(predicate))
    services.outbox.gatekeeper.check(envelope, by=home.actor(), at=services.clock.now())


def test_the_gate_keeps_service_keys_out(services, home):
    """A statement by the control plane's own key is not posted by anybody, whoever got hold of it."""
    thief = replace(home.people[Role.OWNER], seed=services.home.service_keys(None).secret("control-plane"))
    envelope, _ = signed(services, thief, draft())
    with pytest.raises(Refused, match="by the person who signed it"):
        services.outbox.gatekeeper.check(envelope, by=home.actor(), at=services.clock.now())


def test_acts_and_what_operators_state_are_apart():
    assert not ACTS & OPERATOR_PREDICATES


@pytest.fixture
def door(services):
    return FrontDoor(services.identity, services.signin, services.access.accounts)


def test_the_door_knows_people_and_services_apart(services, home, door):
    person = door.authenticate(Credential(token=home.people[Role.OWNER].token))
    assert (person.person.id, person.assurance.level) == (home.people[Role.OWNER].id, Level.TOKEN)
    issued = services.access.accounts.enrol(home.actor(), "ci", Role.SECURITY, frozenset({"event.ingest"}), 1)
    service = door.authenticate(Credential(token=issued.secret))
    assert service.person.id == issued.account.id
    door.authorise(service, "event.ingest")
    with pytest.raises(Refused):
        door.authorise(service, "finding.read")


@pytest.mark.parametrize("token", ["rfs-", "rfs-unknown", "rf-unknown", ""])
def test_strangers_are_turned_away(door, token):
    with pytest.raises(Unauthenticated):
        door.authenticate(Credential(token=token))
