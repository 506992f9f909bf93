from datetime import timedelta

import pytest

from ringfence.artifacts import statements
from ringfence.artifacts.model import Custody, DatasetName, dataset_id
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError, NotFound, Refused
from ringfence.retention.model import Scope
from ringfence.testing.artifacts import sealed_in_memory
from ringfence.testing.home import signed
from ringfence.workloads.dataset_holds import DatasetHolds, Said

NAME = DatasetName("claims")


@pytest.fixture
def sealed(services, home):
    """Return a dataset that an owner has sealed, as the installation knows it."""
    made = sealed_in_memory({"a": b"x"})
    draft = statements.sealed(made.seal, made.digest, Custody.EXTERNAL, NAME)
    services.artifacts.seal(home.actor(), NAME, *signed(services, home.people[Role.OWNER], draft))
    return services.artifacts.one(home.actor().tenant, dataset_id(made.seal.dataset))


def erase(services, home, sealed):
    posted = signed(services, home.people[Role.OWNER], statements.erasure_requested(sealed, "the contract ended"))
    return services.artifacts.erase(home.actor(), sealed.dataset, *posted)


SCOPES = {
    "family": lambda _: Scope(family="dataset"),
    "person": lambda _: Scope(person="person-0123456789ab"),
    "incident": lambda _: Scope(incident="i-0123abcd"),
    "time": lambda now: Scope(start=now - timedelta(hours=1), end=now + timedelta(hours=1)),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_hold_stops_an_erasure_until_it_is_released(services, home, sealed, scope):
    who = SCOPES[scope](services.clock.now())
    if scope == "person":
        who = Scope(person=home.actor().id)
    hold, _ = services.retention.place(home.actor(), who, "a court asked")
    with pytest.raises(Refused, match=f"{hold.id} holds epoch 1 of claims"):
        erase(services, home, sealed)
    tenant = home.actor().tenant
    assert services.artifacts.one(tenant, sealed.dataset).erasure is None
    services.retention.release(home.actor(), hold.id, "the case is closed")
    erase(services, home, sealed)
    assert services.artifacts.one(tenant, sealed.dataset).erasure is not None


@pytest.mark.parametrize("scope", [Scope(family="inference"), Scope(family="data")])
def test_a_hold_on_something_else_does_not(services, home, sealed, scope):
    services.retention.place(home.actor(), scope, "a court asked")
    erase(services, home, sealed)


def test_a_hold_on_another_time_does_not(services, home, sealed):
    earlier = Scope(end=services.clock.now() - timedelta(days=1))
    services.retention.place(home.actor(), earlier, "a court asked")
    erase(services, home, sealed)


def test_a_seal_whose_statement_is_gone_is_not_judged_to_be_free(services, home, sealed):
    holds = DatasetHolds(services.database, services.outbox)
    with pytest.raises(InternalError, match="damaged"):
        holds.check(home.actor().tenant, sealed, Digest.of(b"no statement"))


def test_what_whoever_stores_a_dataset_is_given(services, home, sealed):
    erase(services, home, sealed)
    found = services.artifacts.stated(home.actor().tenant, sealed.dataset)
    predicates = [envelope.statement.predicate for envelope in found]
    assert predicates == ["key.enrolled", "dataset.sealed", "dataset.erasure_requested"]
    assert Said(services.outbox).of(home.actor().tenant, [statements.SEALED]) == [found[1]]
    with pytest.raises(NotFound):
        services.artifacts.stated(home.actor().tenant, dataset_id("f" * 32))


def test_an_erasure_changes_no_entry_of_the_log_and_no_status(services, home, sealed):
    tenant = home.actor().tenant
    before = [(one.entry, one.envelope.digest) for one in services.ledger.statements(tenant)]
    erase(services, home, sealed)
    services.ledger.integrate()
    after = [(one.entry, one.envelope.digest) for one in services.ledger.statements(tenant)]
    assert after[: len(before)] == before
    assert services.ledger.audit().failures == ()
