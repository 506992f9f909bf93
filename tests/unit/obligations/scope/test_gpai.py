"""General-purpose models: who provides one, systemic risk, older models, modifiers."""

import pytest

from ringfence.testing.organisations import NOTHING, answer, model


def rows(**changes):
    found = answer(ai_systems=[model(**changes)])["ai_act"]
    return {(row["role"], row["class"], row["applies_from"]) for row in found}


GPAI = ("provider", "gpai", "2025-08-02")
SYSTEMIC = ("provider", "gpai_systemic", "2025-08-02")
NONE = ("provider", "no_gpai_duty", None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {GPAI}),
        ({"high_impact_capabilities": True}, {GPAI, SYSTEMIC}),
        ({"training_compute": 10**25}, {GPAI}),
        ({"training_compute": 10**25 + 1}, {GPAI, SYSTEMIC}),
        ({"general_purpose": "unknown", "training_compute": 10**23}, {NONE}),
        ({"general_purpose": "unknown", "training_compute": 10**23 + 1}, {GPAI}),
        ({"general_purpose": "unknown", "generates_language_or_images": False}, {NONE}),
        ({"general_purpose": False}, {NONE}),
        ({"placed_on_market": "2025-08-01"}, {("provider", "gpai", "2027-08-02")}),
        ({"placed_on_market": "2025-08-02"}, {GPAI}),
        (
            {"placed_on_market": "2025-08-01", "high_impact_capabilities": True},
            {("provider", "gpai", "2027-08-02"), ("provider", "gpai_systemic", "2027-08-02")},
        ),
        ({"activities": ["uses"]}, {("deployer", "no_gpai_duty", None)}),
        ({"research_only": True}, {("provider", "out_of_scope", None)}),
        ({"union_link": False}, {("provider", "out_of_scope", None)}),
    ],
)
def test_model(changes, expected):
    assert rows(**changes) == expected


THIRD = 10**24


@pytest.mark.parametrize(
    ("changes", "becomes"),
    [
        ({"modification_compute": THIRD // 3, "original_compute": THIRD}, False),
        ({"modification_compute": THIRD // 3 + 1, "original_compute": THIRD}, True),
        ({"modification_compute": 4 * 10**22}, True),  # the original counts as 10^23
        ({"modification_compute": 3 * 10**22}, False),
        ({"modification_compute": 4 * 10**22, "high_impact_capabilities": True}, False),  # … or as 10^25
    ],
)
def test_a_modifier_becomes_a_provider_above_one_third(changes, becomes):
    found = rows(activities=["modifies_model"], training_compute=10**24, **changes)
    assert (GPAI in found) is becomes
    assert (("modifier", "no_gpai_duty", None) in found) is not becomes


def test_open_models_without_systemic_risk_have_fewer_duties():
    def provision(**changes):
        found = answer(ai_systems=[model(open_source=True, **changes)])["ai_act"]
        return next(row["provision"] for row in found if row["class"] == "gpai")

    assert provision() == "AI Act 53(1)(c)-(d)"
    assert provision(high_impact_capabilities=True) == "AI Act 53(1)(a)-(d)"


def test_unknown_compute_leaves_systemic_risk_open_and_the_rest_determined():
    found = answer(ai_systems=[model(training_compute=NOTHING)])
    assert [row["class"] for row in found["ai_act"]] == ["gpai", "undetermined"]
    assert found["undetermined"][0]["decided_by"] == ["training_compute"]


def test_whether_it_is_a_system_or_a_model_can_be_unknown():
    found = answer(ai_systems=[model(kind=NOTHING, purposes=["other"], annex_i_product="none")])
    assert found["ai_act"][0]["class"] == "undetermined"
    assert found["undetermined"][0]["decided_by"][0] == "kind"


def test_an_estimate_is_carried_along():
    assert answer(ai_systems=[model(compute_estimated=True)])["ai_act"][0]["compute_estimated"] is True
