from contextlib import contextmanager

import pytest

from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.statement import Strength
from ringfence.testing.home import TENANT
from ringfence.workloads.collecting.observing import Cadence, Observing, Recorded, observation
from ringfence.workloads.collecting.volumes import AT_REST

CLAIMS = {"nodes": 0, "volumes": 1, "plain": 0, "unknown": 0}


def test_an_observation_is_of_a_whole_tenant_under_the_digest_of_its_claims():
    made = observation(AT_REST, TENANT, CLAIMS, {"a": 1}, about="volumes")
    [subject] = made.subjects
    assert (subject.name, subject.digest) == (f"volumes/{TENANT}", Digest.of(dumps(CLAIMS)))
    assert (made.strength, made.details) == (Strength.OBSERVED, {"a": 1})


def test_it_looks_before_it_opens_a_transaction(services):
    order = []

    @contextmanager
    def transaction():
        order.append("transaction")
        with services.ledger.publishable():
            yield

    def look(tenant):
        order.append("look")
        return observation(AT_REST, tenant, CLAIMS, about="volumes")

    Observing(look, services.outbox, transaction)(TENANT)
    assert order == ["look", "transaction"]


def test_what_was_seen_is_published_before_anybody_is_told(services):
    look = Observing(
        lambda tenant: observation(AT_REST, tenant, CLAIMS, about="volumes"),
        services.outbox,
        services.ledger.publishable,
    )
    collector = Recorded(services.ledger, look)
    assert collector.cadence is Cadence.HOURLY
    assert collector(TENANT).stage.value == "published"


def test_who_cannot_look_states_nothing(services):
    def look(_tenant):
        raise Unavailable("the kernel does not say")

    size = services.ledger.head().checkpoint.size
    with pytest.raises(Unavailable):
        Observing(look, services.outbox, services.ledger.publishable)(TENANT)
    assert services.ledger.integrate() is None
    assert services.ledger.head().checkpoint.size == size
