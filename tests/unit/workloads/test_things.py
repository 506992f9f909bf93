from ringfence.customers.model import Thing, ThingKind
from ringfence.testing.customers import attached, sealed
from ringfence.testing.home import TENANT


def test_what_a_tenant_has_is_named_as_statements_and_as_people_do(services, home):
    assert services.customers.things(TENANT) == ()
    ident = sealed(home, services, "scans")
    attached(home, services, "chat")
    found = services.customers.things(TENANT)
    assert found == (Thing(ThingKind.DATASET, ident, "scans"), Thing(ThingKind.DEPLOYMENT, "chat", "chat"))
    assert [one.name for one in found] == [f"dataset/{ident}", "deployment/chat"]
