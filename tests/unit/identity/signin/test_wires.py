from datetime import timedelta

from ringfence.identity.signin.model import Owner
from ringfence.identity.signin.wires import ActivePeople
from ringfence.kernel.actor import Role


def test_access_that_ended_is_none_in_whichever_list_it_stands(services, home, owner, other, clock):
    active = ActivePeople(services.identity.people, services.identity.revocations)
    assert active.active(owner).id == owner.person
    assert active.active(Owner("other", owner.person)) is None
    services.identity.revocations.revoke(owner.person)
    assert active.active(owner) is None
    clock.advance(timedelta(seconds=1))
    services.identity.remove(other.person, by=home.actor(Role.OWNER), left_at=None, reason="left")
    assert active.active(other) is None
