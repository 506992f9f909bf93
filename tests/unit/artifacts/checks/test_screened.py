"""What is stated is what the screen counted and what the log says, fits its form, and holds no content."""

import json
from dataclasses import replace
from datetime import date

import pytest

from ringfence.artifacts.checks import screened
from ringfence.artifacts.checks.history import When
from ringfence.artifacts.checks.screen import Flagged, Kind
from ringfence.artifacts.checks.screened import Ground, Screened
from ringfence.artifacts.checks.screening import Tried
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.statement import Strength, Subject
from ringfence.obligations.forms import checking, shelf
from ringfence.testing.artifacts import MemoryControl, example
from ringfence.testing.screened import screening

DAY = date(2026, 11, 23)
DATASET = example()
GOOD = Ground(When.BEFORE, 0)
SALTS = {"report": bytes(32), "quarantine": bytes([1]) * 32}


def outcome(ground=GOOD, **what):
    return Screened(DATASET, screening(**what), ground, "0.1.0")


def drafted(one):
    return screened.draft(one, one.files(), SALTS, DAY)


def stated(one, **changes):
    return MemoryControl().signed(replace(drafted(one), **changes))[0].statement


@pytest.mark.parametrize("flagged", [0, 3])
@pytest.mark.parametrize("order", When)
def test_the_form_takes_what_is_stated_and_it_is_a_persons_word(flagged, order):
    one = drafted(outcome(Ground(order, 1), flagged=flagged))
    form = shelf.form("dataset.poison_screen")
    claims = json.loads(json.dumps(dict(one.claims)))
    assert checking.problems(form, claims, DAY) == ()
    checking.check_details(form, one.details, claims)
    assert one.strength is Strength.DOCUMENTED
    assert one.subjects == (DATASET.subject,)
    assert claims["order"] == order.value
    assert claims["sourcesUntrusted"] == 1
    assert claims["flagged"] == claims["undecided"] == flagged
    assert claims["checks"] == ["duplicate", "label-flip", "outlier", "source-trust", "trigger"]
    assert (claims["planted"], claims["plantedFound"], claims["plantedPermille"]) == (80, 76, 950)


def test_documents_are_named_by_salted_digests_of_what_was_written():
    one = outcome(flagged=1)
    files, claims = one.files(), drafted(one).claims
    assert claims["report"] == str(Digest.of(SALTS["report"] + files["report.json"]))
    assert claims["quarantine"] == str(Digest.of(SALTS["quarantine"] + files["quarantine.json"]))
    assert files.keys() == {"report.json", "quarantine.json", "decisions.json"}
    assert json.loads(files["report.json"]) == one.report()


def test_a_screen_that_does_not_count_is_left_out_of_what_was_looked_for():
    found = screening()
    tried = (Tried(Kind.TRIGGER, Flagged(), 20, 9, "some"), Tried(Kind.OUTLIER, Flagged(reason="no numbers")))
    one = Screened(DATASET, replace(found, tried=tried), GOOD, "0.1.0")
    assert drafted(one).claims["checks"] == ["source-trust"]
    assert list(one.open()) == [
        "not screened for trigger: it found 9 of 20 planted cases: on these data it sees too little",
        "not screened for outlier: no numbers",
    ]
    assert "9 of 20 found" in drafted(one).details["settings"]


def test_what_is_left_to_do_is_said_and_nothing_else():
    assert list(outcome().open()) == []
    assert ["a run used" in line for line in outcome(Ground(When.AFTER, 0)).open()] == [True]
    assert ["opened for training" in line for line in outcome(Ground(When.UNKNOWN, 0)).open()] == [True]
    assert ["--provenance" in line for line in outcome(Ground(When.BEFORE, 1)).open()] == [True]
    assert next(outcome(flagged=2).open()).startswith("flagged items without a decision: 2")
    short = Screened(DATASET, replace(screening(), screened=399), GOOD, "0.1.0")
    assert list(short.open()) == ["items not screened as a whole: 1 of 400"]


def test_a_statement_that_says_what_the_log_says_is_taken():
    for ground in (GOOD, Ground(When.AFTER, 1)):
        screened.check_about(stated(outcome(ground)), DATASET, ground)


@pytest.mark.parametrize(
    ("ground", "log"),
    [
        (GOOD, Ground(When.AFTER, 0)),
        (GOOD, Ground(When.UNKNOWN, 0)),
        (GOOD, Ground(When.BEFORE, 1)),
        (Ground(When.UNKNOWN, 0), Ground(When.AFTER, 0)),
    ],
)
def test_a_statement_that_says_otherwise_than_the_log_is_refused(ground, log):
    with pytest.raises(Refused, match="by the log"):
        screened.check_about(stated(outcome(ground)), DATASET, log)


def test_another_epoch_tool_or_kind_is_refused():
    with pytest.raises(Refused):
        screened.check_about(stated(outcome()), example(epoch=2, name="other", dataset="b" * 32), GOOD)
    other = (Subject(DATASET.subject.name, Digest.of(b"other")),)
    with pytest.raises(Refused):
        screened.check_about(stated(outcome(), subjects=other), DATASET, GOOD)
    claims = dict(drafted(outcome()).claims)
    with pytest.raises(MalformedInput):
        screened.check_about(stated(outcome(), claims=claims | {"tool": "other"}), DATASET, GOOD)
    predicate = type(screened.SCREENED)("dataset.checked")
    with pytest.raises(MalformedInput):
        screened.check_about(stated(outcome(), predicate=predicate), DATASET, GOOD)
