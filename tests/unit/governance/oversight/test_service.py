from ringfence.kernel.actor import Role
from ringfence.testing.governing import sitting
from ringfence.testing.home import TENANT


def test_a_resolution_is_in_the_log_and_its_members_are_due(services, home):
    body = sitting(services, home, 2)
    body.put()
    services.ledger.integrate()
    overseeing = services.overseeing
    (line,) = overseeing.shown(TENANT)
    assert line.by == home.people[Role.OWNER].id
    assert overseeing.courses(TENANT) == []
    assert [(one.person, one.recorded) for one in overseeing.members(TENANT)] == [
        (one.person.id, False) for one in sorted(body.members, key=lambda one: one.person.name)
    ]
