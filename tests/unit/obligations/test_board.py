import json
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import board, catalog
from ringfence.obligations.model import Op
from ringfence.obligations.reading import package_file
from ringfence.obligations.records import Records
from ringfence.obligations.results import Reason, Standing, State
from ringfence.testing.obligations import START, Story, made_for

CATALOG = catalog.load()
SAMPLES = json.loads(package_file("samples/statements.json"))
MADE = made_for(CATALOG, SAMPLES)
OPEN = {State.NOT_SATISFIED, State.PENDING}


def told(*, without=(), **changes):
    """Tell the sample organisation's story; `changes` are claims by evidence type, dots as underscores."""
    story = Story()
    for predicate, sample in SAMPLES.items():
        if predicate not in without:
            claims = sample["claims"] | changes.get(predicate.replace(".", "_"), {})
            strength = Strength.parse(sample["strength"])
            story.add(predicate, claims, subject=sample["subject"], role=KeyRole(sample["role"]), strength=strength)
    for made in MADE:
        if made.evidence not in without:
            claims = made.claims | changes.get(made.evidence.replace(".", "_"), {})
            story.add(made.evidence, claims, subject=made.subject, role=made.role, strength=made.strength)
    return story


def computed(story, at=None):
    return board.compute(CATALOG, Records.of(story.tenant, story.statements), at or story.now)


def control(story, name, at=None):
    return next(r for r in computed(story, at).controls if r.control.id == name)


def states(found):
    return {result.control.id: result.verdict.state for result in found.controls}


def test_an_empty_tenant_has_nothing_satisfied_and_everything_missing():
    found = computed(Story())
    counted = [r for r in found.controls if r.verdict.state is not State.UPCOMING]
    assert {(r.verdict.state, r.verdict.reason) for r in counted} == {(State.NOT_SATISFIED, Reason.MISSING)}
    assert (found.count(State.SATISFIED), found.denominator, len(found.controls)) == (0, len(counted), 109)
    assert found.anchored_outside_until is None
    assert all(r.next_step for r in counted)


def test_the_sample_statements_satisfy_every_control():
    found = computed(told())
    assert {r.control.id: r.verdict for r in found.controls if r.verdict.state in OPEN} == {}
    # What binds later, or others only, is shown and counted apart: the sample is no bank, and its AI no high risk yet.
    apart = {name for name, state in states(found).items() if state is not State.SATISFIED}
    assert apart == {"RSK-05", "TST-05", "AIA-02", "AIA-04", "AIA-05"}
    assert found.denominator == 109 - len(apart)
    counted = [r for r in found.controls if r.control.id not in apart]
    assert all(r.entries and r.signers and r.weakest and r.next_step is None for r in counted)


@pytest.mark.parametrize("predicate", SAMPLES)
def test_each_statement_matters(predicate):
    missing = {
        r.control.id for r in computed(told(without=[predicate])).controls if r.verdict.state.value != "satisfied"
    }
    expected = {r.control for r in CATALOG.requirements.values() if r.evidence == predicate}
    assert expected <= missing


def test_a_control_is_as_strong_as_its_weakest_statement():
    assert control(told(), "DAT-02").weakest is Strength.DOCUMENTED
    assert control(told(), "LOG-02").weakest is Strength.OBSERVED
    assert {s.role for s in control(told(), "LOG-02").signers} == {KeyRole.CONTROL_PLANE, KeyRole.OPERATOR}


def test_a_control_changes_first_when_its_first_evidence_runs_out():
    found = control(told(), "LOG-02")
    chain = next(s for s in told().statements if s.envelope.statement.predicate == "log.chain_verified")
    assert found.verdict.next_change == chain.recorded_at + timedelta(days=1)
    assert control(told(), "LOG-02", found.verdict.next_change).verdict.reason is Reason.STALE


def test_an_unprotected_kek_is_never_satisfied():
    found = control(told(key_lifecycle={"kekCustody": "file-plain"}), "SEC-04")
    assert (found.verdict.state, found.verdict.reason) == (State.NOT_SATISFIED, Reason.FAILED)
    assert found.next_step == "ringfence key protect"


@pytest.mark.parametrize(
    ("name", "evidence", "claim", "value", "step"),
    [
        ("AST-08", "node.config", "nodes", 0, "ringfence node start NAME"),
        ("SEC-07", "netpolicy.verified", "nodes", 0, "ringfence node start NAME"),
        ("SEC-07", "netpolicy.verified", "unprobed", 1, "ringfence record netpolicy.verified"),
        ("AST-01", "asset.inventory", "assets", 0, "ringfence dataset seal SRC NAME"),
        ("BCM-02", "backup.integrity", "copies", 0, "ringfence record backup.integrity # once backups.json"),
    ],
)
def test_where_the_same_look_would_see_the_same_the_next_step_is_another(name, evidence, claim, value, step):
    found = control(told(**{evidence.replace(".", "_"): {claim: value}}), name)
    assert found.verdict.reason is Reason.FAILED
    assert found.next_step.startswith(step)


