from datetime import timedelta

from ringfence.testing.ledger import START
from ringfence.workloads.console.steps import PASSKEY, PLACES, YOUNG, first_steps

ALL = {place.shown_by for place in PLACES} - {PASSKEY}


def next_of(steps):
    return [step.words for step in steps if step.next]


def test_a_new_tenant_is_led_from_the_first_step():
    steps = first_steps({"key.enrolled"}, START, START, signs=False)
    assert [step.done for step in steps] == [False] * len(PLACES)
    assert next_of(steps) == ["Let your passkey sign"]


def test_what_was_stated_is_done_in_any_order():
    steps = first_steps({"dataset.sealed", "report.exported"}, START, START, signs=True)
    assert [step.words for step in steps if step.done] == [
        "Let your passkey sign",
        "Seal data",
        "Make a pack for a stranger",
    ]
    assert next_of(steps) == ["Sign which duties are yours"]


def test_nobody_is_led_who_has_done_all_or_is_no_longer_young():
    assert first_steps(ALL, START, START, signs=True) == []
    assert first_steps(ALL, START, START, signs=False) != []
    assert first_steps(set(), START, START + YOUNG, signs=False) != []
    assert first_steps(set(), START, START + YOUNG + timedelta(seconds=1), signs=False) == []


def test_a_tenant_without_any_statement_is_young():
    assert first_steps(set(), None, START, signs=False)
