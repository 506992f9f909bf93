"""How a status is usually faked, item by item: what no signal, no route and no silence can turn green."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import catalog, sheet
from ringfence.obligations.assess import assess
from ringfence.obligations.board import compute, decide
from ringfence.obligations.domains import NAMES
from ringfence.obligations.reading import package_file
from ringfence.obligations.records import Records
from ringfence.obligations.results import Reason, State, Verdict
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import TENANT
from ringfence.testing.obligations import Made, Story, breaking, made_for

CATALOG = catalog.load()
SAMPLES = json.loads(package_file("samples/statements.json"))
MADE = made_for(CATALOG, SAMPLES)
# Duties of people: what the body approves and learns, what staff is told, who is named, what is written and judged.
OF_PEOPLE = (
    *("GOV-02", "GOV-05", "GOV-06", "GOV-07", "GOV-09", "GOV-10", "RSK-01", "RSK-05", "RSK-06", "SUP-03", "INC-01"),
    *("INC-07", "BCM-05", "HYG-01", "HYG-02", "HYG-03", "HYG-04", "HYG-05", "TST-01", "AIA-01", "AIA-04", "AIA-07"),
)
GREEN = re.compile(r'class="mark satisfied"')


def told(role=None, leave=(), instead=("", {})):
    """Tell the sample organisation's story; all of it by the key of one role, where one is named."""
    story, given = Story(), [
        Made(PredicateName(name), one["claims"], one["subject"], KeyRole(one["role"]), Strength.parse(one["strength"]))
        for name, one in SAMPLES.items()
    ]  # fmt: skip
    for made in (*given, *MADE):
        if made.evidence not in leave:
            claims = instead[1] if made.evidence == instead[0] else made.claims
            strength = made.strength if role is None else max(made.strength, Strength.OBSERVED)
            story.add(made.evidence, claims, subject=made.subject, role=role or made.role, strength=strength)
    return story


def board(story):
    return compute(CATALOG, Records.of(story.tenant, story.statements), story.now)


def states(found):
    return {result.control.id: result.verdict.state for result in found.controls}


@pytest.fixture(scope="module")
def fresh(made_home, tmp_path_factory):
    """A tenant of which nothing is known, with one application for whatever only asks it; nothing here writes."""
    home = made_home.copy(tmp_path_factory.mktemp("fresh") / "home")
    with home.services(FakeClock()) as services:
        app = create_app(services)
        with home.http(services, Role.OWNER, app=app) as http:
            yield services, app, http


def test_item_14_the_status_is_read_and_never_written(fresh):
    """No route but reading ones names a status or a control, whatever the method; none takes a state."""
    _, app, _ = fresh
    paths = app.openapi()["paths"]
    named = {path: set(methods) for path, methods in paths.items() if re.search(r"/(status|controls|history)\b", path)}
    assert named
    assert set().union(*named.values()) == {"get"}


def test_item_14_what_nobody_may_state_is_not_taken(fresh):
    services, _, http = fresh
    before = len(services.ledger.statements(TENANT))
    for name in ("status", "status/LOG-02", "controls/LOG-02"):
        answer = http.put(f"/api/v1/{name}", json={"state": "satisfied"})
        assert 400 <= answer.status_code < 500
    assert len(services.ledger.statements(TENANT)) == before


def test_item_15_when_a_collector_stops_all_that_rests_on_it_goes_stale_by_itself(home, clock):
    with home.services(clock) as services:
        for collect in services.collectors.values():
            collect(TENANT)
        held = [
            part.requirement
            for result in services.status.board(TENANT).controls
            for part in result.requirements
            if part.verdict.state is State.SATISFIED and part.requirement.freshness
        ]
        assert len(held) >= 5
        entries = len(services.ledger.statements(TENANT))
        clock.advance(max(rule.freshness for rule in held) + timedelta(seconds=1))
        later = {p.requirement.id: p.verdict for r in services.status.board(TENANT).controls for p in r.requirements}
        assert {(later[rule.id].state, later[rule.id].reason) for rule in held} == {(State.NOT_SATISFIED, Reason.STALE)}
        assert len(services.ledger.statements(TENANT)) == entries


@pytest.fixture(scope="module")
def whole():
    return board(told())


COLLECTED = sorted(
    {r.evidence for r in CATALOG.requirements.values() if KeyRole.CONTROL_PLANE in r.issuers and not r.for_each}
)
SOME = [pytest.param(name, marks=() if index % 4 == 0 else pytest.mark.soak) for index, name in enumerate(COLLECTED)]


