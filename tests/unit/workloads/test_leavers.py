from datetime import timedelta

import pytest

from ringfence.identity.signin.keyring import CodeTable, PasskeyTable
from ringfence.identity.signin.model import Owner, Passkey, RecoveryCode, Site, Totp
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Refused
from ringfence.retention.erasing import Asked
from ringfence.retention.model import Fate, Scope
from ringfence.testing.home import TENANT

DAY = timedelta(days=1)


def sweep(services):
    return {outcome.run.kind: outcome.fates for outcome, _ in services.retention.sweeper.sweep(TENANT)}


def erase(services, home, person):
    return services.retention.erasing.erase(home.actor(), Asked(because="asked", person=person))


@pytest.fixture
def ways_in(services, home):
    """Somebody with every way in, and a colleague with one."""
    leaver, colleague = (Owner(TENANT, home.people[role].id) for role in (Role.ENGINEER, Role.AUDITOR))
    now = services.clock.now()
    codes, passkeys = CodeTable(services.database), PasskeyTable(services.database)
    with services.database.transaction():
        for owner, credential in ((leaver, b"1"), (colleague, b"2")):
            site = Site("localhost", "http://localhost:8400")
            passkeys.add(Passkey(credential, owner, b"k" * 65, site, 0, "Ada's", (), False, now, owner.person))
        codes.put_totp(Totp(leaver, b"sealed", "hash", 0, now))
        codes.put_recovery(leaver, [RecoveryCode(leaver, 1, "hash")])
    return leaver, colleague


def test_the_ways_in_of_somebody_who_left_go_and_everybody_elses_stay(services, home, clock, ways_in):
    leaver, colleague = ways_in
    codes, passkeys = CodeTable(services.database), PasskeyTable(services.database)
    clock.advance(365 * DAY)
    assert "leaver-credentials" not in sweep(services)
    services.identity.remove(leaver.person, by=home.actor(), left_at=None, reason="left")
    clock.advance(30 * DAY - timedelta(seconds=1))
    assert "leaver-credentials" not in sweep(services)
    clock.advance(timedelta(seconds=2))
    assert sweep(services)["leaver-credentials"] == {Fate.DESTROYED: 1}
    assert (passkeys.of(leaver), codes.totp(leaver), codes.recovery(leaver)) == ([], None, [])
    assert len(passkeys.of(colleague)) == 1
    assert "leaver-credentials" not in sweep(services)


def test_a_hold_on_somebody_who_left_keeps_their_ways_in_and_an_erasure_takes_them_at_once(services, home, ways_in):
    leaver, colleague = ways_in
    for owner in ways_in:
        erase(services, home, owner.person)
    passkeys = PasskeyTable(services.database)
    assert len(passkeys.of(leaver) + passkeys.of(colleague)) == 2  # both still have access
    services.identity.remove(leaver.person, by=home.actor(), left_at=None, reason="left")
    hold, _ = services.retention.place(home.actor(), Scope(person=leaver.person), "a court asked")
    with pytest.raises(Refused):
        erase(services, home, leaver.person)
    services.retention.release(home.actor(), hold.id, "it was settled")
    erase(services, home, leaver.person)
    assert passkeys.of(leaver) == []
