"""What must hold of every status, whatever was recorded and in which order it is read."""

import json
import random
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.ledger.model import Standing
from ringfence.obligations import board, catalog, sheet
from ringfence.obligations.reading import package_file
from ringfence.obligations.records import Records
from ringfence.obligations.results import State
from ringfence.testing.obligations import START, Made, Story, breaking, made_for

CATALOG = catalog.load()
SAMPLES = json.loads(package_file("samples/statements.json"))
# Half of what happens is what the collectors of this installation state, the other half whatever else a rule asks for.
KINDS = [
    *(
        Made(PredicateName(n), s["claims"], s["subject"], KeyRole(s["role"]), Strength.parse(s["strength"]))
        for n, s in SAMPLES.items()
    ),
    Made(PredicateName("dataset.opened"), {"purpose": "x"}, "dataset/d1", KeyRole.OPERATOR, Strength.OBSERVED),
]
MADE = made_for(CATALOG, SAMPLES)
BREAKS = {
    kind.evidence: [
        claims
        for r in CATALOG.requirements.values()
        if r.evidence == kind.evidence
        for c in r.conditions
        for claims in breaking(c, kind.claims)
    ]
    for kind in [*KINDS, *MADE]
}
TYPES = sorted({kind.evidence for kind in [*KINDS, *MADE]} - {"dataset.opened"})

events = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS) | st.sampled_from(MADE),
        "wrong": st.integers(-20, 40),  # which way to break it; mostly none
        "number": st.integers(1, 2),  # of the subject; the first is the one that the rules ask about
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
        kind = event["kind"]
        wrong = BREAKS.get(kind.evidence, [])
        claims = kind.claims if event["wrong"] < 0 or not wrong else wrong[event["wrong"] % len(wrong)]
        now = story.wait(timedelta(seconds=event["waits"]))
        story.add(
            kind.evidence,
            claims,
            subject=kind.subject if event["number"] == 1 else f"{kind.subject[:-1]}2",
            version=event["version"],
            standing=event["standing"],
            strength=event["strength"] or kind.strength,
            role=event["role"] or kind.role,
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


def test_what_time_alone_turns_is_turned_in_what_was_kept_too():
    """From everything satisfied, at each moment at which something runs out: as from the beginning."""
    story = Story()
    for kind in [*KINDS, *MADE]:
        story.add(kind.evidence, kind.claims, subject=kind.subject, strength=kind.strength, role=kind.role)
    records, at, turns = Records.of(story.tenant, story.statements), story.now, 0
    found = board.compute(CATALOG, records, at)
    while turns < 12:
        ends = [part.verdict.next_change for control in found.controls for part in control.requirements]
        at = min((end for end in ends if end is not None and end > at), default=None)
        if at is None:
            break
        at, turns = at + timedelta(hours=2), turns + 1  # what was stated within seconds ends together
        before, found = found, board.compute(CATALOG, records, at, (records, found))
        assert told_states(found) != told_states(before)
        assert found == board.compute(CATALOG, records, at)
    assert turns >= 5


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


def whole(*, without=()):
    """Tell everything that any rule asks for, and compute."""
    story = Story()
    for kind in [*KINDS, *MADE]:
        if kind.evidence not in without:
            story.add(kind.evidence, kind.claims, subject=kind.subject, role=kind.role, strength=kind.strength)
    return compute(story)


@pytest.fixture(scope="module")
def everything():
    return whole()


def satisfied(found):
    return {r.control.id for r in found.controls if r.verdict.state is State.SATISFIED}


def standing_open(found):
    return {r.control.id for r in found.controls if r.verdict.state in (State.NOT_SATISFIED, State.PENDING)}


def met(found):
    parts = (p for r in found.controls for p in r.requirements)
    return {p.requirement.id for p in parts if p.verdict.state is State.SATISFIED}


def test_everything_that_is_asked_for_meets_every_rule(everything):
    assert met(everything) == set(CATALOG.requirements)
    assert standing_open(everything) == set()
    assert len(satisfied(everything)) > 100


@pytest.mark.parametrize("predicate", TYPES)
def test_removing_evidence_never_helps(predicate, everything):
    less = whole(without=[predicate])
    asking = {r.id for r in CATALOG.requirements.values() if r.evidence == predicate}
    assert asking
    assert met(less) <= met(everything) - asking
    lost = {CATALOG.requirements[name].control for name in asking}
    assert not satisfied(less) & lost
    assert satisfied(everything) & lost <= standing_open(less)
