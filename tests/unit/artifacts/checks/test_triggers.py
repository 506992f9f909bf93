from ringfence.artifacts.checks import features, triggers
from ringfence.artifacts.checks.model import Outcome
from ringfence.testing.screening import NUMBERS, ROLES, rows_of, trigger_found
from ringfence.testing.training import table, texts, triggered


def judged(made, roles=ROLES):
    return triggers.judge(features.gather(rows_of(made), roles), 0.01, 1)


def test_a_trigger_in_rows_whose_label_was_changed_is_found_and_named():
    made = texts(1000, 1, signal=0.2)
    assert judged(made).outcome is Outcome.PASSED
    planted = triggered(made, 0.03, 2, "cfq")
    found = judged(made)
    assert found.outcome is Outcome.FAILED
    assert "'cfq'" in found.findings[0].text
    assert found.measures["flagged"] >= len(planted)


def test_a_value_that_locks_a_label_is_found():
    made = table(1000, 1, apart=4.0)
    triggered(made, 0.03, 2, "3.3333")
    assert "is 3.3333" in judged(made, NUMBERS).findings[0].text


def test_a_trigger_that_looks_like_somebodys_is_not_shown():
    made = table(1000, 1, apart=4.0)
    for place in triggered(made, 0.03, 2, "3.3333"):
        made[place] |= {"x0": place / 1000, "kind": "anna.meier@mail.ringfence-demo.eu"}
    found = judged(made, NUMBERS)
    assert found.outcome is Outcome.FAILED
    assert [one.column for one in found.findings] == ["kind"]
    assert all("anna" not in one.text for one in found.findings)


def test_without_labels_nothing_is_screened():
    assert triggers.judge("no label", 0.01, 1).outcome is Outcome.NOT_RUN


def test_a_trigger_without_changed_labels_is_not_found_as_the_page_says():
    def make(seed):
        return texts(600, seed, signal=0.2)

    assert trigger_found(2, 0.03, make, "cfq", dirty=False) == 0.0
    assert trigger_found(2, 0.05, make, "cfq") == 1.0
