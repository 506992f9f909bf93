"""The cards: customers, systems, the models below them, products."""

import pytest

from ringfence.obligations.scope.wizard import cards, turn
from ringfence.testing.organisations import ON
from ringfence.testing.wizard import answered


def document(**changes):
    return turn.take(answered(**changes), ON).document


def classes(**changes):
    return {(row["system"], row["role"], row["class"]) for row in document(**changes)["ai_act"]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {("triage", "provider", "high_risk_annex_I")}),
        ({"s0__assessed": "no"}, {("triage", "provider", "minimal")}),
        ({"s0__purpose": ["machinery"]}, {("triage", "provider", "high_risk_annex_I_section_B")}),
        ({"s0__purpose": ["research_only"]}, {("triage", "provider", "out_of_scope")}),
        ({"s0__purpose": ["research_only", "talks_to_people"]}, {("triage", "provider", "transparency")}),
        ({"s0__purpose": ["document_processing"]}, {("triage", "provider", "minimal")}),
        ({"s0__purpose": ["talks_to_people"], "s0__role": "uses"}, {("triage", "deployer", "minimal")}),
        ({"s0__union": "no"}, {("triage", "provider", "out_of_scope")}),
    ],
)
def test_what_a_system_is_for_decides_its_class(changes, expected):
    assert classes(**changes) == expected


def test_a_fine_tuned_model_is_a_card_of_its_own():
    known = {"s0__basis": "fine_tuned", "s0__modified": "no"}
    assert ("triage (model)", "modifier", "no_gpai_duty") in classes(**known)
    more = classes(**known | {"s0__modified": "yes", "s0__compute": "1e23", "s0__impact": "no"})
    assert ("triage (model)", "provider", "gpai") in more


def test_an_own_general_model_beyond_the_threshold_is_systemic():
    found = classes(s0__basis="own_general", s0__compute="2e25", s0__impact="no")
    assert {("triage (model)", "provider", "gpai"), ("triage (model)", "provider", "gpai_systemic")} <= found


def test_a_product_is_asked_about_only_where_one_is_handed_over():
    assert document()["cra"] == []
    known = {"s0__shipped": "yes", "s0__purpose": ["other"], "s0__commercial": "yes", "s0__excluded": "none"}
    (row,) = document(**known | {"s0__function": "siem"})["cra"]
    assert (row["role"], row["class"]) == ("manufacturer", "important_class_I")
    (device,) = document(s0__shipped="yes")["cra"]
    assert (device["class"], device["provision"]) == ("out_of_scope", "CRA 2(2)")


def test_customers_reach_by_contract_and_never_change_the_own_status():
    alone = {"services": ["model_licence_only"]}
    assert document(**alone)["supply_chain_duty_only"] is True
    assert document(**alone)["nis2"]["category"] == "out_of_scope"
    assert document(**alone | {"customers": ["none"]})["supply_chain_duty_only"] is False
    assert document(**alone | {"healthcare__size": "small"})["customers"][0]["category"] == "undetermined"


@pytest.mark.parametrize("word", cards.GROUPS)
def test_every_group_of_customers_is_taken(word):
    assert len(document(customers=[word])["customers"]) == 1


def test_names_that_stand_twice_stay_two_systems():
    sheet = answered(systems="2", s1__name="triage", s1__purpose=["other"])
    assert {row["system"] for row in turn.take(sheet, ON).document["ai_act"]} == {"triage", "triage (2)"}


@pytest.mark.parametrize(("text", "expected"), [("", 1), ("3", 3), ("999", 20), ("-1", 1), ("x", 1), ("99999", 1)])
def test_the_number_of_cards_is_bounded(text, expected):
    assert cards.count({"systems": [text]}) == expected


def test_no_ai_at_all_is_an_answer():
    found = document(runs="no")
    assert (found["ai_act"], found["cra"]) == ([], [])
    assert not {"ai_systems", "products"} & {gap["subject"] for gap in found["undetermined"]}
