from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.incidents.recurrence import WINDOW, Recurrence, draft, groups
from ringfence.testing.home import TENANT
from ringfence.testing.staged import GUESSED, empty

MINUTE = timedelta(minutes=1)


@pytest.fixture
def stage(home, clock):
    with empty(home, clock) as opened:
        yield opened


@pytest.fixture
def twice(stage, clock):
    """Two incidents of one rule on two nodes, a month apart."""
    made = []
    for name in ("first", "second"):
        stage.see(GUESSED, stage.node(name), "198.51.100.7", title="Guessing")
        made.append(stage.newest())
        clock.advance(timedelta(days=30))
    assert len(set(made)) == 2
    return made


def check(stage):
    return dict(Recurrence(stage.services.cutoff.incidents.desk)(TENANT).claims)


def incidents(stage):
    return stage.services.cutoff.incidents.desk.newest(TENANT, 100)


def test_without_incidents_nothing_recurs(stage):
    assert check(stage) == {"windowDays": 184, "incidents": 0, "groups": 0, "undecided": 0}


@pytest.mark.usefixtures("twice")
def test_two_of_one_rule_are_a_group_that_waits_for_a_decision(stage):
    assert check(stage) == {"windowDays": 184, "incidents": 2, "groups": 1, "undecided": 1}


@pytest.mark.usefixtures("twice")
def test_what_is_older_than_six_months_does_not_count(stage, clock):
    clock.advance(WINDOW - timedelta(days=60))
    assert (check(stage)["incidents"], check(stage)["groups"]) == (1, 0)


def test_what_was_merged_is_what_it_was_merged_into(stage, twice, clock):
    known = incidents(stage)
    merged = [replace(one, merged_into=twice[0]) if one.id == twice[1] else one for one in known]
    assert draft(TENANT, merged, clock.now()).claims["incidents"] == 1


@pytest.mark.parametrize(("counted", "late", "decided"), [(2, True, True), (1, True, False), (2, False, False)])
def test_a_decision_counts_that_came_after_and_took_all_into_account(stage, twice, clock, counted, late, decided):
    stage.decide(twice[0], significant=False)
    known = {one.id: one for one in incidents(stage)}
    newest = max(one.opened_at for one in known.values())
    signed = known[twice[0]].triage
    triage = replace(signed, measured={"occurrences": counted}, decided_at=newest + (MINUTE if late else -MINUTE))
    held = [replace(known[twice[0]], triages=(triage,)), known[twice[1]]]
    assert draft(TENANT, held, clock.now()).claims["undecided"] == int(not decided)


@pytest.mark.usefixtures("twice")
def test_a_triage_that_says_nothing_of_occurrences_decides_nothing(stage):
    for one in incidents(stage):
        stage.decide(one.id, significant=False)
    assert check(stage)["undecided"] == 1


@pytest.mark.usefixtures("twice")
def test_other_rules_are_other_causes_and_people_open_incidents_without_any(stage):
    first, second = incidents(stage)
    other = replace(second, findings=tuple(replace(each, rule="another") for each in second.findings))
    assert groups([first, other]) == []
    assert groups([replace(first, findings=()), replace(second, findings=())]) == []


@pytest.mark.usefixtures("twice")
def test_which_they_are_stands_in_the_erasable_part(stage):
    made = Recurrence(stage.services.cutoff.incidents.desk)(TENANT)
    assert [one["rule"] for one in made.details["groups"]] == [GUESSED]
    assert GUESSED not in str(dict(made.claims))
