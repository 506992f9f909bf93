"""What differs between two classifications: nothing for the same one, and each fact by its subject."""

from datetime import date

from ringfence.obligations.scope.difference import NOTHING, Change, between
from ringfence.testing.organisations import answer, customer, product, system

CLOUD = {"services": ["gpu_cloud"], "size__staff": 60}


def changed(before, after):
    return {one.subject: (one.before, one.after) for one in between(before, after)}


def test_nothing_differs_from_itself():
    assert between(answer(**CLOUD), answer(**CLOUD)) == ()


def test_a_larger_staff_changes_the_category_and_its_fine():
    found = changed(answer(**CLOUD), answer(**CLOUD | {"size__staff": 300}))
    assert found["NIS2"] == (
        "important (NIS2 3(2), Annex I.8, 6(30)), binding",
        "essential (NIS2 3(1)(a), Annex I.8, 6(30)), binding",
    )
    assert found["size class"] == ("medium", "large")
    assert "fine NIS2 34(5), Articles 21 or 23" in found
    assert found["fine NIS2 34(4), Articles 21 or 23"][0] == NOTHING


def test_systems_products_and_customers_come_and_go():
    more = {"ai_systems": [system(purposes=["employment"])], "products": [product()], "customers": [customer()]}
    found = changed(answer(), answer(**more))
    assert found["system system"] == (NOTHING, "provider: high_risk_annex_III from 2027-12-02")
    assert found["product product"] == (NOTHING, "manufacturer: default from 2027-12-11")
    assert found["customer hospital"][1].startswith("essential: NIS2 21(2)(d) binding")
    assert found["duties by contract only"] == ("no", "yes")
    back = changed(answer(**more), answer())
    assert back["system system"][1] == NOTHING


def test_a_role_that_changes_is_said():
    before = answer(ai_systems=[system(purposes=["employment"])])
    after = answer(ai_systems=[system(purposes=["employment"], activities=["uses"])])
    assert [one for one in between(before, after) if one.subject == "system system"] == [
        Change(
            "system system",
            "provider: high_risk_annex_III from 2027-12-02",
            "deployer: high_risk_annex_III from 2027-12-02",
        )
    ]


def test_time_alone_changes_what_is_in_force():
    system_of = {"products": [product()]}
    before, after = answer(**system_of), answer(**system_of, on=date(2027, 12, 11))
    assert any(one.subject.startswith("fine CRA 64") and "binding" in one.after for one in between(before, after))


def test_without_an_earlier_one_everything_is_new():
    assert {one.before for one in between(None, answer())} == {NOTHING}
    assert between(None, answer())[0].to_json() == {
        "subject": "NIS2",
        "before": NOTHING,
        "after": "out_of_scope (NIS2 2(1))",
    }
