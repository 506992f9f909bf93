"""Ranges of fines: the base, the rule, and nothing from the entity's own turnover."""

from datetime import date

import pytest

from ringfence.testing.organisations import NOTHING, answer, model, product, system

M = 1_000_000


def fines(act, **changes):
    return [row for row in answer(**changes)["fines"] if row["act"] == act]


@pytest.mark.parametrize(
    ("staff", "turnover", "provision", "percent", "amount"),
    [
        (60, 9 * M, "NIS2 34(5)", "1.4", 7 * M),
        (60, 500 * M, "NIS2 34(5)", "1.4", 7 * M),
        (60, 1000 * M, "NIS2 34(5)", "1.4", 14 * M),
        (300, 400 * M, "NIS2 34(4)", "2", 10 * M),
        (300, 4000 * M, "NIS2 34(4)", "2", 80 * M),
    ],
)
def test_nis2(staff, turnover, provision, percent, amount):
    given = {"services": ["gpu_cloud"], "size__staff": staff, "undertaking_turnover_worldwide": turnover}
    row = fines("NIS2", **given)[0]
    assert (row["provision"], row["percent"], row["amount_eur"]) == (provision, percent, amount)
    assert row["nature"] == "national maximum of at least"
    assert row["rule"] == "whichever is higher"


def test_the_own_turnover_is_never_the_base():
    given = {"services": ["gpu_cloud"], "size__staff": 60}
    rows = [fines("NIS2", size__turnover=own, **given)[0] for own in (M, 900 * M)]
    assert rows[0] == rows[1]
    unknown = fines("NIS2", undertaking_turnover_worldwide=NOTHING, **given)[0]
    assert (unknown["fixed_eur"], unknown["base_eur"], unknown["amount_eur"]) == (7 * M, None, None)


def test_the_undertakings_turnover_never_decides_the_size():
    assert answer(undertaking_turnover_worldwide=9_000 * M)["size"] == "small"


def test_nobody_outside_the_scope_is_threatened():
    assert answer()["fines"] == []


LARGE = {"size__staff": 300, "undertaking_turnover_worldwide": 1000 * M}


@pytest.mark.parametrize(
    ("changes", "amounts"),
    [
        ({}, [120_000, 40_000]),  # an SME: the lower of both
        (LARGE, [30 * M, 10 * M]),
        (LARGE | {"size__small_mid_cap": True}, [15 * M, 7_500_000]),
        (LARGE | {"size__small_mid_cap": NOTHING}, [None, None]),
        ({"size__small_mid_cap": NOTHING}, [120_000, 40_000]),
    ],
)
def test_ai_act_duties(changes, amounts):
    rows = fines("AI Act", ai_systems=[system(purposes=["employment"])], **changes)
    assert [row["provision"] for row in rows] == ["AI Act 99(4)", "AI Act 99(5)"]
    assert [row["amount_eur"] for row in rows] == amounts
    assert {row["status"] for row in rows} == {"upcoming"}


def test_a_small_mid_cap_has_no_relief_for_prohibited_practices():
    given = LARGE | {"size__small_mid_cap": True, "ai_systems": [system(purposes=["social_scoring"])]}
    row = fines("AI Act", **given)[0]
    assert (row["provision"], row["rule"], row["amount_eur"]) == ("AI Act 99(3)", "whichever is higher", 70 * M)
    assert row["status"] == "binding"


def test_section_b_and_minimal_systems_bring_no_band():
    section_b = {"annex_i_product": "b", "product_or_safety_component": True, "third_party_assessment": True}
    assert fines("AI Act", ai_systems=[system(**section_b), system(name="other")]) == []


def test_models():
    row = fines("AI Act", ai_systems=[model()], undertaking_turnover_worldwide=1000 * M)[0]
    assert (row["provision"], row["amount_eur"], row["rule"]) == ("AI Act 101", 30 * M, "whichever is higher")


def test_cra():
    rows = fines("CRA", products=[product()], undertaking_turnover_worldwide=1000 * M)
    assert [row["amount_eur"] for row in rows] == [25 * M, 20 * M, 10 * M]
    assert [row["status"] for row in rows] == ["upcoming"] * 3  # Article 64 itself applies from 2027-12-11 (71(2))
    assert [row["status"] for row in fines("CRA", products=[product()], on=date(2027, 12, 11))] == ["binding"] * 3
    assert fines("CRA", products=[product(role="open_source_steward")]) == []
    assert fines("CRA", products=[product(digital_elements=False)]) == []


@pytest.mark.parametrize("role", ["importer", "distributor", "authorised_representative"])
def test_the_band_of_articles_13_and_14_is_for_manufacturers(role):
    rows = fines("CRA", products=[product(role=role)])
    assert [row["fixed_eur"] for row in rows] == [10 * M, 5 * M]
    assert len(fines("CRA", products=[product(role=role), product(name="own")])) == 3
    assert fines("CRA", products=[product(role=NOTHING)]) == []


def test_gdpr():
    rows = fines("GDPR", personal_data="ordinary", undertaking_turnover_worldwide=1000 * M)
    assert [(row["provision"], row["amount_eur"]) for row in rows] == [("GDPR 83", 20 * M), ("GDPR 83", 40 * M)]
    assert {row["rule"] for row in rows} == {"whichever is higher"}
    assert fines("GDPR", personal_data="none") == fines("GDPR", personal_data=NOTHING) == []


def test_whether_public_bodies_are_fined_is_a_national_choice():
    (row,) = fines("NIS2", services=["central_government_entity"])
    assert (row["provision"], row["status"]) == ("NIS2 34(4), 34(7)", "undetermined")


def test_the_same_conduct_is_fined_once():
    found = answer(services=["gpu_cloud"], size__staff=60, personal_data="ordinary")
    assert "NIS2 35" in {reason["provision"] for reason in found["reasons"]}


def test_whether_it_is_nis2_or_dora_that_fines_is_not_guessed():
    given = {"services": ["gpu_cloud", "credit_institution"], "size__staff": 60}
    assert fines("NIS2", **given) == []
    assert fines("NIS2", services=NOTHING, designations__cer_critical_entity=True) == []
