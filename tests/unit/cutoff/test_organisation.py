import json
from dataclasses import replace

import pytest

from ringfence.customers.model import Occasion, Regime, Wanted
from ringfence.cutoff.organisation import Organisation, criteria, financial, standing_of
from ringfence.incidents.terms import Category
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import RingfenceError
from ringfence.testing.home import TENANT, draft, signed

CLAIMS = {
    "category": "important",
    "provision": "NIS2 3(2), Annex I.8",
    "entityTypes": ["cloud_computing_service"],
    "binds2690": True,
    "jurisdiction": "DE",
}
PROFILE = {
    "format": "urn:ringfence:organisation:v1",
    "tenants": {
        "main": {
            "customers": [{"id": "hospital", "hours": 4, "agreed": True}],
            "fields": {"contact": {"text": "soc@example.eu", "by": "person-0123456789ab"}},
        }
    },
}


def classify(services, home, **claims):
    envelope, opening = signed(services, home.people[Role.OWNER], draft("entity.classification", CLAIMS | claims))
    with services.ledger.publishable():
        services.outbox.admit(envelope, opening, by=home.actor())
    services.ledger.integrate()


def organisation(services, file):
    return Organisation(services.ledger.statements, file, services.profile.history)


def test_without_a_classification_nothing_is_determined(services, tmp_path):
    assert organisation(services, tmp_path / "none").standing(TENANT).category is Category.UNDETERMINED


def test_the_newest_classification_counts(services, home, tmp_path):
    classify(services, home)
    classify(services, home, category="essential", jurisdiction="FR")
    found = organisation(services, tmp_path / "none").standing(TENANT)
    assert (found.category, found.jurisdiction, found.binds_2690) == (Category.ESSENTIAL, "FR", True)
    assert found.provision == CLAIMS["provision"]


def test_a_classification_by_a_key_that_nobody_stands_for_counts_for_nothing(services, home, tmp_path):
    classify(services, home)

    def revoked(tenant, predicates):
        return [replace(one, standing="revoked") for one in services.ledger.statements(tenant, predicates)]

    assert (
        Organisation(revoked, tmp_path / "none", services.profile.history).standing(TENANT).category
        is Category.UNDETERMINED
    )


@pytest.mark.parametrize("nowhere", ["none", "undetermined"])
def test_no_jurisdiction_is_no_state(services, home, tmp_path, nowhere):
    classify(services, home, jurisdiction=nowhere)
    assert organisation(services, tmp_path / "none").standing(TENANT).jurisdiction == ""


def test_what_a_classification_leaves_open_is_not_made_up(services, home):
    classify(services, home)
    (logged,) = services.ledger.statements(TENANT, ["entity.classification"])
    bare = replace(logged.envelope.statement, claims={"category": "out_of_scope", "provision": "x"})
    found = standing_of(bare)
    assert (found.binds_2690, found.types, found.financial, found.jurisdiction) == (None, (), False, "")


def test_where_dora_takes_the_place_of_article_23_is_in_the_catalogue(services, home):
    assert financial()
    classify(services, home, entityTypes=[min(financial())])
    (logged,) = services.ledger.statements(TENANT, ["entity.classification"])
    assert standing_of(logged.envelope.statement).financial
    assert "cloud_computing_service" not in financial()


@pytest.mark.parametrize(
    ("claims", "displaced"),
    [
        ({"category": "undetermined", "binds2690": None}, False),  # services unknown: it may be anything
        ({"category": "essential", "binds2690": None}, False),  # essential by designation, services unknown
        ({}, True),  # a bank that is a cloud provider as well
    ],
)
def test_dora_takes_the_place_only_where_that_is_determined(services, home, claims, displaced):
    classify(services, home)
    (logged,) = services.ledger.statements(TENANT, ["entity.classification"])
    several = CLAIMS | {"entityTypes": ["cloud_computing_service", min(financial())]} | claims
    known = {name: value for name, value in several.items() if value is not None}
    assert standing_of(replace(logged.envelope.statement, claims=known)).financial is displaced


def test_a_bank_of_unknown_size_reports_under_dora_all_the_same(services, home):
    classify(services, home)
    (logged,) = services.ledger.statements(TENANT, ["entity.classification"])
    bank = {"category": "undetermined", "provision": "x", "entityTypes": [min(financial())]}
    assert standing_of(replace(logged.envelope.statement, claims=bank)).financial


def test_the_criteria_come_from_the_same_data_as_the_duties():
    codes = {threshold.code for threshold in criteria()}
    assert {"3(1)(b)", "3(1)(e)"} <= codes


def test_what_people_filled_in_is_read_for_its_tenant_only(services, tmp_path):
    file = tmp_path / "organisation.json"
    found = organisation(services, file)
    assert (found.customers(TENANT), found.profile(TENANT)) == ((), {})
    file.write_text(json.dumps(PROFILE))
    file.chmod(0o600)
    (customer,) = found.customers(TENANT)
    assert (customer.id, customer.hours, customer.agreed) == ("hospital", 4, True)
    assert found.profile(TENANT)["contact"] == ("soc@example.eu", "person-0123456789ab")
    assert found.customers("other") == ()


def test_a_file_that_others_can_read_is_not_used(services, tmp_path):
    file = tmp_path / "organisation.json"
    file.write_text(json.dumps(PROFILE))
    file.chmod(0o644)
    with pytest.raises(RingfenceError):
        organisation(services, file).customers(TENANT)


def test_customers_of_the_register_stand_beside_those_of_the_file(services, home, tmp_path):
    path = tmp_path / "organisation.json"
    path.write_text(json.dumps(PROFILE))
    path.chmod(0o600)
    hours = {Occasion.INCIDENT: 6}
    customers = services.customers
    kept, _ = customers.add(home.actor(), Wanted("St. Example", (Regime.ESSENTIAL,), hours=hours))
    bank, _ = customers.add(home.actor(), Wanted("Bank", (Regime.DORA,)))
    gone, _ = customers.add(home.actor(), Wanted("Gone"))
    customers.change(home.actor(), kept, Wanted("St. Example", (Regime.ESSENTIAL,), hours={Occasion.INCIDENT: 48}))
    customers.remove(home.actor(), gone, "over")
    found = {one.id: one for one in organisation(services, path).customers(TENANT)}
    assert next(iter(found)) == "hospital"
    assert (found["hospital"].hours, found["hospital"].agreed) == (4, True)
    assert (found[kept].hours, found[kept].agreed) == (48, True)
    assert [hours for _, hours, _, _ in found[kept].held] == [6, 48]
    assert (found[bank].hours, found[bank].agreed) == (4, False)  # our proposal, so that a bank can keep its own four
    assert (found[gone].hours, found[gone].former) == (12, True)