EMPTY = {"nodes", "copies", "environments"}  # what a collector counts before it can look at anything


def test_no_step_after_a_look_at_nothing_is_that_look():
    looks = [rule for rule in CATALOG.requirements.values() if rule.issuers == {KeyRole.CONTROL_PLANE}]
    empty = [(rule, one) for rule in looks for one in rule.conditions if one.path in EMPTY and one.op is Op.AT_LEAST]
    assert len(empty) >= 8
    assert [rule.id for rule, one in empty if one.next_step in ("", rule.next_step)] == []


def test_the_next_step_is_that_of_the_first_requirement_that_is_open():
    assert control(told(without=["dataset.verified"]), "DAT-01").next_step == "ringfence dataset verify NAME"
    assert control(told(without=["ledger.head_exported"]), "LOG-02").next_step == "ringfence ledger head -o FILE"


def test_pending_counts_in_the_denominator_and_is_not_satisfied():
    found = computed(told(without=["dataset.verified"]))
    assert states(found)["DAT-01"] is State.PENDING
    assert (found.count(State.PENDING), found.count(State.SATISFIED), found.denominator) == (1, 103, 104)


def test_a_control_whose_duties_all_come_later_is_upcoming():
    story = told(entity_classification={"jurisdiction": "ES"}, log_heartbeat={"unexplained": 3})
    found = computed(story)
    assert states(found)["LOG-06"] is State.UPCOMING
    upcoming = {name for name, state in states(found).items() if state is State.UPCOMING}
    assert {"LOG-06", "INC-07"} <= upcoming
    assert (len(upcoming), found.denominator) == (24, 109 - 24 - found.count(State.NOT_APPLICABLE))
    assert states(found)["LOG-02"] is State.SATISFIED  # data protection law may bind already


def test_upcoming_ends_on_its_date():
    early = Story(start=START - timedelta(days=400))  # before the German act
    sample = SAMPLES["entity.classification"]
    early.add("entity.classification", sample["claims"], strength=Strength.DOCUMENTED)
    found = control(early, "LOG-06")
    assert found.verdict.state is State.UPCOMING
    later = control(early, "LOG-06", found.verdict.next_change)
    assert (later.verdict.state, later.verdict.reason) == (State.NOT_SATISFIED, Reason.MISSING)


def test_a_control_without_a_duty_of_ours_is_not_applicable_by_a_signed_reason():
    story = told(entity_classification={"category": "out_of_scope", "binds2690": False})
    found = control(story, "LOG-06")
    assert found.verdict.state is State.NOT_APPLICABLE
    assert 0 in found.entries
    assert states(computed(story))["GOV-01"] is State.SATISFIED


def test_a_signed_empty_list_of_systems_makes_the_classification_not_applicable():
    story = told(without=["ai.classification"], entity_classification={"systems": []})
    assert control(story, "GOV-03").verdict.state is State.NOT_APPLICABLE


QUIET = {"incidents": 0, "open": 0, "reportsInTime": 0, "decisions": [], "significant": [], "reports": []}


def test_where_the_register_lists_no_incident_the_control_holds_and_says_why():
    found = {
        name: control(told(without=["incident.triage", "incident.report"], incident_register=QUIET), name)
        for name in ("INC-02", "INC-03")
    }
    assert {r.verdict.state for r in found.values()} == {State.SATISFIED}
    assert "the register lists no incident whose decision is due" in found["INC-02"].verdict.because
    assert "the register lists no incident whose reports fell due" in found["INC-03"].verdict.because
    assert any("noticed" in sentence for sentence in found["INC-02"].control.does_not_prove)
    assert found["INC-02"].weakest is Strength.OBSERVED


def test_without_a_register_nothing_is_said_of_incidents():
    for name in ("INC-02", "INC-03"):
        found = control(told(without=["incident.register"]), name)
        assert (found.verdict.state, found.verdict.reason) == (State.NOT_SATISFIED, Reason.MISSING)
        assert found.next_step == "ringfence record incident.register"


@pytest.mark.parametrize(
    ("control_name", "change"),
    [
        ("INC-02", {"undecided": 1, "undecidedOverdue": 1}),
        ("INC-03", {"reportsOverdue": 1}),
        ("INC-03", {"reportsLate": 1}),
    ],
)
def test_what_is_overdue_or_late_is_red_and_only_where_it_belongs(control_name, change):
    found = states(computed(told(incident_register=change)))
    assert {name for name, state in found.items() if state is State.NOT_SATISFIED} == {control_name}


