"""Events after which evidence has to be shown anew; every one that a rule names is tried."""

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from ringfence.kernel.identifier import PredicateName
from ringfence.ledger.model import Standing
from ringfence.obligations import catalog
from ringfence.obligations.assess import assess, unchanged
from ringfence.obligations.model import Condition, Op, Trigger
from ringfence.obligations.records import Records
from ringfence.obligations.results import Reason, State
from ringfence.obligations.triggers import overtaken
from ringfence.testing.obligations import Story, breaking, meeting, put_to_the_body

RULES = catalog.load().requirements
TRIGGERED = [(name, number) for name, rule in RULES.items() for number in range(len(rule.triggers))]
SPECS = Path(__file__).parents[3] / "docs" / "specs" / "predicates"
MS = timedelta(milliseconds=1)


def claims_of(trigger):
    return {one.path: one.value for one in trigger.when}


def records(story):
    return Records.of(story.tenant, story.statements)


def result(story, rule, at=None):
    return assess(rule, records(story), at or story.now, RULES)


def outcome(story, rule, at=None):
    verdict = result(story, rule, at).verdict
    return verdict.state, verdict.reason


def shown(story, rule):
    """Log evidence that meets a rule, after what its population is drawn from."""
    subject = rule.about or "thing/1"
    if drawn := rule.for_each:
        source = RULES[drawn.of]
        told = meeting(source) | ({drawn.items: ["one"]} if drawn.items else {})
        subject = (drawn.prefix + "one") if drawn.items else subject
        about = source.about or "thing/1"
        story.add(source.evidence, told, subject=about, role=min(source.issuers), strength=source.strength)
    put_to_the_body(story, rule, RULES)
    return story.add(rule.evidence, meeting(rule), subject=subject, role=min(rule.issuers), strength=rule.strength)


@pytest.mark.parametrize(("name", "number"), TRIGGERED)
class TestEveryTrigger:
    def test_evidence_from_before_is_pending_until_the_deadline_and_stale_from_then_on(self, name, number):
        rule = RULES[name]
        trigger = rule.triggers[number]
        story = Story()
        shown(story, rule)
        event = story.add(trigger.evidence, claims_of(trigger), subject="event/1")
        deadline = event.recorded_at + trigger.within
        assert outcome(story, rule) == (State.PENDING, None)
        verdict = result(story, rule).verdict
        assert trigger.because in verdict.because
        assert verdict.next_change == min(deadline, verdict.next_change)
        assert event.entry in {one.entry for one in result(story, rule).rests_on}
        if rule.freshness is None or rule.freshness > trigger.within:
            assert outcome(story, rule, deadline - MS) == (State.PENDING, None)
        assert outcome(story, rule, deadline) == (State.NOT_SATISFIED, Reason.STALE)

    def test_shown_anew_it_counts_again(self, name, number):
        rule = RULES[name]
        trigger = rule.triggers[number]
        story = Story()
        shown(story, rule)
        story.add(trigger.evidence, claims_of(trigger), subject="event/1")
        shown(story, rule)
        assert outcome(story, rule)[0] is State.SATISFIED

    def test_an_event_of_another_kind_changes_nothing(self, name, number):
        rule = RULES[name]
        trigger = rule.triggers[number]
        for condition in trigger.when:
            for claims in breaking(condition, claims_of(trigger)):
                story = Story()
                shown(story, rule)
                story.add(trigger.evidence, claims, subject="event/1")
                assert outcome(story, rule)[0] is State.SATISFIED

    @pytest.mark.parametrize("standing", [one for one in Standing if one is not Standing.TRUSTED])
    def test_an_event_by_a_key_without_standing_is_none(self, name, number, standing):
        rule = RULES[name]
        trigger = rule.triggers[number]
        story = Story()
        shown(story, rule)
        story.add(trigger.evidence, claims_of(trigger), subject="event/1", standing=standing)
        assert outcome(story, rule)[0] is State.SATISFIED

    def test_what_was_computed_before_the_event_is_not_kept(self, name, number):
        rule = RULES[name]
        trigger = rule.triggers[number]
        story = Story()
        shown(story, rule)
        then, since = records(story), story.now
        kept = assess(rule, then, since, RULES)
        story.add(trigger.evidence, claims_of(trigger), subject="event/1")
        assert not unchanged(kept, then, since, records(story), story.now, RULES)


RULE = RULES["sec-01.volumes"]


def test_what_goes_on_happening_puts_no_deadline_off():
    story = Story()
    found = shown(story, RULE)
    first = story.add("node.started", {})
    story.wait(timedelta(hours=20))
    story.add("node.started", {})
    since = overtaken(RULE, found, records(story), story.now)
    assert since.event == first
    assert since.deadline == first.recorded_at + timedelta(days=1)


def test_of_several_events_the_first_deadline_counts():
    story = Story()
    found = shown(story, RULE)
    rule = type(RULE)(
        **{name: getattr(RULE, name) for name in RULE.__slots__ if name != "triggers"},
        triggers=(
            Trigger(PredicateName("a.slow"), "slowly", timedelta(days=30)),
            Trigger(PredicateName("a.quick"), "quickly", timedelta(days=1)),
        ),
    )
    story.add("a.slow", {})
    quick = story.add("a.quick", {})
    assert overtaken(rule, found, records(story), story.now).event == quick


def test_what_happened_before_or_will_happen_later_is_no_event():
    story = Story()
    story.add("node.started", {})
    found = shown(story, RULE)
    before = story.now
    story.wait(timedelta(hours=1))
    story.add("node.started", {})
    assert overtaken(RULE, found, records(story), before) is None
    assert overtaken(RULE, found, records(story), story.now) is not None


def test_every_condition_of_an_event_has_to_hold():
    story = Story()
    found = shown(story, RULE)
    both = tuple(Condition(path, Op.TRUE, path) for path in ("a", "b"))
    rule = type(RULE)(
        **{name: getattr(RULE, name) for name in RULE.__slots__ if name != "triggers"},
        triggers=(Trigger(PredicateName("x.y"), "x", timedelta(days=1), both),),
    )
    story.add("x.y", {"a": True, "b": False})
    assert overtaken(rule, found, records(story), story.now) is None
    story.add("x.y", {"a": True, "b": True})
    assert overtaken(rule, found, records(story), story.now) is not None


def test_evidence_that_has_run_out_by_itself_says_so():
    story = Story()
    shown(story, RULE)
    story.add("node.started", {})
    story.wait(timedelta(days=3))
    assert "ran out" in result(story, RULE).verdict.because


@pytest.mark.parametrize(("name", "number"), TRIGGERED)
def test_an_event_is_one_that_is_stated_with_the_claims_that_it_is_told_by(name, number):
    trigger = RULES[name].triggers[number]
    schema = json.loads((SPECS / f"{trigger.evidence}.schema.json").read_text(encoding="utf-8"))
    assert {one.path for one in trigger.when} <= set(schema["properties"])
    told = claims_of(trigger)
    assert jsonschema.Draft202012Validator({"properties": schema["properties"]}).is_valid(told)
