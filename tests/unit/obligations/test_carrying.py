"""A result that is carried over is the one that would be computed anew, or none at all."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.obligations import catalog
from ringfence.obligations.assess import assess
from ringfence.obligations.carrying import carried
from ringfence.obligations.model import Recount
from ringfence.obligations.records import Records
from ringfence.testing.obligations import Story, meeting

RULES = catalog.load().requirements
SEALED, VERIFIED = RULES["dat-01.sealed"], RULES["dat-01.verified"]
NAMES = [f"dataset/{number}" for number in range(4)]
OTHERS = ("dat-02.provenance", "dat-03.examined", "dat-04.screen", "dat-06.scan", "mod-01.signed", "mod-02.run")


def state(story, rule, name, *, version=1, **changes):
    claims = meeting(rule) | {key: value for key, value in changes.items() if key in meeting(rule)}
    options = {key: value for key, value in changes.items() if key not in meeting(rule)}
    role = options.pop("role", min(rule.issuers))
    story.add(rule.evidence, claims, subject=name, version=version, role=role, strength=rule.strength, **options)


def told():
    story = Story()
    for name in NAMES:
        state(story, SEALED, name)
        state(story, VERIFIED, name)
    return story


def records(story, count=None):
    return Records.of(story.tenant, story.statements[:count])


def both(story, rule, count, since):
    """Return the result of the first statements carried over to all of them, and the one computed anew."""
    then, now = records(story, count), records(story, count).extended(story.statements[count:])
    before = assess(rule, then, since, RULES)
    return carried(before, then, since, now, story.now, RULES), assess(rule, now, story.now, RULES)


@pytest.mark.parametrize("rule", [SEALED, VERIFIED], ids=lambda rule: rule.id)
class TestCarried:
    def test_one_newer_statement_gives_the_same_as_all_of_them(self, rule):
        story = told()
        count, since = len(story.statements), story.now
        state(story, VERIFIED, NAMES[1])
        found, anew = both(story, rule, count, since)
        assert found == anew

    def test_what_breaks_it_is_seen(self, rule):
        story = told()
        count, since = len(story.statements), story.now
        story.add(VERIFIED.evidence, {"result": "fail"}, subject=NAMES[2], role=min(VERIFIED.issuers))
        found, anew = both(story, rule, count, since)
        assert found == anew
        assert found.verdict.state.value == "not-satisfied"

    def test_time_alone_is_seen(self, rule):
        story = told()
        count, since = len(story.statements), story.now
        story.wait(timedelta(days=400))
        found, anew = both(story, rule, count, since)
        assert found == anew

    def test_a_new_version_is_seen(self, rule):
        story = told()
        count, since = len(story.statements), story.now
        state(story, SEALED, NAMES[0], version=2)
        found, anew = both(story, rule, count, since)
        assert found == anew

    def test_a_member_more_is_left_to_a_whole_look(self, rule):
        story = told()
        count, since = len(story.statements), story.now
        state(story, SEALED, "dataset/new")
        assert both(story, rule, count, since)[0] is None

    def test_a_statement_that_counts_for_nothing_is_left_to_a_whole_look(self, rule):
        story = told()
        count, since = len(story.statements), story.now
        state(story, VERIFIED, NAMES[0], standing=Standing.REVOKED)
        assert both(story, rule, count, since)[0] is None

    def test_nothing_is_carried_back_in_time(self, rule):
        story = told()
        now = records(story)
        before = assess(rule, now, story.now, RULES)
        assert carried(before, now, story.now, now, story.now - timedelta(seconds=1), RULES) is None

    def test_nothing_is_carried_where_the_log_ran_ahead_of_the_result(self, rule):
        story = told()
        since = story.now - timedelta(seconds=3)
        now = records(story)
        before = assess(rule, now, since, RULES)
        assert carried(before, now, since, now, story.now, RULES) is None

    def test_another_tenants_result_is_not_carried(self, rule):
        story, other = told(), Story("other")
        now = records(story)
        before = assess(rule, now, story.now, RULES)
        assert carried(before, records(other), story.now, now, story.now, RULES) is None


def test_an_event_that_touches_everything_is_left_to_a_whole_look():
    rule = RULES["rsk-02.model"]
    rule = replace(rule, for_each=None, selection=SEALED.selection)
    story = Story()
    state(story, rule, "thing/1")
    count, since = len(story.statements), story.now
    story.add("model.signed", {})
    then, now = records(story, count), records(story)
    before = assess(rule, then, since, RULES)
    assert carried(before, then, since, now, story.now, RULES) is None


def test_an_empty_result_is_left_to_a_whole_look():
    story = Story()
    since = story.now
    state(story, SEALED, NAMES[0])
    assert both(story, SEALED, 0, since)[0] is None


def plain(rule):
    """Tell whether a rule is about things that each have a name, and about nothing beside them."""
    drawn = rule.for_each
    if drawn is None:
        return rule.selection is SEALED.selection
    return drawn.items is None and drawn.by == "name"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_rules_that_look_at_more_than_names_are_left_to_a_whole_look(rule):
    story = Story()
    for one in dict.fromkeys((rule, *(RULES[name] for name in rule.links))):
        subject = rule.about or "thing/1"
        story.add(one.evidence, meeting(one), subject=subject, role=min(one.issuers), strength=one.strength)
    found, anew = both(story, rule, len(story.statements), story.now)
    assert found == (anew if plain(rule) else None)


def test_a_rule_that_is_counted_again_is_left_to_a_whole_look():
    story = told()
    rule = replace(SEALED, recount=Recount("dat-01.sealed", "dat-01.verified"))
    then = records(story)
    before = assess(SEALED, then, story.now, RULES)
    assert carried(replace(before, requirement=rule), then, story.now, then, story.now, RULES) is None


def test_a_key_on_which_nothing_rests_any_more_is_named_no_more():
    story = Story()
    rule = replace(SEALED, issuers=frozenset({KeyRole.OPERATOR, KeyRole.CONTROL_PLANE}), contradicted_by=None)
    state(story, rule, NAMES[0], role=KeyRole.OPERATOR)
    since = story.now
    state(story, rule, NAMES[0], role=KeyRole.CONTROL_PLANE)
    found, anew = both(story, rule, 1, since)
    assert found == anew
    assert {one.role for one in found.signers} == {KeyRole.CONTROL_PLANE}


happenings = st.lists(
    st.tuples(
        st.sampled_from([SEALED, VERIFIED, *(RULES[name] for name in OTHERS)]),
        st.sampled_from(NAMES),
        st.integers(1, 2),
        st.sampled_from([0, 60, 86_400, 100 * 86_400]),
        st.sampled_from([None, None, None, KeyRole.CONTROL_PLANE, KeyRole.OPERATOR]),
        st.booleans(),
    ),
    max_size=20,
)


@settings(max_examples=150, deadline=None)
@given(happenings, st.integers(0, 20), st.integers(0, 200))
def test_whatever_happens_a_carried_result_is_the_computed_one(happened, cut, days):
    story = Story()
    cuts = [story.now]
    for rule, name, version, waits, role, well in happened:
        story.wait(timedelta(seconds=waits))
        claims = meeting(rule) if well else {}
        by = role or min(rule.issuers)
        story.add(rule.evidence, claims, subject=name, version=version, role=by, strength=rule.strength)
        cuts.append(story.now)
    count = min(cut, len(happened))
    story.wait(timedelta(days=days))
    for rule in (SEALED, VERIFIED, *(RULES[name] for name in OTHERS)):
        found, anew = both(story, rule, count, cuts[count])
        assert found is None or found == anew
