from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.ledger.model import Standing
from ringfence.obligations import catalog
from ringfence.obligations.assess import assess, expiry, unchanged
from ringfence.obligations.model import Selection
from ringfence.obligations.records import Records
from ringfence.obligations.results import Reason, State
from ringfence.testing.obligations import START, Story, breaking, meeting, put_to_the_body

RULES = catalog.load().requirements
MS = timedelta(milliseconds=1)


def told(story, name):
    """Tell what requirement `name` needs beside its own statement: the members of its population."""
    population = RULES[name].for_each
    put_to_the_body(story, RULES[name], RULES)
    if population is None:
        return RULES[name].about or "thing/1"
    source = RULES[population.of]
    items = {population.items: ["s1"]} if population.items else {}
    state(story, source, meeting(source) | items, subject=source.about or "dataset/a")
    return population.prefix + "s1" if population.items else "dataset/a"


def state(story, rule, claims, **change):
    given = {"role": min(rule.issuers), "strength": rule.strength} | change
    return story.add(rule.evidence, claims, **given)


def result(story, rule, at=None, **options):
    records = Records.of(options.get("tenant", story.tenant), story.statements, demo=story.demo)
    return assess(rule, records, at or story.now, RULES)


def outcome(*args, **options):
    verdict = result(*args, **options).verdict
    return verdict.state, verdict.reason


def met(name):
    story = Story()
    subject = told(story, name)
    logged = state(story, RULES[name], meeting(RULES[name]), subject=subject)
    return story, logged, subject


SATISFIED = (State.SATISFIED, None)


def unsatisfied(reason):
    return (State.NOT_SATISFIED, reason)


@pytest.mark.parametrize("name", RULES)
class TestEveryRule:
    def test_is_met_by_a_record_made_for_it(self, name):
        story, logged, _ = met(name)
        found = result(story, RULES[name])
        assert (found.verdict.state, found.verdict.reason) == SATISFIED
        assert logged.entry in {s.entry for s in found.rests_on}
        assert found.signers
        assert found.weakest is not None

    def test_every_condition_can_fail(self, name):
        for condition in RULES[name].conditions:
            for claims in breaking(condition, meeting(RULES[name])):
                story, _, subject = met(name)
                state(story, RULES[name], claims, subject=subject)
                assert outcome(story, RULES[name]) == unsatisfied(Reason.FAILED), claims
                said = result(story, RULES[name]).verdict.because
                alike = [other.because for other in RULES[name].conditions if other.path == condition.path]
                assert any(because in said for because in alike) or len(claims) < len(meeting(RULES[name]))

    def test_nothing_is_missing(self, name):
        found = result(Story(), RULES[name])
        assert (found.verdict.state, found.verdict.reason) == unsatisfied(Reason.MISSING)
        assert found.rests_on == ()

    def test_time_alone_makes_it_stale_or_never_does(self, name):
        story, _, _ = met(name)
        found = result(story, RULES[name])
        until = found.verdict.next_change
        if RULES[name].freshness is None:
            assert until is None
            assert outcome(story, RULES[name], at=story.now + timedelta(days=36500)) == SATISFIED
        else:
            assert until == story.now + RULES[name].freshness
            assert outcome(story, RULES[name], at=until - MS) == SATISFIED
            assert outcome(story, RULES[name], at=until) == unsatisfied(Reason.STALE)

    @pytest.mark.parametrize("standing", [s for s in Standing if s is not Standing.TRUSTED])
    def test_a_key_without_standing_counts_for_nothing(self, name, standing):
        story = Story()
        subject = told(story, name)
        story.wait(RULES[name].grace + timedelta(days=2))
        state(story, RULES[name], meeting(RULES[name]), subject=subject, standing=standing)
        found = result(story, RULES[name])
        assert (found.verdict.state, found.verdict.reason) == unsatisfied(Reason.UNTRUSTED)
        assert [i.entry for i in found.ignored] == [story.statements[-1].entry]
        assert standing.value.replace("-", " ") in found.ignored[0].why

    @pytest.mark.parametrize("role", KeyRole)
    def test_only_the_roles_that_it_names_may_state_it(self, name, role):
        story = Story()
        subject = told(story, name)
        story.wait(RULES[name].grace + timedelta(days=2))
        state(story, RULES[name], meeting(RULES[name]), subject=subject, role=role)
        expected = SATISFIED if role in RULES[name].issuers else unsatisfied(Reason.UNTRUSTED)
        assert outcome(story, RULES[name]) == expected

    @pytest.mark.parametrize("strength", [s for s in Strength if s is not Strength.LAB_ATTESTED])
    def test_weaker_than_asked_is_too_weak(self, name, strength):
        story = Story()
        subject = told(story, name)
        story.wait(RULES[name].grace + timedelta(days=2))
        state(story, RULES[name], meeting(RULES[name]), subject=subject, strength=strength)
        expected = SATISFIED if strength >= RULES[name].strength else unsatisfied(Reason.TOO_WEAK)
        if not min(RULES[name].issuers).may_claim(strength):
            expected = unsatisfied(Reason.UNTRUSTED)
        assert outcome(story, RULES[name]) == expected

    def test_another_tenants_statement_never_counts(self, name):
        story, _, _ = met(name)
        assert outcome(story, RULES[name], tenant=Tenant("other")) == unsatisfied(Reason.MISSING)

    def test_a_demo_statement_counts_in_demo_tenants_only(self, name):
        for demo, expected in ((True, SATISFIED), (False, unsatisfied(Reason.UNTRUSTED))):
            story = Story(demo=demo)
            subject = told(story, name)
            story.wait(RULES[name].grace + timedelta(days=2))
            state(story, RULES[name], meeting(RULES[name]), subject=subject, demo=True)
            assert outcome(story, RULES[name]) == expected

    def test_a_back_dated_statement_is_not_seen_before_it_was_recorded(self, name):
        story, logged, subject = met(name)
        story.statements.pop()
        story.wait(RULES[name].grace + timedelta(days=2))
        late = state(story, RULES[name], meeting(RULES[name]), subject=subject, issued_at=logged.recorded_at)
        assert outcome(story, RULES[name], at=late.recorded_at - MS)[0] is not State.SATISFIED
        fresh = RULES[name].freshness is None or RULES[name].freshness > timedelta(days=2)
        assert outcome(story, RULES[name]) == (SATISFIED if fresh else unsatisfied(Reason.STALE))


