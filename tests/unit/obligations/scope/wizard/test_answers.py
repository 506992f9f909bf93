"""From raw answers to the organisation: what is typed wrong is said and counts as unknown."""

import pytest

from ringfence.obligations.scope.wizard import turn
from ringfence.obligations.scope.wizard.answers import condition_of, organisation
from ringfence.testing.organisations import ON
from ringfence.testing.wizard import answered


@pytest.mark.parametrize("name", ["staff", "turnover", "balance", "worldwide"])
@pytest.mark.parametrize("text", ["many", "-1", "1e9", "٣", "1,5", "9" * 40])
def test_what_is_no_number_is_said_and_unknown(name, text):
    found, wrong = organisation(answered(**{name: text}))
    assert set(wrong) == {name}
    assert found["size"].get(name, found["undertaking_turnover_worldwide"] if name == "worldwide" else None) is None


@pytest.mark.parametrize(
    ("text", "expected"), [("9 000 000", "9000000"), ("9'000'000", "9000000"), ("9_000_000", "9000000")]
)
def test_thousands_may_be_set_apart(text, expected):
    assert organisation(answered(turnover=text))[0]["size"]["turnover"] == expected


def test_a_word_that_no_page_offers_is_unknown():
    found, _ = organisation(answered(country="XX", sector="yes", designated="maybe", personal_data="some"))
    assert found["established_in"] is None
    assert found["services"] is None
    assert found["designations"] == {}
    assert found["personal_data"] is None


def test_a_name_that_cannot_be_one_is_said():
    assert "name" in organisation(answered(name="x" * 300))[1]
    assert organisation(answered(name=""))[0]["name"] == "organisation"


def test_a_list_that_may_be_longer_is_unknown_as_a_whole():
    assert organisation(answered(sector="unknown"))[0]["services"] is None
    assert organisation(answered(services=["hosted_inference_api", "unknown"]))[0]["services"] is None
    both = organisation(answered(sector="healthcare_provider"))[0]["services"]
    assert both == ["hosted_inference_api", "healthcare_provider"]


@pytest.mark.parametrize(
    ("sector", "condition"),
    [("waste_management", "main_activity"), ("trust_service_provider", "qualified"), ("healthcare_provider", "")],
)
def test_the_condition_of_a_type_is_a_part_of_the_question(sector, condition):
    assert condition_of(answered(sector=sector)) == condition
    (_, found) = organisation(answered(sector=sector, condition="yes"))[0]["services"]
    assert found == ({"type": sector, condition: True} if condition else sector)


def test_a_qualified_trust_service_is_essential_whatever_the_size():
    small = {"staff": "8", "turnover": "1", "balance": "1", "services": ["own_use_only"]}
    sheet = answered(sector="trust_service_provider", condition="yes", **small)
    assert turn.take(sheet, ON).document["nis2"]["category"] == "essential"


def test_enterprises_count():
    linked = {"e0.relation": ["linked"], "e0.staff": ["200"], "e0.turnover": ["0"], "e0.balance": ["0"]}
    assert turn.take(answered(group="yes") | linked, ON).document["nis2"]["category"] == "essential"
    partner = linked | {"e0.relation": ["partner"], "e0.share": ["25"]}
    assert turn.take(answered(group="yes") | partner, ON).document["nis2"]["category"] == "important"
    assert "e0.share" in organisation(answered(group="yes") | partner | {"e0.share": ["60"]})[1]
    assert turn.take(answered(group="yes"), ON).document["nis2"]["possible"] == ["essential", "important"]


@pytest.mark.parametrize(
    ("designated", "category"),
    [
        ("cer", "essential"),
        ("essential", "essential"),
        ("important", "important"),
        ("former", "essential"),
        ("public_security", "out_of_scope"),
        ("dora_exemption", "out_of_scope"),
        ("none", "out_of_scope"),
    ],
)
def test_what_an_authority_decided(designated, category):
    sheet = answered(designated=designated, services=["own_use_only"])
    assert turn.take(sheet, ON).document["nis2"]["category"] == category


def test_nothing_personal_for_oneself_is_nothing_personal_for_customers():
    assert organisation(answered(personal_data="none"))[0]["customers"][0]["personal_data"] is None
