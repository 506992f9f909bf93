"""The rows, reasons and gaps of several systems."""

from datetime import date

from ringfence.obligations.scope.systems import _classified
from ringfence.testing.organisations import NOTHING, answer, model, system


def test_every_system_has_its_own_rows():
    found = answer(ai_systems=[system(name="one", purposes=["employment"]), system(name="two")])
    assert [(row["system"], row["class"]) for row in found["ai_act"]] == [
        ("one", "high_risk_annex_III"),
        ("two", "minimal"),
    ]


def test_a_system_that_was_there_before_is_told_about_its_design_changes():
    given = system(purposes=["employment"], placed_on_market="2026-01-01")
    provisions = [reason["provision"] for reason in answer(ai_systems=[given])["reasons"]]
    assert "AI Act 111(2)" in provisions
    assert "AI Act 111(2)" not in [
        reason["provision"] for reason in answer(ai_systems=[system(purposes=["employment"])])["reasons"]
    ]


def test_what_is_certain_stands_beside_what_is_open():
    given = system(purposes=["talks_to_people"], annex_i_product="a", product_or_safety_component=True)
    found = answer(ai_systems=[given | {"third_party_assessment": "unknown"}])
    assert [row["class"] for row in found["ai_act"]] == ["transparency", "undetermined"]
    assert found["ai_act"][1]["possible"] == ["provider: high_risk_annex_I"]
    assert found["undetermined"][0]["decided_by"] == ["third_party_assessment"]


def test_an_unknown_role_does_not_hide_a_known_class():
    found = answer(ai_systems=[system(purposes=["employment"], activities=NOTHING)])["ai_act"]
    assert found[-1]["role"] == "undetermined"


def test_upcoming_follows_the_day_that_is_asked_for():
    given = [system(purposes=["generates_content"], placed_on_market="2026-01-01")]
    assert [row["applies_from"] for row in answer(ai_systems=given)["upcoming"]] == ["2026-12-02"]
    assert answer(ai_systems=given, on=date(2026, 12, 2))["upcoming"] == []


def test_a_wholly_unknown_system_is_undetermined_not_an_error():
    found = answer(ai_systems=[{"name": "x"}])
    assert [row["class"] for row in found["ai_act"]] == ["undetermined"]
    assert {"kind", "purposes", "activities"} <= set(found["undetermined"][0]["decided_by"])


def test_a_system_that_comes_after_its_day_is_not_older():
    def provisions(day):
        given = system(purposes=["employment"], placed_on_market=day)
        return [reason["provision"] for reason in answer(ai_systems=[given])["reasons"]]

    assert "AI Act 111(2)" in provisions("2027-12-01")
    assert "AI Act 111(2)" not in provisions("2027-12-02")


def test_what_is_said_of_the_other_kind_is_not_passed_over_in_silence():
    def told(given):
        return [
            reason["answer"] for reason in answer(ai_systems=[given])["reasons"] if "not considered" in reason["answer"]
        ]

    assert told(model(purposes=["employment"])) == ["purposes and product not considered"]
    assert told(system(training_compute=10**26)) == ["training not considered"]
    assert told(model()) == told(system()) == []


def test_days_on_which_the_act_says_the_same_are_decided_once():
    _classified.cache_clear()
    days = [f"20{year}-01-{day:02}" for year in range(10, 30) for day in range(1, 11)]
    given = [{"name": f"system {day}", "placed_on_market": day} for day in days]
    answer(ai_systems=given)
    assert _classified.cache_info().currsize == 3
