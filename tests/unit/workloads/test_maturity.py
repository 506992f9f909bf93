"""A credential of less than a day makes no second person, but for the day on which nobody has an older one."""

from datetime import timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.identifier import KeyId
from ringfence.testing.gating import GateLab
from ringfence.testing.home import TENANT
from ringfence.workloads import maturity

DAY = timedelta(hours=24)


@pytest.fixture
def lab(services, home):
    return GateLab(services, home)


def key(lab, role=Role.SECURITY):
    (found,) = (
        key
        for key, known in lab.services.ledger.issuers(TENANT).enrolments.items()
        if known.issuer.person == lab.home.people[role].id
    )
    return found


def test_in_the_first_day_anybody_counts_and_then_only_who_was_known_for_one(lab, clock):
    begun = clock.now()
    issuers = lab.services.ledger.issuers(TENANT)
    assert maturity.is_first_day(issuers, begun)
    assert maturity.counts(issuers, key(lab), begun)
    assert not maturity.is_mature(issuers, key(lab), begun + DAY - timedelta(minutes=1))
    clock.advance(DAY + timedelta(minutes=1))
    lab.newcomer(Role.SECURITY)
    issuers, now = lab.services.ledger.issuers(TENANT), clock.now()
    assert not maturity.is_first_day(issuers, now)
    assert not maturity.counts(issuers, key(lab), now)
    assert maturity.counts(issuers, key(lab, Role.OWNER), now)
    assert maturity.counts(issuers, key(lab), now + DAY)
    assert maturity.counts(issuers, key(lab, Role.OWNER), begun)  # it signed when nobody had an older one


def test_a_key_that_the_log_does_not_know_is_not_mature(lab, clock):
    clock.advance(DAY * 2)
    assert not maturity.counts(lab.services.ledger.issuers(TENANT), KeyId("ed25519:" + "0" * 64), clock.now())
