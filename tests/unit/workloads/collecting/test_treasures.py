from ringfence.testing.home import TENANT
from ringfence.workloads.collecting.treasures import treasures


def test_an_installation_without_anything_has_its_log_and_its_people(services):
    found = list(treasures(services, TENANT))
    assert {one.surface for one in found} == {"api", "events", "export", "ledger", "search"}
    assert any(one.path.endswith("/people") for one in found)


def test_a_tenant_that_has_nothing_has_nothing_to_be_asked_for(services):
    assert list(treasures(services, "other")) == []


def test_a_list_names_what_must_not_stand_in_it(services):
    lists = [one for one in treasures(services, TENANT) if one.surface in {"search", "export", "events"}]
    assert all(one.secret for one in lists if not one.path.startswith("/evidence/"))
