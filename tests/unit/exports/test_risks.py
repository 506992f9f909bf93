"""Risks leave as ids, scores, treatments and dates: no word that a person wrote, and nobody's name."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.exports.folder import folder
from ringfence.exports.gaps import gaps
from ringfence.exports.kinds import Kind
from ringfence.exports.model import Scored
from ringfence.exports.parts import written
from ringfence.exports.results import results
from ringfence.exports.risks import headline, leaving, risks
from ringfence.exports.walk import walk
from ringfence.governance.risks import register, statements
from ringfence.kernel.actor import Role
from ringfence.testing.home import TENANT
from ringfence.testing.judging import BEN, PLAN, RISK, ROW, TODAY, Signers, accepted, entered, in_days, treated

SECRET = replace(ROW, title="Wölfe im Serverraum", text="Frau Beispiel fürchtet sich.", owner_words="Herr Muster")
PLANNED = replace(PLAN, text="Ein Zaun, sagt Frau Beispiel.")
WORDS = ("Wölfe", "W\\u00f6lfe", "Beispiel", "Muster", "Zaun", str(ROW.owner))


def folded(*said):
    return register.fold(said)[RISK]


@pytest.fixture
def plan():
    return treated(by=BEN)


def test_scores_treatment_and_dates_are_those_that_were_signed(plan):
    found = leaving(folded(entered(), plan, accepted(plan)), TODAY)
    assert (found.id, found.open, found.rating) == (RISK, True, Scored(4, 5, 20, "severe"))
    assert (found.controls, found.threats, found.review_on) == (("DAT-01", "MOD-01"), ("T01",), in_days(90))
    assert (found.treatment, found.residual.score, found.due_on, found.done) == ("reduce", 6, in_days(60), False)
    assert (found.entries, found.accepted_until) == ((1, 2, 3), in_days(200))
    assert headline(found) == "Rated severe (20 of 25); reduce, of which moderate (6) is left."


def test_an_acceptance_that_is_over_is_none(plan):
    risk = folded(entered(), plan, accepted(plan))
    assert leaving(risk, in_days(200)).accepted_until
    assert leaving(risk, in_days(201)).accepted_until is None


def shown(facts, *several):
    """Return facts with risks, as if the newest statements of them were entries that are there."""
    first, second, third, *_ = sorted(facts.statements)
    return replace(facts, risks=tuple(replace(one, entries=(first, second, third)) for one in several))


def of(facts, kind=Kind.RESULTS):
    return {one["title"]: one for one in risks(kind, facts)}


def test_a_risk_is_open_accepted_or_closed(facts, plan):
    one = leaving(folded(entered(), plan), TODAY)
    kinds = (one, replace(one, id="risk-b", accepted_until=in_days(9)), replace(one, id="risk-c", open=False))
    made = of(shown(facts, *kinds))
    assert [made[f"Risk {each.id}"]["status"] for each in kinds] == ["open", "deviation-approved", "closed"]
    planned = of(shown(facts, *kinds), Kind.GAPS)
    assert [name.removeprefix("Risk ") for name in planned] == [one.id, "risk-b"]


def test_a_treatment_with_a_date_is_a_milestone_and_without_one_is_none(facts, plan):
    one = leaving(folded(entered(), plan), TODAY)
    dated, undated = of(shown(facts, one, replace(one, id="risk-b", due_on=None))).values()
    assert dated["deadline"].startswith(str(in_days(60)))
    assert dated["remediations"][0]["tasks"][0]["timing"]["on-date"]["date"] == dated["deadline"]
    assert "deadline" not in undated
    assert "tasks" not in undated["remediations"][0]
    assert "remediations" not in of(shown(facts, replace(one, treatment=None, residual=None)))[f"Risk {RISK}"]


def test_an_open_risk_is_an_item_until_somebody_accepts_it_and_stands_by_its_controls(facts, plan):
    open_ = leaving(folded(entered(), plan), TODAY)
    accepted_ = replace(open_, id="risk-b", accepted_until=in_days(9))
    items = gaps(shown(facts, open_, accepted_))[Kind.GAPS]["poam-items"]
    assert [item["title"] for item in items if item["title"].startswith("Risk ")] == [f"Risk {RISK}"]
    by_control = {item["title"].split(":")[0]: item for item in items}
    assert len(by_control["MOD-01"]["related-risks"]) == 2
    assert sum("related-risks" in item for item in by_control.values()) == 3  # both controls, and the risk itself


def test_a_control_that_the_rules_know_no_more_does_not_keep_an_export_from_leaving(few, plan):
    one = replace(leaving(folded(entered(), plan), TODAY), controls=("GOV-01", "OLD-99"))
    (made,) = of(shown(few, one)).values()
    named = {prop["value"]: prop["name"] for prop in made["props"] if prop["name"].endswith("control")}
    assert named == {"gov-01": "control", "old-99": "former-control"}
    assert folder(shown(few, one))


def test_a_register_without_risks_adds_nothing(facts):
    assert "risks" not in results(facts)[Kind.RESULTS]["results"][0]
    assert "risks" not in gaps(facts)[Kind.GAPS]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: one.update(status="deviation-approved"), "its acceptance runs until ''"),
        (lambda one: one["characterizations"][0]["facets"][2].update(value="4"), "score '4'"),
        (lambda one: one["characterizations"][0]["facets"][0].update(value="7"), "is not that of likelihood"),
        (lambda one: one.pop("characterizations"), "score ''"),
        (lambda one: one["characterizations"][0]["origin"]["actors"][0].update({"actor-uuid": "x"}), "components"),
        (lambda one: one.update(deadline="soon"), "no time with a zone"),
        (lambda one: one["remediations"][0]["tasks"][0]["timing"]["on-date"].update(date="2027"), "no time"),
        (lambda one: one["props"][1].update(value="999999"), "does not hold"),
        (lambda one: one["props"][2].update(value="sha256:" + "0" * 64), "does not hold"),
    ],
)
def test_the_walk_finds_a_risk_that_was_made_milder(few, plan, change, says):
    whole = shown(few, leaving(folded(entered(), plan), TODAY))
    files = folder(whole)
    document = json.loads(files[Kind.RESULTS.file])
    change(document[Kind.RESULTS]["results"][0]["risks"][0])
    ledger = {entry: logged.envelope.digest for entry, logged in whole.statements.items()}
    assert [one for one in walk(files | {Kind.RESULTS.file: written(document)}, ledger) if says in one]


def test_nothing_that_a_person_wrote_and_nobodys_name_leaves(home, services, clock):
    people, desk = Signers(services, home), services.judgements.risks
    engineer = people.actor(Role.ENGINEER)
    desk.register(engineer, *people.file(Role.ENGINEER, statements.registered([SECRET])))
    desk.treat(engineer, RISK, *people.file(Role.ENGINEER, statements.treated(RISK, PLANNED)))
    files = services.exports.oscal(TENANT)
    for kind in (Kind.RESULTS, Kind.GAPS):
        assert RISK.encode() in files[kind.file]
    for name, data in files.items():
        assert not [word for word in WORDS if word in data.decode()], name
    before = clock.now()
    clock.advance(timedelta(days=1))
    plan = replace(PLANNED, done=True)
    desk.treat(engineer, RISK, *people.file(Role.ENGINEER, statements.treated(RISK, plan)))
    assert services.exports.oscal(TENANT, before) == files
    assert b'"completed"' in services.exports.oscal(TENANT)[Kind.RESULTS.file]