def test_a_statement_dated_into_the_future_stays_fresh_no_longer():
    story = Story()
    rule = RULES["log-06.heartbeat"]
    logged = state(story, rule, meeting(rule), issued_at=START + timedelta(days=99))
    assert expiry(rule, logged) == logged.recorded_at + timedelta(days=1)


def test_a_failed_verification_contradicts_the_seal_until_a_later_pass():
    story, _, subject = met("dat-01.sealed")
    verified = RULES["dat-01.verified"]
    state(story, verified, meeting(verified) | {"result": "fail", "failed": 1}, subject=subject)
    found = result(story, RULES["dat-01.sealed"])
    assert (found.verdict.state, found.verdict.reason) == unsatisfied(Reason.CONTRADICTED)
    assert {s.entry for s in found.rests_on} == {0, 1}
    state(story, verified, meeting(verified), subject=subject)
    assert outcome(story, RULES["dat-01.sealed"]) == SATISFIED


def test_a_newer_version_ends_a_contradiction():
    story, _, subject = met("dat-01.sealed")
    verified, sealed = RULES["dat-01.verified"], RULES["dat-01.sealed"]
    state(story, verified, {"result": "fail"}, subject=subject)
    state(story, sealed, meeting(sealed), subject=subject, version=2)
    assert outcome(story, sealed) == SATISFIED
    assert outcome(story, verified)[0] is State.PENDING
    story.wait(timedelta(days=2))
    assert outcome(story, verified) == unsatisfied(Reason.MISSING)


@pytest.mark.parametrize("change", [{"standing": Standing.REVOKED}, {"strength": Strength.DECLARED}, {"version": 3}])
def test_what_does_not_count_neither_contradicts_nor_lifts(change):
    story, _, subject = met("dat-01.sealed")
    verified, sealed = RULES["dat-01.verified"], RULES["dat-01.sealed"]
    state(story, verified, {"result": "fail"}, subject=subject, **change)
    assert outcome(story, sealed) == SATISFIED
    state(story, verified, {"result": "fail"}, subject=subject)
    state(story, verified, meeting(verified), subject=subject, **change)
    assert outcome(story, sealed) == unsatisfied(Reason.CONTRADICTED)


