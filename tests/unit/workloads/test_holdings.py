from ringfence.kernel.actor import Role
from ringfence.testing.home import TENANT


def counts(services, tenant):
    return {held.what: held.count for held in services.holdings(tenant)}


def test_a_tenant_holds_what_it_has_now(services, home):
    before = counts(services, TENANT)
    assert (before["people"], before["services"], before["nodes"]) == (len(Role), 0, 0)
    owner, scope = home.actor(), frozenset({"event.ingest"})
    services.access.accounts.enrol(owner, "collector", Role.SECURITY, scope, 9)
    services.identity.remove(home.people[Role.VENDOR].id, by=owner, left_at=None, reason="left")
    services.ledger.integrate()
    after = counts(services, TENANT)
    assert (after["people"], after["services"]) == (len(Role) - 1, 1)
    assert after["statements"] > before["statements"]


def test_another_tenant_adds_nothing(services):
    assert set(counts(services, "other").values()) == {0}


def test_what_is_counted_is_shown_somewhere(services):
    assert all(held.link.startswith("/") for held in services.holdings(TENANT))
