"""All checks over one dataset: each fault is found by its check and by no other that it should not be."""

import pytest

from ringfence.artifacts.checks import policy, profile, running, schema
from ringfence.artifacts.checks.model import Check, Outcome
from ringfence.artifacts.checks.report import ordered
from ringfence.kernel.errors import UsageError
from ringfence.testing.training import FilesInMemory, as_csv, as_jsonl, flipped, reworded, texts, triggered


def checked(files, **given):
    rules = policy.parse(given.pop("rules", {"columns": {"label": "label"}}))
    return running.run(files, running.Order(rules, **given))


def outcomes(found):
    return {one.check: one.outcome for one in found.results}


def split(rows):
    return FilesInMemory({"train.csv": as_csv(rows[:800]), "test.jsonl": as_jsonl(rows[800:])})


def test_a_clean_dataset_fails_nothing_and_is_read_once_or_twice():
    files = split(texts(1000, 1, signal=0.2))
    found = checked(files)
    failed = [one for one, outcome in outcomes(found).items() if outcome is Outcome.FAILED]
    assert failed == []
    assert (found.rows, found.files) == (1000, 2)
    assert files.passes <= 3


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (lambda rows: flipped(rows, 0.12, 1), Check.LABELS),
        (lambda rows: triggered(rows, 0.04, 1, "cfq"), Check.TRIGGERS),
        (lambda rows: reworded(rows, 0.2, 1, 1), Check.LEAKAGE),
        (lambda rows: rows.extend([dict(rows[900]) for _ in range(50)]), Check.DUPLICATES),
        (lambda rows: rows[3].update(text="write to anna.meier@mail.ringfence-demo.eu"), Check.PERSONAL),
        (lambda rows: rows[3].update(text="-----BEGIN " + "PRIVATE KEY----- abc"), Check.SECRETS),
    ],
)
def test_each_fault_is_found_by_its_check(fault, check):
    rows = texts(1000, 1, signal=0.2)
    fault(rows)
    assert outcomes(checked(split(rows)))[check] is Outcome.FAILED


def test_the_same_data_give_the_same_results():
    files = split(texts(600, 1))
    assert checked(files) == checked(files)


def test_what_was_given_is_used_and_what_was_not_did_not_run():
    files = split(texts(850, 1))
    bare = outcomes(checked(files, rules={}))
    assert {one for one, outcome in bare.items() if outcome is Outcome.NOT_RUN} == {
        Check.SIGNATURE, Check.SCHEMA, Check.DRIFT, Check.LABELS, Check.TRIGGERS, Check.OUTLIERS,
    }  # fmt: skip
    rules = running.Order(policy.parse({}))
    before = running.described(files, rules)
    columns = schema.parse({"columns": {"id": {}, "text": {}, "label": {"enum": ["kind-0", "kind-1"]}}})
    found = outcomes(checked(files, baseline=before, schema=columns))
    assert found[Check.DRIFT] is found[Check.SCHEMA] is Outcome.PASSED
    assert profile.parse(profile.printed(before)) == before


def test_what_is_off_is_off():
    rules = {"checks": {check.value: "off" for check in Check}}
    assert set(outcomes(checked(split(texts(100, 1)), rules=rules)).values()) == {Outcome.OFF}
    assert len(ordered({})) == len(Check)


def test_mistakes_are_said():
    with pytest.raises(UsageError, match="'nothing'"):
        checked(split(texts(100, 1)), rules={"columns": {"label": "nothing"}})
    with pytest.raises(UsageError, match="no record"):
        running.described(FilesInMemory({"a.txt": b""}), running.Order(policy.parse({})))
