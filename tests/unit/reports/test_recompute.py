"""The status follows from the records, or the control is named."""

import pytest

from ringfence.kernel.statement import KeyRole
from ringfence.obligations import catalog
from ringfence.reports.model import Verdict
from ringfence.reports.recompute import as_known, recompute, rules_of
from ringfence.reports.service import compose, draft_of, preview_of
from ringfence.reports.verify import verify


@pytest.fixture(scope="module")
def rules():
    return rules_of(catalog.load(), demo=False)


def packed(log, rules, *, as_of=None):
    preview = preview_of(log, log.public("root"), rules, log.tenant, as_of or log.now)
    log.advance(milliseconds=1)
    reported = log.state_draft(draft_of(preview.to_json()))
    return compose(log, log.trust(heads=()), log.tenant, reported.entry, preview)


def test_the_shipped_rules_come_to_the_same_status(log, rules):
    outcome = recompute(verify(packed(log, rules), log.trust()), rules)
    assert outcome.ok
    assert outcome.notices[-1].startswith("the status follows from the records")


def test_a_status_that_an_operator_made_up_and_signed_is_found(log, rules):
    def painted(statements, tenant, at):
        status = dict(rules(statements, tenant, at))
        control = status["controls"][0]
        status["controls"] = [{**control, "state": "satisfied"}, *status["controls"][1:]]
        return status

    honest = verify(packed(log, painted), log.trust())
    assert honest.ok  # the signatures hold: only the rules can tell
    outcome = recompute(honest, rules)
    assert outcome.verdict is Verdict.FAILED
    (failure,) = outcome.failures
    assert "the pack says satisfied, the records give not-satisfied" in failure.reason


def test_other_grounds_for_the_same_state_are_found(log, rules):
    def vague(statements, tenant, at):
        status = dict(rules(statements, tenant, at))
        status["controls"] = [{**status["controls"][0], "because": "trust us"}, *status["controls"][1:]]
        return status

    (failure,) = recompute(verify(packed(log, vague), log.trust()), rules).failures
    assert "on other grounds" in failure.reason


def test_other_rules_are_said(log, rules):
    def other(statements, tenant, at):
        return {**rules(statements, tenant, at), "rules": "sha256:00"}

    (failure,) = recompute(verify(packed(log, other), log.trust()), rules).failures
    assert "other rules (sha256:00)" in failure.reason


def test_a_difference_outside_the_controls_is_found(log, rules):
    def other(statements, tenant, at):
        return {**rules(statements, tenant, at), "demo": True}

    (failure,) = recompute(verify(packed(log, other), log.trust()), rules).failures
    assert "outside its controls" in failure.reason


@pytest.mark.parametrize("status", [{}, {"controls": 1}, {"controls": [1]}])
def test_nonsense_for_a_status_is_a_difference(log, rules, status):
    outcome = verify(packed(log, lambda *_: status), log.trust())
    assert outcome.ok
    assert recompute(outcome, rules).verdict is Verdict.FAILED


def test_as_of_an_earlier_time(log, rules):
    then = log.now
    log.advance(days=1)
    log.state("dataset.opened", {"purpose": "x"})
    assert recompute(verify(packed(log, rules, as_of=then), log.trust()), rules).ok


def test_a_later_revocation_does_not_change_what_was_known_before(log):
    log.enrol("second", KeyRole.OPERATOR)
    log.state("dataset.opened", {"purpose": "x"}, by="second")
    then = log.now
    log.advance(days=1)
    log.revoke("second", at=then)
    now = as_known(log.statements(), log.public("root"), at=log.now, size=100)
    before = as_known(log.statements(), log.public("root"), at=then, size=100)
    assert [s.standing for s in now][8] == "revoked"
    assert [s.standing for s in before][8] == "trusted"
    assert len(before) == 9
    assert len(as_known(log.statements(), log.public("root"), at=log.now, size=4)) == 4
