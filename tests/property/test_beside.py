"""What people judge stands beside the computed status: with it and without it, the board is the same to the byte."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.governance.beside import beside
from ringfence.governance.exceptions import register as exception_register
from ringfence.governance.exceptions import statements as exceptions
from ringfence.governance.opinions import register as opinion_register
from ringfence.governance.opinions import statements as opinions
from ringfence.governance.risks import register as risk_register
from ringfence.governance.risks import statements as risks
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import board, catalog, sheet
from ringfence.obligations.reading import package_file
from ringfence.obligations.records import Records
from ringfence.testing.judging import (
    ANNA,
    BEN,
    CARA,
    EXCEPTION,
    GIVEN,
    OPINION,
    PLAN,
    RISK,
    ROW,
    WANTED,
    said,
)
from ringfence.testing.obligations import START, Story, made_for

CATALOG = catalog.load()
MADE = made_for(CATALOG, json.loads(package_file("samples/statements.json")))
OURS = (*risks.ALL, *exceptions.ALL, *opinions.ALL)
BASIS = said(risks.treated(RISK, PLAN), 0).envelope
DRAFTS = [
    risks.registered([ROW]),
    risks.treated(RISK, PLAN),
    risks.accepted(risks.Accepting(RISK, BASIS, PLAN.residual, GIVEN.until, "We bear it.")),
    exceptions.requested(WANTED),
    exceptions.approved(EXCEPTION, BASIS),
    exceptions.ended(EXCEPTION, "Over."),
    opinions.given(GIVEN),
    opinions.withdrawn(OPINION, "I was wrong."),
]

evidence = st.tuples(st.just("evidence"), st.sampled_from(MADE), st.just(None))
judgement = st.tuples(st.just("judgement"), st.sampled_from(OURS), st.sampled_from([*DRAFTS, *MADE]))
waiting = st.tuples(st.just("wait"), st.sampled_from([1, 86_400, 86_400 * 40]), st.just(None))
stories = st.lists(evidence | judgement | waiting, max_size=25)


def told(happened):
    """Tell evidence and judgements as they come; a judgement may carry the claims of evidence."""
    story = Story()
    for kind, what, how in happened:
        if kind == "wait":
            story.wait(timedelta(seconds=what))
        elif kind == "evidence":
            story.add(what.evidence, what.claims, subject=what.subject, role=what.role, strength=what.strength)
        else:
            subject = how.subject if hasattr(how, "subject") else how.subjects[0].name
            story.add(what, how.claims, subject=subject, role=KeyRole.OPERATOR, strength=Strength.DOCUMENTED)
    return story


def shown(story, statements, rules=CATALOG):
    found = board.compute(rules, Records.of(story.tenant, statements), story.now)
    return json.dumps(sheet.document(found)["controls"], sort_keys=True)


def without(story):
    return [logged for logged in story.statements if logged.envelope.statement.predicate not in OURS]


@settings(max_examples=30, deadline=None)
@given(stories)
def test_no_judgement_changes_a_byte_of_the_board(happened):
    story = told(happened)
    assert shown(story, story.statements) == shown(story, without(story))


@pytest.mark.soak
@settings(max_examples=1000, deadline=None)
@given(stories)
def test_no_judgement_changes_a_byte_of_the_board_at_length(happened):
    story = told(happened)
    assert shown(story, story.statements) == shown(story, without(story))


def test_no_rule_asks_for_a_judgement_and_one_that_did_would_be_seen():
    assert not set(OURS) & set(board.predicates(CATALOG))
    name, rule = next(iter(CATALOG.requirements.items()))
    listening = replace(rule, evidence=opinions.GIVEN, conditions=(), issuers=frozenset(KeyRole), for_each=None)
    rules = replace(CATALOG, requirements={**CATALOG.requirements, name: listening})
    story = told([("judgement", opinions.GIVEN, DRAFTS[6])])
    assert shown(story, story.statements, rules) != shown(story, without(story), rules)


people = st.sampled_from([ANNA, BEN, CARA])
judged = st.lists(st.tuples(st.sampled_from(DRAFTS), people, st.booleans(), people, st.integers(0, 500)), max_size=30)


@settings(max_examples=100, deadline=None)
@given(judged)
def test_whatever_is_signed_nobody_approves_an_own_wish_and_nothing_runs_for_more_than_a_year(happened):
    signed = [
        said(draft, entry, by, START + timedelta(days=day), with_passkey=key, enrolled_by=who)
        for entry, (draft, by, key, who, day) in enumerate(sorted(happened, key=lambda one: one[4]))
    ]
    signed = [_answering(one, signed[:place]) for place, one in enumerate(signed)]
    excepted = exception_register.fold(signed_of(signed, exceptions.ALL))
    held = risk_register.fold(signed_of(signed, risks.ALL))
    thought = opinion_register.fold(signed_of(signed, opinions.ALL))
    for one in excepted.values():
        assert (one.wanted.until - one.asked_at.date()).days <= 365
        assert one.approval is None or one.approval.by not in (one.asked_by, one.wanted.owner)
    for risk in held.values():
        accepted = risk.acceptance
        assert accepted is None or accepted.by not in (risk.row.owner, risk.basis_by)
        assert accepted is None or (accepted.until - accepted.at.date()).days <= 365
    assert all((one.given.until - one.at.date()).days <= 366 for one in thought.values())
    beside(thought.values(), excepted.values(), held.values(), START)


def signed_of(signed, predicates):
    return [one for one in signed if one.predicate in predicates]


def _answering(one, before):
    """Let an approval or an acceptance name what was signed last, so that some of them fit."""
    asked = [each for each in before if each.predicate in (exceptions.REQUESTED, risks.TREATED)]
    if one.predicate == exceptions.APPROVED and asked:
        return replace(one, claims={**one.claims, "request": str(asked[-1].envelope)})
    if one.predicate == risks.ACCEPTED and asked:
        return replace(one, claims={**one.claims, "basis": str(asked[-1].envelope)})
    return one
