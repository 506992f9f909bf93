"""What reaches an organisation through its customers."""

import pytest

from ringfence.testing.organisations import NOTHING, answer, customer

HOSPITAL = {"NIS2 21(2)(d)", "NIS2 21(3)"}
CLAUSES = "2024/2690 Annex 5.1.4(a)-(h)"


def row(**changes):
    return answer(customers=[customer(**changes)], personal_data="ordinary")["customers"][0]


def provisions(found):
    return {duty["provision"] for duty in found["duties"]}


@pytest.mark.parametrize(
    ("changes", "category", "expected"),
    [
        ({}, "essential", HOSPITAL),
        ({"services": ["motor_vehicle_manufacturer"], "staff": 5000}, "important", HOSPITAL),
        ({"services": ["gpu_cloud"]}, "essential", HOSPITAL | {CLAUSES}),
        ({"services": ["credit_institution"]}, "essential", {"DORA 28-30"}),
        ({"services": ["other_financial_entity_under_dora"]}, "out_of_scope", {"DORA 28-30"}),
        ({"services": ["none_of_these"]}, "out_of_scope", set()),
        ({"services": ["none_of_these"], "designated_critical": True}, "essential", HOSPITAL),
        ({"staff": 20, "turnover": 1_000_000, "balance": 1_000_000}, "out_of_scope", set()),
        ({"direct": False}, "essential", set()),
        ({"personal_data": True}, "essential", HOSPITAL | {"GDPR 28(3)"}),
        ({"high_risk_ai_provider": True, "direct": False}, "essential", {"AI Act 25(4)"}),
    ],
)
def test_duties(changes, category, expected):
    found = row(**changes)
    assert (found["category"], provisions(found)) == (category, expected)
    assert all(duty["certain"] for duty in found["duties"])


def test_a_duty_is_certain_although_the_category_is_not():
    found = row(services=["motor_vehicle_manufacturer"], designated_critical=NOTHING)
    assert found["category"] == "undetermined"
    assert [duty["status"] for duty in found["duties"]] == ["binding", "binding"]


def test_a_customer_of_unknown_size_leaves_the_duty_open():
    found = answer(customers=[customer(staff=NOTHING)])
    assert {duty["status"] for duty in found["customers"][0]["duties"]} == {"undetermined"}
    gap = next(gap for gap in found["undetermined"] if gap["subject"] == "customer hospital: NIS2 21(2)(d)")
    assert gap["decided_by"] == ["staff", "turnover", "balance"]
    assert found["supply_chain_duty_only"] is None


@pytest.mark.parametrize(("country", "status"), [("DE", "binding"), ("ES", "upcoming"), ("FR", "undetermined")])
def test_the_duty_follows_the_customers_national_act(country, status):
    assert {duty["status"] for duty in row(country=country)["duties"]} == {status}


def test_ai_act_agreements_are_upcoming():
    found = answer(customers=[customer(high_risk_ai_provider=True)])
    assert ("2027-12-02", "AI Act 25(4)") in [(one["applies_from"], one["provision"]) for one in found["upcoming"]]


@pytest.mark.parametrize(
    ("customers", "expected"),
    [
        ([customer()], True),
        ([customer(services=["none_of_these"])], False),
        ([customer(services=["none_of_these"], personal_data=True)], False),  # GDPR is no supply-chain duty
        ([customer(services=["credit_institution"])], True),
        ([customer(staff=NOTHING)], None),
        ([customer(staff=NOTHING), customer()], True),
    ],
)
def test_only_by_contract(customers, expected):
    assert answer(customers=customers, personal_data=NOTHING)["supply_chain_duty_only"] is expected


def test_an_entity_in_scope_is_not_reached_by_contract_only():
    assert answer(customers=[customer()], services=["gpu_cloud"], size__staff=60)["supply_chain_duty_only"] is False


def test_a_customer_outside_the_union_is_bound_only_where_it_serves_it():
    def found(**changes):
        return answer(customers=[customer(country="US", **changes)])

    assert found(serves_union=True)["customers"][0]["category"] == "essential"
    outside = found(serves_union=False)
    assert (outside["customers"][0]["category"], outside["customers"][0]["duties"]) == ("out_of_scope", [])
    unknown = found(serves_union=NOTHING)
    assert unknown["customers"][0]["category"] == "undetermined"
    assert any("serves_union" in gap["decided_by"] for gap in unknown["undetermined"])
    assert found(serves_union=False, services=["credit_institution"])["customers"][0]["duties"] == []


def test_a_customer_of_an_unknown_country_may_be_outside_the_union():
    def only(**changes):
        return answer(customers=[customer(**changes)])["supply_chain_duty_only"]

    assert only(country="US", serves_union=False) is False
    assert only(country=NOTHING, serves_union=False) is None
    assert only(country=NOTHING, serves_union=NOTHING) is None
