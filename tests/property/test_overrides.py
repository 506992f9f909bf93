"""Whatever a team's file says, and is taken: nothing is asked less, and no share ever rises by it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import Strength
from ringfence.obligations import board, catalog, overrides
from ringfence.obligations.asides import NOT_APPLICABLE, subject_of
from ringfence.obligations.assess import assess
from ringfence.obligations.difference import difference
from ringfence.obligations.records import Records
from ringfence.obligations.results import Reason, State
from ringfence.obligations.rule import broken
from ringfence.obligations.weakening import weakened
from ringfence.testing.obligations import Story, made_for, meeting

CATALOG = catalog.load()
RULES = sorted(CATALOG.requirements)
CONTROLS = [control.id for control in CATALOG.controls]
MADE = made_for(CATALOG, {})
ORDER = [State.SATISFIED, State.PENDING, State.NOT_SATISFIED]
META = {"version": 1, "owner": "security-lead", "reviewed_on": "2026-11-22"}

stricter = st.fixed_dictionaries(
    {"requirement": st.sampled_from(RULES), "because": st.just("a contract")},
    optional={"freshness_days": st.integers(-5, 400), "strength": st.sampled_from([s.text for s in Strength])},
)
franker = st.fixed_dictionaries(
    {"control": st.sampled_from(CONTROLS), "because": st.just("a contract")},
    optional={
        "does_not_prove": st.lists(st.sampled_from(["That it rains today.", "That it snows today."]), max_size=3),
        "not_applicable": st.just({"reason": "nobody asks for it", "owner": "lead", "expires": "2027-05-01"}),
    },
)
files = st.lists(st.one_of(stricter, franker), min_size=1, max_size=6)
evidence = st.lists(st.sampled_from(MADE), max_size=25)
WRONG = [replace(one, claims=dict.fromkeys(one.claims, "wrong")) for one in MADE]
STRONG = [replace(one, strength=Strength.ATTESTED) for one in MADE if one.role.may_claim(Strength.ATTESTED)]
anything = st.lists(st.sampled_from([*MADE, *WRONG, *STRONG]), max_size=25)


def taken(rows):
    value = {"meta": META, "overrides": rows}
    try:
        return overrides.apply(CATALOG, overrides.of_values([{"name": "a", "value": value}]))
    except MalformedInput:
        return None


def told(kinds):
    story = Story()
    for kind in kinds:
        story.add(kind.evidence, kind.claims, subject=kind.subject, role=kind.role, strength=kind.strength)
    return story


def test_most_rules_can_be_made_stricter():
    found = [taken([{"requirement": name, "because": "a contract", "freshness_days": 1}]) for name in RULES]
    assert sum(one is not None for one in found) > len(RULES) // 2


@given(files)
def test_what_is_taken_weakens_nothing(rows):
    found = taken(rows)
    if found is not None:
        changes = difference(CATALOG, found)
        assert (changes.added, changes.removed) == ((), ())
        assert not any(weakened(change) for change in changes.changed)
        assert {change.field for change in changes.changed} <= {"freshness", "strength", "does_not_prove"}
        for name, rule in found.requirements.items():
            ours = CATALOG.requirements[name]
            assert ours.freshness is None or rule.freshness <= ours.freshness  # of law or not


@settings(max_examples=25)
@given(files, anything, st.integers(0, 500))
def test_no_state_is_better_than_by_our_own_rules(rows, kinds, days):
    found = taken(rows)
    if found is None:
        return
    story = told(kinds)
    at = story.now + timedelta(days=days)
    records = Records.of(story.tenant, story.statements)
    ours, theirs = board.compute(CATALOG, records, at), board.compute(found, records, at)
    for mine, other in zip(ours.controls, theirs.controls, strict=True):
        if mine.verdict.state in ORDER:
            assert ORDER.index(other.verdict.state) >= ORDER.index(mine.verdict.state)
        else:
            assert other.verdict.state is mine.verdict.state


def test_what_is_too_weak_for_a_team_still_speaks_against_it():
    """A newer failure is not passed over, so that an older statement that is strong enough would count in its place."""
    rule = CATALOG.requirements["sec-06.probes"]
    good, role = meeting(rule), min(rule.issuers)
    bad = good | {"crossed": 1}
    assert broken(rule.conditions, bad)
    asked = taken([{"requirement": rule.id, "because": "a contract", "strength": "attested"}])
    story = Story()
    story.add(rule.evidence, good, subject=rule.about or "a", role=role, strength=Strength.ATTESTED)
    story.add(rule.evidence, bad, subject=rule.about or "a", role=role, strength=Strength.OBSERVED)
    records = Records.of(story.tenant, story.statements)
    for rules in (CATALOG.requirements, asked.requirements):
        result = assess(rules[rule.id], records, story.now, rules)
        assert (result.verdict.state, result.verdict.reason) == (State.NOT_SATISFIED, Reason.FAILED)


@settings(max_examples=25)
@given(st.sets(st.sampled_from(CONTROLS), min_size=1, max_size=6), evidence)
def test_setting_aside_never_raises_the_share(names, kinds):
    row = {"not_applicable": {"reason": "nobody asks for it", "owner": "lead", "expires": "2027-05-01"}}
    rows = [{"control": name, "because": "a contract", **row} for name in sorted(names)]
    found = taken(rows)
    assert found is not None
    story = told(kinds)
    before = board.compute(found, Records.of(story.tenant, story.statements), story.now)
    for name in sorted(names):
        file = found.overrides.set_aside[name].file
        claims = {"control": name, "expires": "2027-05-01", "overrideDigest": str(file)}
        story.add(NOT_APPLICABLE, claims, subject=subject_of(name), strength=Strength.DOCUMENTED)
    after = board.compute(found, Records.of(story.tenant, story.statements), story.now)
    whole = after.denominator + after.set_aside
    assert whole == before.denominator
    assert after.count(State.SATISFIED) <= before.count(State.SATISFIED)


@pytest.mark.parametrize("name", ["overrides/a.yaml", "b"])
def test_the_version_changes_with_what_the_files_say(name):
    rows = [{"control": "SEC-11", "because": "a contract", "does_not_prove": ["That it rains today."]}]
    value = {"meta": META, "overrides": rows}
    found = overrides.apply(CATALOG, overrides.of_values([{"name": name, "value": value}]))
    assert found.digest == Digest.of(CATALOG.digest.value + found.overrides.digest.value)
