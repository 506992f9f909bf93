"""Roles and classes of AI systems, and the golden dates."""

import pytest

from ringfence.obligations.scope import rules
from ringfence.testing.organisations import NOTHING, answer, system

LAW = rules.load().ai_act


def rows(**changes):
    found = answer(ai_systems=[system(**changes)])["ai_act"]
    return {(row["role"], row["class"], row["applies_from"]) for row in found}


A = {"annex_i_product": "a", "product_or_safety_component": True, "third_party_assessment": True}
B = A | {"annex_i_product": "b"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"purposes": ["employment"]}, ("provider", "high_risk_annex_III", "2027-12-02")),
        (A, ("provider", "high_risk_annex_I", "2028-08-02")),
        (B, ("provider", "high_risk_annex_I_section_B", "2028-08-02")),
        ({"purposes": ["social_scoring"]}, ("provider", "prohibited", "2025-02-02")),
        ({"purposes": ["non_consensual_intimate_material"]}, ("provider", "prohibited", "2026-12-02")),
        ({"purposes": ["child_sexual_abuse_material"]}, ("provider", "prohibited", "2026-12-02")),
        ({"purposes": ["talks_to_people"]}, ("provider", "transparency", "2026-08-02")),
        ({"purposes": ["generates_content"]}, ("provider", "transparency", "2026-08-02")),
        (
            {"purposes": ["generates_content"], "placed_on_market": "2026-08-01"},
            ("provider", "transparency", "2026-12-02"),
        ),
        (
            {"purposes": ["generates_content"], "placed_on_market": "2026-08-02"},
            ("provider", "transparency", "2026-08-02"),
        ),
        (
            {"purposes": ["talks_to_people"], "placed_on_market": "2026-08-01"},
            ("provider", "transparency", "2026-08-02"),
        ),
        ({}, ("provider", "minimal", "2025-02-02")),
        ({"research_only": True, "purposes": ["employment"]}, ("provider", "out_of_scope", None)),
        ({"union_link": False, "purposes": ["employment"]}, ("provider", "out_of_scope", None)),
        ({"open_source": True}, ("provider", "out_of_scope", None)),
        ({"open_source": True, "purposes": ["employment"]}, ("provider", "high_risk_annex_III", "2027-12-02")),
        ({"open_source": True, "purposes": ["talks_to_people"]}, ("provider", "transparency", "2026-08-02")),
        ({"purposes": ["fraud_detection"]}, ("provider", "minimal", "2025-02-02")),
        ({"purposes": ["biometric_verification"]}, ("provider", "minimal", "2025-02-02")),
        ({"purposes": ["employment"], "narrow_task_6_3": True}, ("provider", "minimal", "2025-02-02")),
        (
            {"purposes": ["employment"], "narrow_task_6_3": True, "profiling": True},
            ("provider", "high_risk_annex_III", "2027-12-02"),
        ),
        ({"activities": ["uses"], "purposes": ["deep_fakes"]}, ("deployer", "transparency", "2026-08-02")),
        ({"activities": ["uses"], "purposes": ["generates_content"]}, ("deployer", "minimal", "2025-02-02")),
        ({"activities": ["uses_privately"], "purposes": ["employment"]}, ("none", "out_of_scope", None)),
        ({"activities": ["imports"], "purposes": ["employment"]}, ("importer", "high_risk_annex_III", "2027-12-02")),
        ({"activities": ["rebrands"], "purposes": ["employment"]}, ("provider", "high_risk_annex_III", "2027-12-02")),
        ({"activities": ["rebrands"]}, ("distributor", "minimal", None)),  # Art 4 is for providers and deployers
        ({"activities": ["imports"]}, ("importer", "minimal", None)),
        # 2(12) leaves in the act what falls under Art 50, whoever uses it
        (
            {"activities": ["uses"], "open_source": True, "purposes": ["talks_to_people"]},
            ("deployer", "minimal", "2025-02-02"),
        ),
        ({"activities": ["uses"], "open_source": True}, ("deployer", "out_of_scope", None)),
        (A | {"activities": ["builds_into_own_product"]}, ("provider", "high_risk_annex_I", "2028-08-02")),
        ({"activities": ["builds_into_own_product"]}, ("product_manufacturer", "minimal", None)),
    ],
)
def test_one_row(changes, expected):
    assert rows(**changes) == {expected}


def test_both_conditions_of_annex_i_are_needed():
    for key in ("product_or_safety_component", "third_party_assessment"):
        assert rows(**A | {key: False}) == {("provider", "minimal", "2025-02-02")}
        assert ("provider", "high_risk_annex_I", "2028-08-02") not in rows(**A | {key: "unknown"})


def test_a_system_can_stand_in_several_classes_and_roles():
    found = rows(activities=["develops_under_own_name", "uses"], purposes=["emotion_recognition", "talks_to_people"])
    assert found == {
        ("provider", "high_risk_annex_III", "2027-12-02"),
        ("provider", "transparency", "2026-08-02"),
        ("deployer", "high_risk_annex_III", "2027-12-02"),
        ("deployer", "transparency", "2026-08-02"),
    }


def test_a_prohibited_purpose_leaves_no_room_for_another_class():
    assert rows(purposes=["social_scoring", "employment"]) == {("provider", "prohibited", "2025-02-02")}


def test_the_derogation_keeps_its_own_provision():
    found = answer(ai_systems=[system(purposes=["employment"], narrow_task_6_3=True)])["ai_act"]
    assert found[0]["provision"] == "AI Act 4, 6(3)-(4), 49(2)"


@pytest.mark.parametrize(
    "key", ["activities", "purposes", "union_link", "research_only", "open_source", "annex_i_product"]
)
def test_an_unknown_input_that_matters_leaves_the_class_open(key):
    given = system(product_or_safety_component=True, third_party_assessment=True, **{key: NOTHING})
    found = answer(ai_systems=[given])
    assert [row["class"] for row in found["ai_act"]] == ["undetermined"] or key == "activities"
    assert key in found["undetermined"][0]["decided_by"]


def test_an_unknown_input_that_does_not_matter_is_not_asked_for():
    given = system(purposes=["employment"], open_source=NOTHING, placed_on_market=NOTHING)
    found = answer(ai_systems=[given])
    assert found["undetermined"] == []
    assert found["ai_act"][0]["class"] == "high_risk_annex_III"


def test_every_purpose_and_activity_can_be_classified():
    for purpose in LAW["purposes"]:
        assert rows(purposes=[purpose])
    for activity in LAW["activities"]:
        if activity != "modifies_model":
            assert rows(activities=[activity])


def test_the_dates_of_the_act():
    assert LAW["dates"]["annex_iii"] == "2027-12-02"
    assert LAW["dates"]["annex_i"] == "2028-08-02"
    assert LAW["dates"]["marking_of_older_systems"] == "2026-12-02"
