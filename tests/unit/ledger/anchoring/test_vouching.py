"""Which statements of a stolen key another party saw before the theft; the answer about a time never changes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.identity.register import key_revoked
from ringfence.kernel.actor import Role
from ringfence.ledger.anchoring.model import AskedWitness
from ringfence.ledger.model import Standing
from ringfence.testing.anchors import FakeRemote, witness_keys, witnessing
from ringfence.testing.home import TENANT, draft, signed
from ringfence.testing.tenancy import root_of

URL, NAME = "https://one.example", "w.example/41"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def remote() -> FakeRemote:
    return FakeRemote()


@pytest.fixture
def anchoring(services, remote):
    """Return what has heads cosigned by one witness, of another party."""
    services.ledger.integrate()
    found = replace(services.anchored.service, remote=remote)
    watch(found, remote, "Auditor")
    return found


def watch(anchoring, remote, party):
    keys = witness_keys(NAME, 41)
    remote.serve(URL, witnessing(anchoring.trust.log_keys, anchoring.clock, name=NAME, seed=41))
    with anchoring.transaction():
        anchoring.rows.put_witness(AskedWitness(NAME, tuple(str(key.public) for key in keys), URL, party))


def state(services, home, role=Role.OWNER) -> int:
    envelope, opening = signed(services, home.people[role], draft())
    with services.database.transaction():
        services.outbox.admit(envelope, opening, by=home.actor(role))
    return services.ledger.published(envelope.digest).entry


def steal(services, home, since) -> None:
    """Let the root revoke the owner's key as compromised since a time."""
    wanted = key_revoked(home.people[Role.OWNER].signer.key, reason="compromised", at=since)
    services.keys.revoke(signed(services, root_of(home), wanted)[0], by=home.actor())


def standings(services, at=None, since=0):
    owners = [one for one in services.ledger.statements(TENANT, at=at) if one.entry >= since and one.issuer]
    return {one.entry: one.standing for one in owners if one.issuer.role == "operator"}


def test_only_what_another_party_saw_before_the_theft_counts(services, home, anchoring, clock) -> None:
    seen = state(services, home)
    clock.advance(MINUTE)
    anchoring.turn()
    clock.advance(MINUTE)
    unseen = state(services, home)
    clock.advance(MINUTE)
    since = clock.now()
    clock.advance(timedelta(hours=1))
    after = state(services, home)
    anchoring.turn()
    before = clock.now()
    clock.advance(MINUTE)
    assert set(standings(services, since=seen).values()) == {Standing.TRUSTED}
    steal(services, home, since)
    found = standings(services, since=seen)
    assert found == {seen: Standing.TRUSTED, unseen: Standing.UNPROVEN, after: Standing.REVOKED}
    assert set(standings(services, at=before, since=seen).values()) == {Standing.TRUSTED}  # as it was known then
    (vouched,) = {one.vouched for one in services.ledger.named(TENANT, [seen])}
    assert (vouched.party, vouched.at) == ("Auditor", since - 2 * MINUTE)


def test_the_operators_own_witness_proves_nothing(services, home, anchoring, remote, clock) -> None:
    watch(anchoring, remote, "operator")
    entry = state(services, home)
    anchoring.turn()
    clock.advance(MINUTE)
    steal(services, home, clock.now())
    assert standings(services, since=entry) == {entry: Standing.UNPROVEN}


@pytest.mark.databases
def test_what_is_said_later_changes_nothing_of_a_status_of_before(services, home, anchoring, clock) -> None:
    """Neither a cosignature that arrives late, nor one that takes the place of the older of its hour."""
    clock.advance(timedelta(hours=1) - timedelta(minutes=clock.now().minute))
    seen = state(services, home)
    anchoring.turn()
    clock.advance(MINUTE)
    unseen = state(services, home)
    clock.advance(MINUTE)
    steal(services, home, clock.now())
    wanted = {seen: Standing.TRUSTED, unseen: Standing.UNPROVEN}
    as_of = clock.now()
    assert standings(services, since=seen) == wanted
    clock.advance(-MINUTE)  # the witness's clock is behind: it says that it saw the newest head before the theft
    late = replace(anchoring, clock=clock)
    late.turn()
    assert "behind the end of a key" in late.rows.witnesses()[0].progress.trouble
    clock.advance(2 * MINUTE)
    anchoring.turn()
    assert anchoring.rows.witnesses()[0].progress.trouble == ""
    with services.database.transaction():
        assert len(anchoring.rows.sizes()) == 2  # the older one of this hour is still there
    with home.services(clock) as again:  # that remembers nothing
        assert standings(again, at=as_of, since=seen) == wanted
        assert {entry: found for entry, found in standings(again, since=seen).items() if entry in wanted} == wanted