@pytest.mark.parametrize("evidence", SOME)
def test_item_17_a_collector_that_fails_is_neither_a_pass_nor_out_of_the_count(whole, evidence):
    """Nothing stated, and something stated that cannot be read: both stay in the denominator, and neither is green."""
    missing, unreadable = board(told(leave=(evidence,))), board(told(instead=(evidence, {})))
    asking = {rule.control for rule in CATALOG.requirements.values() if rule.evidence == evidence}
    for found in (missing, unreadable):
        touched = [one for one in asking if states(whole)[one] is State.SATISFIED]
        assert not [one for one in touched if states(found)[one] is State.SATISFIED]
        assert found.denominator >= whole.denominator
        assert found.count(State.SATISFIED) <= whole.count(State.SATISFIED)


@pytest.mark.parametrize("role", [KeyRole.CONTROL_PLANE, KeyRole.GATEWAY, KeyRole.EMERGENCY, KeyRole.LEDGER])
def test_item_19_no_technical_signal_meets_a_duty_of_people(role):
    """A service's key states all that any rule asks for, decisions of the body among it."""
    found = states(board(told(role)))
    assert {name: found[name] for name in OF_PEOPLE if found[name] is State.SATISFIED} == {}


def test_item_19_a_duty_of_people_asks_for_what_people_sign():
    for name in OF_PEOPLE:
        rules = CATALOG.of(name)
        assert any(rule.issuers == {KeyRole.OPERATOR} for rule in rules), name


def test_item_18_each_condition_of_each_rule_takes_its_rule_down():
    """From the whole tenant, one condition of one rule broken at a time, in a newer record that is else the same."""
    story, rules, survived, tried = told(), CATALOG.requirements, [], 0
    records = Records.of(story.tenant, story.statements)
    for rule in rules.values():
        found = assess(rule, records, story.now, rules)
        assert found.verdict.state is State.SATISFIED, rule.id
        shown = max(one.entry for one in found.rests_on if one.predicate == rule.evidence)
        sound = story.statements[shown]
        for condition in rule.conditions:
            for wrong in breaking(condition, sound.envelope.statement.claims):
                newer = again(story, sound, wrong)
                after = assess(rule, records.extended([newer]), newer.recorded_at, rules)
                survived += [(rule.id, condition.path, wrong)] if after.verdict.state is State.SATISFIED else []
                tried += 1
    assert survived == []
    assert tried > 3 * sum(len(rule.conditions) for rule in rules.values())


def again(story, logged, claims):
    """Log a statement anew, about the same, by the same key and as strong, with other claims."""
    statement = logged.envelope.statement
    return story.add(
        statement.predicate,
        claims,
        subject=statement.subjects[0].name,
        role=logged.issuer.role,
        strength=statement.issuance.strength,
    )


def test_item_18_a_rule_that_is_not_satisfied_takes_its_control_down(whole):
    """For each rule of each control that is satisfied: its control is not, when the rule is not."""
    for result in whole.controls:
        if result.verdict.state is State.SATISFIED:
            for part in result.requirements:
                worse = Verdict(State.NOT_SATISFIED, "broken on purpose", Reason.FAILED)
                parts = tuple(replace(one, verdict=worse) if one is part else one for one in result.requirements)
                found = decide(result.control, parts, result.duties, whole.as_of)
                assert found.verdict.state is State.NOT_SATISFIED, part.requirement.id


def test_item_20_as_of_a_day_is_what_was_exported_that_day(home, clock):
    """What comes later, for better or worse, changes no byte of what was exported."""
    with home.services(clock) as services:
        for name in ("log.heartbeat", "log.chain_verified", "clock.sync"):
            services.collectors[name](TENANT)
        then = clock.now()
        status, oscal = sheet.document(services.status.board(TENANT)), services.exports.oscal(TENANT)
        clock.advance(timedelta(days=1))
        for name in ("log.heartbeat", "access.register", "key.lifecycle"):
            services.collectors[name](TENANT)
        clock.advance(timedelta(days=400))
        assert sheet.document(services.status.board(TENANT))["counts"] != status["counts"]
        assert json.dumps(sheet.document(services.status.board(TENANT, then))) == json.dumps(status)
        assert services.exports.oscal(TENANT, then) == oscal


DOMAINS = [f"/controls/{name}" for name in NAMES]
PAGES = [
    *("/", "/obligations", "/frameworks", "/threats", "/policies"),
    *(pytest.param(path, marks=() if index % 7 == 0 else pytest.mark.soak) for index, path in enumerate(DOMAINS)),
]


def test_item_38_a_fresh_tenant_has_nothing_satisfied(fresh):
    _, _, http = fresh
    assert http.get("/api/v1/status").json()["counts"]["satisfied"] == 0


@pytest.mark.parametrize("path", PAGES)
def test_item_38_a_fresh_tenant_shows_nothing_green(fresh, path):
    _, _, http = fresh
    answer = http.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert not GREEN.search(answer.text)
