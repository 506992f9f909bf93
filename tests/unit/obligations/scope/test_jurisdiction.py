"""Which Member State: each rule of Art 26."""

import pytest

from ringfence.testing.organisations import NOTHING, answer


def where(services, **changes):
    found = answer(services=services, size__staff=60, **changes)
    return found["jurisdiction"], {row["provision"] for row in found["jurisdictions"]}


SEVERAL = {"established_in": ["DE", "FR", "US"], "serves": ["DE", "ES"]}


@pytest.mark.parametrize(
    ("services", "code", "provision"),
    [
        (["healthcare_provider"], "DE,FR", "NIS2 26(1)"),
        (["trust_service_provider"], "DE,FR", "NIS2 26(1)"),
        (["public_communications_service_provider"], "DE,ES", "NIS2 26(1)(a)"),
        (["central_government_entity"], "DE,FR", "NIS2 26(1)(c)"),
    ],
)
def test_rule(services, code, provision):
    assert where(services, **SEVERAL) == (code, {provision})


@pytest.mark.parametrize(
    ("main", "code"),
    [
        ({"risk_decisions": "FR"}, "FR"),
        ({"risk_decisions": "US", "security_operations": "DE"}, "DE"),
        ({"risk_decisions": "undeterminable", "security_operations": "US", "most_employees": "DE"}, "DE"),
        ({"risk_decisions": "undeterminable"}, "undetermined"),
        ({"risk_decisions": "US"}, "undetermined"),
        ({}, "undetermined"),
        (NOTHING, "undetermined"),
    ],
)
def test_main_establishment_in_its_three_steps(main, code):
    assert where(["gpu_cloud"], main_establishment=main, **SEVERAL)[0] == code


def test_what_decides_the_main_establishment_is_named():
    found = answer(services=["gpu_cloud"], size__staff=60, main_establishment={"risk_decisions": "US"}, **SEVERAL)
    gap = next(gap for gap in found["undetermined"] if gap["subject"] == "jurisdiction")
    assert gap == {
        "subject": "jurisdiction",
        "possible": ["DE", "FR"],
        "decided_by": ["main_establishment.security_operations"],
    }


def test_one_establishment_in_the_union_is_the_main_one():
    assert where(["gpu_cloud"], established_in=["US", "IE"])[0] == "IE"


@pytest.mark.parametrize(
    ("representative", "serves", "code"),
    [
        ("NL", ["DE"], "NL"),
        ("none", ["DE", "ES"], "DE,ES"),
        (NOTHING, ["DE", "ES"], "undetermined"),
        ("none", ["US"], "none"),
    ],
)
def test_from_outside_the_union(representative, serves, code):
    given = {"established_in": ["US"], "serves": serves, "representative": representative}
    assert where(["gpu_cloud"], **given)[0] == code


def test_several_rules_can_hold_side_by_side():
    found = where(["gpu_cloud", "healthcare_provider"], main_establishment={"risk_decisions": "FR"}, **SEVERAL)
    assert found == ("DE,FR", {"NIS2 26(1)(b), 26(2)", "NIS2 26(1)"})


def test_a_service_whose_condition_fails_brings_no_rule():
    service = {"type": "waste_management", "main_activity": False}
    given = {"main_establishment": {"risk_decisions": "FR"}} | SEVERAL
    assert where(["gpu_cloud", service], **given)[0] == "FR"


def test_an_act_and_its_authority_are_shown_with_their_source():
    row = answer(services=["gpu_cloud"], size__staff=60)["jurisdictions"][0]
    assert (row["member_state"], row["in_force"], row["authority"]) == ("DE", "2025-12-06", "BSI")
    assert (row["source"], row["verified_on"]) == ("verified", "2026-11-22")


def test_whoever_is_and_serves_outside_the_union_answers_nowhere():
    assert where(["gpu_cloud"], established_in=["GB"], serves=["GB"])[0] == "none"
    assert where(["gpu_cloud"], established_in=["NO"], serves=["SE"], representative="SE")[0] == "SE"