def test_evidence_for_a_new_member_is_pending_until_its_deadline():
    story = Story()
    verified = RULES["dat-01.verified"]
    subject = told(story, verified.id)
    deadline = story.now + verified.grace
    found = result(story, verified)
    assert (found.verdict.state, found.verdict.next_change) == (State.PENDING, deadline)
    assert outcome(story, verified, at=deadline - MS)[0] is State.PENDING
    assert outcome(story, verified, at=deadline) == unsatisfied(Reason.MISSING)
    state(story, verified, meeting(verified), subject=subject)
    assert outcome(story, verified) == SATISFIED


def test_every_member_needs_its_own_evidence():
    story, _, _ = met("dat-02.provenance")
    sealed, provenance = RULES["dat-01.sealed"], RULES["dat-02.provenance"]
    state(story, sealed, meeting(sealed), subject="dataset/b")
    found = result(story, provenance)
    assert (found.verdict.state, found.verdict.reason) == unsatisfied(Reason.MISSING)
    assert [m.verdict.state for m in found.members] == [State.SATISFIED, State.NOT_SATISFIED]
    assert found.verdict.because == ("1 of 2: dataset/b: no dataset.provenance statement for this version")
    state(story, provenance, meeting(provenance), subject="dataset/b")
    assert outcome(story, provenance) == SATISFIED


def test_evidence_presented_for_another_thing_does_not_count():
    story, _, _ = met("dat-02.provenance")
    story.statements.pop()
    provenance = RULES["dat-02.provenance"]
    state(story, provenance, meeting(provenance), subject="dataset/b")
    assert outcome(story, provenance) == unsatisfied(Reason.MISSING)


def test_the_worst_member_decides_and_the_worst_reason_leads():
    story, _, subject = met("dat-01.sealed")
    sealed, verified = RULES["dat-01.sealed"], RULES["dat-01.verified"]
    state(story, sealed, {"objects": 0}, subject="dataset/b")
    assert outcome(story, sealed) == unsatisfied(Reason.FAILED)
    state(story, verified, {"result": "fail"}, subject=subject)
    assert outcome(story, sealed) == unsatisfied(Reason.CONTRADICTED)


def systems(story, listed):
    scope = RULES["gov-01.classification"]
    claims = meeting(scope) | ({} if listed is None else {"systems": listed})
    return state(story, scope, claims)


def test_every_system_of_the_scope_needs_a_classification():
    story, rule = Story(), RULES["gov-03.system"]
    systems(story, ["s1", "s2"])
    state(story, rule, meeting(rule), subject="system/s1")
    assert outcome(story, rule) == unsatisfied(Reason.MISSING)
    state(story, rule, meeting(rule), subject="system/s2")
    assert outcome(story, rule) == SATISFIED
    systems(story, ["s1", "s2", "s3"])
    assert outcome(story, rule) == unsatisfied(Reason.MISSING)


def test_a_signed_empty_list_of_systems_is_a_reason_and_rests_on_its_statement():
    story, rule = Story(), RULES["gov-03.system"]
    logged = systems(story, [])
    found = result(story, rule)
    assert found.verdict.state is State.NOT_APPLICABLE
    assert [s.entry for s in found.rests_on] == [logged.entry]
    assert found.signers[0].role is KeyRole.OPERATOR


@pytest.mark.parametrize("listed", [None, "s1", [1], {"s1": True}])
def test_a_scope_that_lists_no_systems_properly_shows_nothing(listed):
    story, rule = Story(), RULES["gov-03.system"]
    systems(story, listed)
    state(story, rule, meeting(rule), subject="system/s1")
    assert outcome(story, rule) == unsatisfied(Reason.MISSING)


def test_every_looks_at_all_that_is_fresh():
    rule = replace(RULES["log-06.heartbeat"], selection=Selection.EVERY)
    story = Story()
    assert outcome(story, rule) == unsatisfied(Reason.MISSING)
    state(story, rule, meeting(rule) | {"unexplained": 1})
    state(story, rule, meeting(rule))
    assert outcome(story, rule) == unsatisfied(Reason.FAILED)
    assert outcome(story, replace(rule, selection=Selection.LATEST)) == SATISFIED
    story.wait(timedelta(hours=20))
    state(story, rule, meeting(rule))
    assert outcome(story, rule, at=story.now + timedelta(hours=5)) == SATISFIED
    assert outcome(story, rule, at=story.now + timedelta(days=5)) == unsatisfied(Reason.STALE)


