from dataclasses import replace

import pytest

from ringfence.admission import ACTS, OPERATOR_PREDICATES, FrontDoor
from ringfence.frontends.http import Credential
from ringfence.kernel.actor import Level, Role
from ringfence.kernel.errors import MalformedInput, Refused, Unauthenticated
from ringfence.kernel.statement import Strength
from ringfence.obligations.forms import drafting, shelf
from ringfence.testing.filled import filled
from ringfence.testing.home import TENANT, draft, signed


def test_what_operators_may_state_is_what_the_design_says():
    assert {
        "backup.artifacts_made",
        "backup.artifacts_restored",
        "dataset.sealed",
        "dataset.provenance",
        "dataset.opened",
        "dataset.checked",
        "dataset.verified",
        "dataset.erasure_requested",
        "dataset.erased",
        "entity.classification",
        "kek.rotated",
        "key.custody",
        "ai.classification",
        "ledger.head_exported",
        "report.exported",
        "model.imported",
        "model.quarantined",
        "model.scan",
        "model.signed",
        "redteam.run",
        "run.imported",
        "run.manifest",
        "techdoc.exported",
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
    assert not (ACTS | OPERATOR_PREDICATES) & shelf.types()


def said(services, home, **changes):
    """A form that a person filled and signed, with changes behind the form's back."""
    form = shelf.form("risk.assessment")
    wanted = drafting.draft(form, filled(form.type, services.clock.now().date()), TENANT, services.clock.now().date())
    return signed(services, home.people[Role.OWNER], replace(wanted, **changes))[0]


def test_the_gate_takes_a_form_that_fits(services, home):
    services.outbox.gatekeeper.check(said(services, home), by=home.actor(), at=services.clock.now())


def test_the_gate_takes_no_form_that_claims_more_than_a_persons_word(services, home):
    envelope = said(services, home, strength=Strength.OBSERVED)
    with pytest.raises(Refused, match="documented at most"):
        services.outbox.gatekeeper.check(envelope, by=home.actor(), at=services.clock.now())


def test_the_gate_takes_no_form_that_its_schema_refuses(services, home):
    with pytest.raises(MalformedInput, match="is not answered"):
        services.outbox.gatekeeper.check(said(services, home, claims={}), by=home.actor(), at=services.clock.now())


@pytest.mark.parametrize("strength", [Strength.COUNTERSIGNED, Strength.LAB_ATTESTED, Strength.ATTESTED])
def test_nobody_calls_their_own_word_another_partys_or_hardwares(services, home, strength):
    made = replace(draft("entity.classification"), strength=strength)
    envelope, _ = signed(services, home.people[Role.OWNER], made)
    with pytest.raises(Refused, match=f"calls itself {strength.text}"):
        services.outbox.gatekeeper.check(envelope, by=home.actor(), at=services.clock.now())


def test_what_a_person_states_never_waited_in_the_emergency_journal(services, home):
    envelope, _ = signed(services, home.people[Role.OWNER], draft(), late=True)
    with pytest.raises(Refused, match="late"):
        services.outbox.gatekeeper.check(envelope, by=home.actor(), at=services.clock.now())


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
