"""The status follows from the records, or the control is named."""

from dataclasses import replace

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import KeyRole
from ringfence.obligations import catalog, overrides
from ringfence.obligations.choices import NONE
from ringfence.obligations.overriding import statement as overriding
from ringfence.obligations.profiles import statement as profiles
from ringfence.reports.extent import ALWAYS
from ringfence.reports.model import Verdict
from ringfence.reports.recompute import as_known, judged, needs_of, recompute, rules_of
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


def test_every_type_that_decides_about_a_control_is_needed_for_it():
    known = catalog.load()
    needs = needs_of(known)
    for rule in known.requirements.values():
        asked = needs[rule.control]
        assert asked is None or {known.requirements[name].evidence for name in (rule.id, *rule.links)} <= asked


def test_what_leaves_members_of_a_population_out_is_needed_as_well():
    known = catalog.load()
    rule = next(one for one in known.requirements.values() if one.for_each and one.for_each.only)
    other = "hyg-02.engineers"
    evidence = known.requirements[other].evidence
    assert evidence not in needs_of(known)[rule.control]
    only = replace(rule.for_each.only, of=other)
    narrowed = replace(rule, for_each=replace(rule.for_each, only=only))
    changed = replace(known, requirements={**known.requirements, rule.id: narrowed})
    assert evidence in needs_of(changed)[rule.control]


def test_an_act_that_only_the_control_plane_calls_one_of_two_people_is_found(log, rules):
    half = "sha256:" + "ab" * 32
    log.state("quarantine.released", {"request": half, "approval": half, "bootstrap": False}, by="control")
    honest = verify(packed(log, rules), log.trust())
    assert honest.ok
    outcome = recompute(honest, rules)
    assert outcome.verdict is Verdict.FAILED
    assert "two people" in outcome.failures[0].reason


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
    now = as_known(log.statements(), log.public("root"), log.vouched_before, at=log.now, size=100)
    before = as_known(log.statements(), log.public("root"), log.vouched_before, at=then, size=100)
    assert [s.standing for s in now][8] == "revoked"
    assert [s.standing for s in before][8] == "trusted"
    assert len(before) == 9
    assert len(as_known(log.statements(), log.public("root"), log.vouched_before, at=log.now, size=4)) == 4


TEAM = {
    "meta": {"version": 1, "owner": "security-lead", "reviewed_on": "2026-11-01"},
    "overrides": [
        {"requirement": "bcm-04.failover", "freshness_days": 60, "because": "contract with a hospital"},
        {
            "control": "SEC-10",
            "not_applicable": {"reason": "nobody runs images", "owner": "security-lead", "expires": "2027-05-01"},
            "because": "everything is built here",
        },
    ],
}


def stricter(value=TEAM):
    return overrides.apply(catalog.load(), overrides.of_values([{"name": "overrides/a.yaml", "value": value}]))


def test_a_pack_carries_the_overrides_and_a_stranger_computes_with_them(log):
    known = stricter()
    log.state_draft(overriding.draft(known.overrides.set_aside["SEC-10"]))
    outcome = verify(packed(log, rules_of(known, demo=False)), log.trust())
    assert outcome.status["rules"] == str(known.digest)
    assert [file["value"] for file in outcome.status["overrides"]["files"]] == [TEAM]
    assert outcome.status["overrides"]["set_aside"] == 1
    found = judged(outcome, catalog.load())
    assert found.ok, found.failures
    assert found.notices[-1].startswith("the status follows from the records")


def test_with_other_overrides_than_it_was_computed_with_a_pack_fails(log):
    def painted(change):
        def compute(statements, tenant, at):
            status = dict(rules_of(stricter(), demo=False)(statements, tenant, at))
            return change(status)

        return judged(verify(packed(log, compute), log.trust()), catalog.load())

    def without(status):
        return status | {"overrides": None}

    def other(status):
        rows = [{**TEAM["overrides"][0], "freshness_days": 70}]
        files = [{"name": "overrides/a.yaml", "value": {**TEAM, "overrides": rows}}]
        return status | {"overrides": {**status["overrides"], "files": files}}

    for change in (without, other):
        found = painted(change)
        assert found.verdict is Verdict.FAILED
        assert "other rules" in found.failures[0].reason


@pytest.mark.parametrize(
    "stated",
    [
        {"files": [{"name": "a", "value": {**TEAM, "overrides": [{**TEAM["overrides"][0], "freshness_days": 900}]}}]},
        {"files": [{"name": "a", "value": {**TEAM, "overrides": [{"control": "SEC-10", "state": "satisfied"}]}}]},
        {"files": "none"},
        ["a"],
        "a",
        7,
    ],
)
def test_overrides_that_loosen_or_are_none_fail_the_pack(log, stated):
    def loosened(statements, tenant, at):
        return {**rules_of(stricter(), demo=False)(statements, tenant, at), "overrides": stated}

    found = judged(verify(packed(log, loosened), log.trust()), catalog.load())
    assert found.verdict is Verdict.FAILED
    assert "none that these rules take" in found.failures[0].reason


def test_the_profile_in_force_is_read_from_the_records(log, rules):
    log.state_draft(profiles.draft(NONE, catalog.load().profiles["health"], Digest.of(b"shown")))
    outcome = judged(verify(packed(log, rules), log.trust()), catalog.load())
    assert outcome.ok, outcome.failures
    assert (outcome.status["profile"]["id"], outcome.status["profile"]["outdated"]) == ("health", False)


def test_what_a_team_chose_is_in_every_pack_in_full():
    assert {"control.not_applicable", "profile.selected"} <= ALWAYS