def test_a_late_statement_counts_and_is_marked():
    story, rule = Story(), RULES["log-06.heartbeat"]
    state(story, rule, meeting(rule), late=True)
    assert [s.late for s in result(story, rule).rests_on] == [True]


def test_a_model_finds_the_run_that_left_its_files_under_another_name():
    story, rule = Story(), RULES["mod-02.run"]
    source = RULES["mod-01.signed"]
    model = state(story, source, meeting(source), subject="model/m").envelope.statement.subjects[0].digest
    state(story, rule, meeting(rule), subject="outputs/other")
    assert outcome(story, rule) == unsatisfied(Reason.MISSING)
    logged = state(story, rule, meeting(rule), subject="outputs/run")
    statement = logged.envelope.statement
    named = replace(statement, subjects=(*statement.subjects, replace(statement.subjects[0], digest=model)))
    story.statements[-1] = replace(logged, envelope=replace(logged.envelope, statement=named))
    assert outcome(story, rule) == SATISFIED
    state(story, source, meeting(source), subject="model/m", version=2)
    assert outcome(story, rule) == unsatisfied(Reason.MISSING), "another version of the model has no run"


def about(name):
    return next(r for r in RULES.values() if r.about == name)


def test_a_rule_about_a_subject_sees_no_newer_statement_about_another():
    rule = about("course/management")
    story = Story()
    state(story, rule, meeting(rule), subject="course/management")
    state(story, rule, meeting(rule) | {"course": "awareness"}, subject="course/awareness")
    assert outcome(story, rule) == SATISFIED


def test_a_statement_about_another_subject_is_no_evidence_about_this_one():
    rule = about("course/management")
    story = Story()
    state(story, rule, meeting(rule), subject="course/awareness")
    assert outcome(story, rule) == unsatisfied(Reason.MISSING)


def test_a_population_is_drawn_from_the_statement_about_its_subject():
    rule = next(r for r in RULES.values() if r.for_each and RULES[r.for_each.of].about)
    source = RULES[rule.for_each.of]
    story = Story()
    state(story, source, meeting(source) | {rule.for_each.items: ["one"]}, subject=source.about)
    state(story, source, meeting(source) | {rule.for_each.items: ["two"]}, subject="policy/another")
    assert [member.name for member in result(story, rule).members] == ["policy/one"]


HIGH_RISK_RULE = next(r for r in RULES.values() if r.for_each and r.for_each.only and r.control == "AIA-01")


def classified(roles, story=None):
    """Tell a scope with one AI system, classified with `roles` (None: an older statement, which names none)."""
    story, scope, system = story or Story(), RULES["gov-01.classification"], RULES["gov-03.system"]
    if not story.statements:
        state(story, scope, meeting(scope) | {"systems": ["s1"]})
    said = {} if roles is None else {"roles": roles}
    state(story, system, meeting(system) | said, subject="system/s1")
    return story


@pytest.mark.parametrize(
    ("roles", "asked"),
    [
        (["provider:minimal"], False),
        (["deployer:high_risk_annex_III"], False),
        (["deployer:minimal", "provider:high_risk_annex_III"], True),
        (None, True),
        ("provider:minimal", True),  # no list: it says nothing
    ],
)
def test_a_duty_of_some_systems_asks_nothing_of_the_others(roles, asked):
    story = classified(roles)
    expected = unsatisfied(Reason.MISSING) if asked else (State.NOT_APPLICABLE, None)
    assert outcome(story, HIGH_RISK_RULE) == expected
    rests_on = {support.entry for support in result(story, HIGH_RISK_RULE).rests_on}
    assert rests_on == ({0} if asked else {0, 1})


def test_a_system_that_nobody_classified_is_asked():
    story, scope = Story(), RULES["gov-01.classification"]
    state(story, scope, meeting(scope) | {"systems": ["s1"]})
    assert outcome(story, HIGH_RISK_RULE) == unsatisfied(Reason.MISSING)


def test_a_new_classification_is_seen_at_once():
    story = classified(["provider:minimal"])
    then = Records.of(story.tenant, story.statements)
    before, since = assess(HIGH_RISK_RULE, then, story.now, RULES), story.now
    assert unchanged(before, then, since, then, story.now, RULES)
    classified(["provider:high_risk_annex_III"], story)
    now = then.extended(story.statements)
    assert not unchanged(before, then, since, now, story.now, RULES)
    assert outcome(story, HIGH_RISK_RULE) == unsatisfied(Reason.MISSING)
