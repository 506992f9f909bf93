"""What another answer would change is what the same decision says of it."""

import json

import pytest

from ringfence.obligations.scope import effects
from ringfence.obligations.scope.classify import classify
from ringfence.obligations.scope.difference import headline
from ringfence.obligations.scope.organisation import parse
from ringfence.testing.organisations import NOTHING, ON, profile

CLOUD = {"services": ["gpu_cloud"], "size__staff": 60}


def found(**changes):
    given = effects.of(parse(json.dumps(profile(**changes)).encode()), ON)
    return {(name, one.answer): one.changes for name, several in given.items() for one in several}


def test_the_thresholds_of_staff_are_shown_from_both_sides():
    shown = found(**CLOUD)
    assert "NIS2: out_of_scope (NIS2 2(1), Annex I.8, 6(30))" in shown["staff", "10 to 49"]
    assert "NIS2: essential (NIS2 3(1)(a), Annex I.8, 6(30)), binding" in shown["staff", "250 or more"]
    assert ("staff", "50 to 249") not in shown


def test_the_size_of_whoever_no_annex_names_changes_nothing_but_the_size():
    shown = found(services=["model_licence_only"])
    about = [
        change for (name, _), several in shown.items() if name in ("staff", "turnover", "group") for change in several
    ]
    assert about
    assert all(change.startswith("size class") for change in about)


def test_an_unknown_has_both_answers():
    shown = found(**CLOUD, personal_data=NOTHING)
    assert shown["personal_data", "none"] == ("personal data: none",)
    assert shown["personal_data", "some"] == ("personal data: processed",)


def test_the_two_year_rule_is_an_answer_of_its_own():
    shown = found(**CLOUD, size__earlier_periods=NOTHING)
    assert any("important" in change for change in shown["earlier", "yes, or a new enterprise"])


@pytest.mark.parametrize("name", ["country", "designated", "sector", "services", "staff", "group", "personal_data"])
def test_each_question_can_show_an_effect(name):
    assert any(key[0] == name for key in found(**CLOUD))


def test_customers_decide_only_where_nis2_does_not_bind_oneself():
    assert not any(name == "customers" for name, _ in found(**CLOUD))
    assert found()["customers", "a large hospital"] == ("duties by contract only: yes",)


def test_each_effect_is_what_the_decision_says():
    organisation = parse(json.dumps(profile(**CLOUD, customers=[])).encode())
    patch = effects.alternatives(ON)["designated"]["critical, or identified as essential"]
    said = headline(classify(patch(organisation), ON))
    changes = found(**CLOUD, customers=[])["designated", "critical, or identified as essential"]
    assert set(changes) <= {f"{subject}: {value}" for subject, value in said.items()}
