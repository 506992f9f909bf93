"""NIS2 put to descriptions with gaps."""

import pytest

from ringfence.testing.organisations import NOTHING, answer


def category(**changes):
    return answer(**changes)["nis2"]["category"]


def decided_by(**changes):
    found = answer(**changes)
    return next(gap["decided_by"] for gap in found["undetermined"] if gap["subject"] == "nis2.category")


@pytest.mark.parametrize("key", ["cer_critical_entity", "former_operator_of_essential_services"])
def test_a_designation_that_is_not_known_leaves_the_category_open(key):
    changes = {f"designations__{key}": NOTHING}
    assert category(**changes) == "undetermined"
    assert decided_by(**changes) == [f"designations.{key}"]


def test_a_designation_does_not_matter_where_the_entity_is_essential_anyway():
    found = answer(services=["dns_service_provider"], designations__cer_critical_entity=NOTHING, size__staff="unknown")
    assert found["nis2"]["category"] == "essential"
    assert found["nis2"]["provision"] == "NIS2 3(1)(b), Annex I.8, 6(20); or NIS2 3(1)(f)"


def test_two_ways_to_one_category_are_both_named():
    found = answer(services=["gpu_cloud"], size__staff=300, designations__cer_critical_entity=NOTHING)
    assert found["nis2"]["provision"] == "NIS2 3(1)(a), Annex I.8, 6(30); or NIS2 3(1)(f)"


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({"type": "waste_management", "main_activity": True}, "important"),
        ({"type": "waste_management", "main_activity": False}, "out_of_scope"),
        ({"type": "waste_management"}, "undetermined"),
        ("waste_management", "undetermined"),
        ({"type": "trust_service_provider", "qualified": True}, "essential"),
        ({"type": "trust_service_provider", "qualified": False}, "important"),
        ("trust_service_provider", "undetermined"),
        ({"type": "regional_government_entity", "risk_assessed": True}, "important"),
        ({"type": "regional_government_entity", "risk_assessed": False}, "out_of_scope"),
        ({"type": "education_institution", "member_state_opted_in": True}, "important"),
        ({"type": "education_institution", "member_state_opted_in": False}, "out_of_scope"),
    ],
)
def test_conditions_of_a_type(service, expected):
    assert category(services=[service], size__staff=100) == expected


def test_services_that_are_not_known_leave_everything_open():
    found = answer(services=NOTHING, size__staff=300)
    assert found["nis2"]["possible"] == ["essential", "important", "out_of_scope", "registration_only"]
    assert found["binds_2690"] is None
    assert "services" in decided_by(services=NOTHING)


def test_an_exclusion_is_stronger_than_what_is_not_known():
    assert (
        category(services=["none_of_these"], designations__exclusion="dora_exemption", size=NOTHING) == "out_of_scope"
    )


@pytest.mark.parametrize(
    ("places", "serves", "expected"),
    [
        (["US"], ["US"], "out_of_scope"),
        (["US"], ["DE"], "important"),
        (["US"], NOTHING, "undetermined"),
        (["DE"], NOTHING, "important"),
        (NOTHING, ["FR"], "important"),
        (NOTHING, NOTHING, "undetermined"),
    ],
)
def test_the_union_is_needed(places, serves, expected):
    given = {"services": ["gpu_cloud"], "size__staff": 60, "established_in": places, "serves": serves}
    assert category(**given) == expected


def test_what_2690_depends_on_is_named_apart():
    found = answer(services=["trust_service_provider", "motor_vehicle_manufacturer"], size__staff=60)
    assert found["nis2"]["category"] == "undetermined"
    assert found["binds_2690"] is True


def test_services_that_are_said_again_are_open_once():
    services = [
        "waste_management",
        "drinking_water_supplier",
        "trust_service_provider",
        "regional_government_entity",
    ] * 9
    assert category(services=services, size=NOTHING, designations=NOTHING) == "undetermined"


def test_the_category_of_a_local_administration_is_for_the_national_act_to_say():
    given = [{"type": "local_government_entity", "member_state_opted_in": True}]
    assert answer(services=given)["nis2"]["possible"] == ["essential", "important"]
    assert answer(services=given)["binds_2690"] is False
    assert category(services=[given[0] | {"member_state_opted_in": False}]) == "out_of_scope"
