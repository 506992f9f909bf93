"""Classes of products, the two dates, and what is outside."""

from datetime import date

import pytest

from ringfence.obligations.scope import rules
from ringfence.testing.organisations import NOTHING, answer, product


def row(**changes):
    return answer(products=[product(**changes)])["cra"][0]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "default"),
        ({"core_function": "siem"}, "important_class_I"),
        ({"core_function": "pki_or_key_management"}, "important_class_I"),
        ({"core_function": "identity_or_privileged_access_management"}, "important_class_I"),
        ({"core_function": "hypervisor_or_container_runtime"}, "important_class_II"),
        ({"core_function": "firewall_or_intrusion_detection"}, "important_class_II"),
        ({"core_function": "hardware_security_box"}, "critical"),
        ({"digital_elements": False, "core_function": "siem"}, "out_of_scope"),
        ({"commercial": False}, "out_of_scope"),
        ({"commercial": False, "role": "open_source_steward"}, "open_source_steward"),
        ({"excluded_as": "medical_device"}, "out_of_scope"),
        ({"core_function": NOTHING}, "undetermined"),
        ({"commercial": NOTHING}, "undetermined"),
        ({"core_function": NOTHING, "commercial": False}, "out_of_scope"),
    ],
)
def test_class(changes, kind):
    assert row(**changes)["class"] == kind


def test_the_dates_are_those_of_the_act():
    found = row()
    assert (found["reporting_from"], found["applies_from"]) == ("2026-09-11", "2027-12-11")
    assert row(digital_elements=False)["applies_from"] is None


def test_what_is_still_to_come():
    def upcoming(on, **changes):
        return [one["applies_from"] for one in answer(products=[product(**changes)], on=on)["upcoming"]]

    assert upcoming(date(2026, 9, 10)) == ["2026-09-11", "2027-12-11"]
    assert upcoming(date(2026, 9, 11)) == ["2027-12-11"]
    assert upcoming(date(2026, 9, 10), role="importer") == ["2027-12-11"]
    assert upcoming(date(2027, 12, 11)) == []


@pytest.mark.parametrize("role", rules.load().cra["roles"])
def test_every_role(role):
    assert row(role=role)["role"] == rules.load().cra["roles"][role]["role"]


@pytest.mark.parametrize("role", ["importer", "distributor", "authorised_representative"])
def test_article_14_is_not_for_those_who_only_hand_products_on(role):
    assert (row(role=role)["reporting_from"], row(role=role)["applies_from"]) == (None, "2027-12-11")


def test_selling_under_ones_own_name_makes_a_manufacturer():
    assert row(role="sells_under_own_name")["role"] == "manufacturer"
    assert row(role=NOTHING)["role"] == "undetermined"


def test_older_products_keep_their_reporting_duty():
    def reasons(day):
        return [reason["provision"] for reason in answer(products=[product(placed_on_market=day)])["reasons"]]

    assert "CRA 69(2)-(3)" in reasons("2027-12-10")
    assert "CRA 69(2)-(3)" not in reasons("2027-12-11")


def test_open_source_has_every_route():
    assert "32(5)" in row(core_function="vpn", open_source=True)["route"]
    assert "32(5)" not in row(open_source=True)["route"]


def test_a_gap_names_what_would_decide():
    found = answer(products=[product(core_function=NOTHING, open_source=NOTHING)])
    assert found["undetermined"][0]["decided_by"] == ["core_function"]


def test_a_row_that_is_open_says_what_is_possible():
    assert row(role=NOTHING, core_function="vpn")["possible"][0] == "authorised_representative: important_class_I"
    assert "possible" not in row()