def test_every_incident_of_the_register_needs_its_own_decision_and_report():
    more = {"decisions": ["i-00000001", "i-00000002"], "reports": ["i-00000001", "i-00000002"]}
    story = told(incident_register=more)
    for name in ("INC-02", "INC-03"):
        found = control(story, name)
        assert (found.verdict.state, found.verdict.reason) == (State.NOT_SATISFIED, Reason.MISSING)
        assert found.next_step == f"ringfence incident {'triage' if name == 'INC-02' else 'notify'} INCIDENT"
        assert "i-00000002" in found.verdict.because
        assert "i-00000001" not in found.verdict.because


def test_a_significant_decision_needs_criteria_and_awareness_and_another_does_not():
    bare = {"significant": False, "criteria": []}
    assert control(told(incident_triage=bare), "INC-02").verdict.reason is Reason.FAILED
    assert control(told(incident_triage=bare, incident_register={"significant": []}), "INC-02").verdict.state is (
        State.SATISFIED
    )


def test_obligations_are_counted_apart():
    found = computed(told())
    by = {s: sum(d.standing is s for d in found.duties) for s in Standing}
    assert sum(by.values()) == len(CATALOG.obligations)
    assert {s for s in Standing if by[s]} == set(Standing)
    outside = computed(told(entity_classification={"category": "out_of_scope", "binds2690": False}))
    assert sum(d.standing is Standing.NOT_OURS for d in outside.duties) > by[Standing.BINDING] - 2


def test_the_anchor_covers_what_its_head_covers_and_nothing_after():
    story = told(ledger_head_exported={"size": 4})
    assert computed(story).anchored_outside_until == story.statements[3].recorded_at
    boast = told(ledger_head_exported={"size": 10**6})
    export = next(s for s in boast.statements if s.envelope.statement.predicate == "ledger.head_exported")
    assert computed(boast).anchored_outside_until == boast.statements[export.entry - 1].recorded_at
    assert computed(told(ledger_head_exported={"size": "4"})).anchored_outside_until is None


def test_asking_as_of_an_earlier_time_gives_what_was_shown_then():
    story = told()
    shown = computed(story)
    for predicate, sample in SAMPLES.items():
        story.add(predicate, {}, subject=sample["subject"], role=KeyRole(sample["role"]))
    assert computed(story, shown.as_of) == shown
    assert computed(story) != shown


def test_only_what_a_rule_asks_for_needs_reading():
    asked = board.predicates(CATALOG)
    assert set(SAMPLES) < set(asked)
    assert set(board.KEY_EVENTS) < set(asked)
    assert "dataset.opened" not in asked


@pytest.mark.parametrize("day", [datetime(2027, 12, 1, tzinfo=UTC), datetime(2027, 12, 2, tzinfo=UTC)])
def test_standings_that_were_kept_are_let_go_when_a_duty_begins(day):
    story = told()
    records = Records.of(story.tenant, story.statements)
    before = (records, board.compute(CATALOG, records, datetime(2027, 11, 30, tzinfo=UTC)))
    assert board.compute(CATALOG, records, day, before) == board.compute(CATALOG, records, day)


def test_standings_that_were_kept_are_let_go_with_the_facts_that_they_rest_on():
    story = told()
    first = Records.of(story.tenant, story.statements)
    before = (first, board.compute(CATALOG, first, story.now))
    sample = SAMPLES["entity.classification"]
    claims = sample["claims"] | {"category": "out_of_scope", "binds2690": False}
    story.add("entity.classification", claims, subject=sample["subject"], strength=Strength.DOCUMENTED)
    records = first.extended(story.statements)
    found = board.compute(CATALOG, records, story.now, before)
    assert found == board.compute(CATALOG, records, story.now)
    assert states(found)["LOG-06"] is State.NOT_APPLICABLE


def test_what_cannot_have_changed_is_the_same_object():
    story = told()
    first = Records.of(story.tenant, story.statements)
    before = (first, board.compute(CATALOG, first, story.now))
    sample = SAMPLES["access.register"]
    story.add("access.register", sample["claims"], subject=sample["subject"], role=KeyRole(sample["role"]))
    found = board.compute(CATALOG, first.extended(story.statements), story.now, before)
    kept = [old.control.id for old, new in zip(before[1].controls, found.controls, strict=True) if old is new]
    changed = {result.control.id for result in found.controls} - set(kept)
    assert changed == {r.control for r in CATALOG.requirements.values() if "access.register" in kinds_of(r)}


def kinds_of(rule):
    return {rule.evidence, *(CATALOG.requirements[name].evidence for name in rule.links)}
