"""What must hold of every status, whatever was recorded and in which order it is read."""

import json
import random
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.kernel.statement import KeyRole, Strength
from ringfence.ledger.model import Standing
from ringfence.obligations import board, catalog, sheet
from ringfence.obligations.model import State
from ringfence.obligations.reading import package_file
from ringfence.obligations.records import Records
from ringfence.testing.obligations import START, Story, breaking

CATALOG = catalog.load()
SAMPLES = json.loads(package_file("samples/statements.json"))
BREAKS = {
    name: [
        claims
        for r in CATALOG.requirements.values()
        if r.evidence == name
        for c in r.conditions
        for claims in breaking(c, sample["claims"])
    ]
    for name, sample in SAMPLES.items()
}

events = st.fixed_dictionaries(
    {
        "predicate": st.sampled_from([*SAMPLES, "dataset.opened"]),
        "wrong": st.integers(-20, 40),  # which way to break it; mostly none
        "number": st.integers(1, 2),
        "version": st.integers(1, 2),
        "standing": st.sampled_from([*[Standing.TRUSTED] * 6, *Standing]),
        "strength": st.sampled_from([None, None, None, None, *Strength]),
        "role": st.sampled_from([None, None, None, None, *KeyRole]),
        "waits": st.sampled_from([0, 1, 3600, 86_400, 86_400 * 40]),
        "back": st.sampled_from([0, 0, 0, 86_400]),
    }
)
stories = st.lists(events, max_size=25)
settle = settings(max_examples=60, deadline=None)


def told(happened, story=None):
    story = story or Story()
    for event in happened:
        sample = SAMPLES.get(event["predicate"], SAMPLES["dataset.verified"])
        wrong = BREAKS.get(event["predicate"], [])
        claims = sample["claims"] if event["wrong"] < 0 or not wrong else wrong[event["wrong"] % len(wrong)]
        now = story.wait(timedelta(seconds=event["waits"]))
        story.add(
            event["predicate"],
            claims,
            subject=sample["subject"][:-1] + str(event["number"]),
            version=event["version"],
            standing=event["standing"],
            strength=event["strength"] or Strength.parse(sample["strength"]),
            role=event["role"] or KeyRole(sample["role"]),
            issued_at=now - timedelta(seconds=event["back"]),
        )
    return story


def compute(story, statements=None, at=None):
    records = Records.of(story.tenant, story.statements if statements is None else statements)
    return board.compute(CATALOG, records, at or story.now)


def told_states(found):
    parts = [(p.requirement.id, p.verdict.state, p.verdict.reason) for r in found.controls for p in r.requirements]
    return [(r.control.id, r.verdict.state, r.verdict.reason) for r in found.controls] + parts


@settle
@given(stories, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(happened, chance: random.Random):
    story = told(happened)
    shuffled = story.statements + chance.choices(story.statements, k=5) if story.statements else []
    chance.shuffle(shuffled)
    assert compute(story, shuffled) == compute(story)


@settle
@given(stories, st.integers(0, 25))
def test_growing_step_by_step_gives_what_starting_over_gives(happened, cut):
    story = told(happened)
    grown = Records.of(story.tenant, story.statements[:cut])
    found = board.compute(CATALOG, grown, START)
    for logged in story.statements[cut:]:
        before, grown = (grown, found), grown.extended([logged])
        found = board.compute(CATALOG, grown, logged.recorded_at, before)
        assert found == compute(story, story.statements[: logged.entry + 1], logged.recorded_at)
    assert board.compute(CATALOG, grown, story.now, (grown, found)) == compute(story)


@settle
@given(stories, stories)
def test_what_comes_later_does_not_change_what_was(happened, later):
    story = told(happened)
    then = story.now
    before = compute(story)
    told(later, story)
    assert compute(story, at=then) == before


@settle
@given(stories, st.sampled_from(["dataset.opened", "report.exported", "made.up"]))
def test_an_unrelated_statement_changes_nothing(happened, predicate):
    story = told(happened)
    before = compute(story)
    story.add(predicate, {"result": "fail", "size": 1})
    story.now = before.as_of
    assert compute(story, at=before.as_of) == before
    late = compute(story, at=before.as_of + timedelta(seconds=1))
    assert [r.entries for r in late.controls] == [
        r.entries for r in compute(story, story.statements[:-1], before.as_of + timedelta(seconds=1)).controls
    ]


@settle
@given(stories, stories)
def test_another_tenants_statements_change_nothing(happened, elsewhere):
    story, other = told(happened), told(elsewhere, Story("other"))
    before = compute(story)
    foreign = [s for s in other.statements if s.entry >= len(story.statements)]
    assert compute(story, story.statements + foreign) == before


@settle
@given(stories)
def test_statements_that_no_key_stands_for_satisfy_nothing(happened):
    story = told([event | {"standing": Standing.REVOKED} for event in happened])
    found = compute(story)
    assert found.count(State.SATISFIED) == 0
    assert all(not p.rests_on for r in found.controls for p in r.requirements)


@settle
@given(stories, st.floats(0, 1))
def test_nothing_changes_by_time_alone_before_it_said_it_could(happened, fraction):
    story = told(happened)
    found = compute(story)
    parts = [r.verdict for r in found.controls] + [p.verdict for r in found.controls for p in r.requirements]
    changes = [verdict.next_change for verdict in parts if verdict.next_change is not None]
    until = min(changes, default=story.now + timedelta(days=2))
    assert until > story.now
    soon = story.now + (until - story.now - timedelta(milliseconds=1)) * fraction
    assert told_states(compute(story, at=soon)) == told_states(found)


@settle
@given(stories)
def test_every_satisfied_control_names_what_it_rests_on_and_whose_keys(happened):
    for result in compute(told(happened)).controls:
        if result.verdict.state is State.SATISFIED:
            assert result.entries
            assert result.signers
            assert result.weakest is not None
            assert result.control.does_not_prove
        if result.verdict.state is State.NOT_SATISFIED:
            assert result.verdict.reason is not None
            assert result.next_step


@settle
@given(stories)
def test_the_document_is_json_and_counts_everything(happened):
    found = sheet.document(compute(told(happened)))
    assert json.loads(json.dumps(found)) == found
    counts = found["counts"]
    assert counts["denominator"] == counts["satisfied"] + counts["pending"] + counts["not-satisfied"]
    assert counts["denominator"] + counts["upcoming"] + counts["not-applicable"] == len(CATALOG.controls)


@pytest.mark.parametrize("predicate", SAMPLES)
def test_removing_evidence_never_helps(predicate):
    events_of = [
        {"predicate": p, "wrong": -1, "number": 1, "version": 1, "standing": Standing.TRUSTED}
        | {"strength": None, "role": None, "waits": 0, "back": 0}
        for p in SAMPLES
    ]
    everything = compute(told(events_of))
    less = compute(told([e for e in events_of if e["predicate"] != predicate]))
    assert less.count(State.SATISFIED) < everything.count(State.SATISFIED) == len(CATALOG.controls)
