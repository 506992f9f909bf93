"""What is stated says what the report says, fits its page's schema, and names no column, file or value."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ringfence.artifacts.checks import policy, report, statements
from ringfence.artifacts.checks.model import Check, Finding, Outcome, Result
from ringfence.artifacts.model import Custody, DatasetName
from ringfence.artifacts.statements import read_sealed
from ringfence.artifacts.statements import sealed as stated_seal
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.statement import Strength
from ringfence.testing.artifacts import MemoryControl, sealed_in_memory

SCHEMA = Path(__file__).parents[4] / "docs" / "specs" / "predicates" / "dataset.checked.schema.json"


def sealed():
    made = sealed_in_memory({"a": b"12"})
    draft = stated_seal(made.seal, made.digest, Custody.FILE_PLAIN, DatasetName("claims"))
    return read_sealed(MemoryControl().signed(draft)[0].statement, DatasetName("claims"))


DATASET = sealed()


def made(*failed):
    found = {check: Result(check, Outcome.PASSED) for check in Check}
    found |= {check: Result(check, Outcome.FAILED, "why", (Finding("k", "secret column"),), 3) for check in failed}
    return report.Report("claims", "sha256:0", policy.parse({}), "1.0", 5, 1, report.ordered(found))


def draft(*failed):
    return statements.checked(DATASET, made(*failed), b"printed", bytes(32))


def signed(one):
    return MemoryControl().signed(one)[0].statement


@pytest.mark.parametrize("failed", [(), (Check.SECRETS, Check.DRIFT)])
def test_claims_are_those_of_the_report_and_fit_the_schema(failed):
    claims = json.loads(json.dumps(dict(draft(*failed).claims)))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    check = jsonschema.Draft202012Validator(schema)
    check.validate(claims)
    assert claims["result"] == ("fail" if failed else "pass")
    assert claims["failed"] == sorted(one.value for one in failed)
    assert claims["findings"] == 3 * len(failed)
    assert claims["counts"] == {one.value: 3 * (one in failed) for one in Check}
    assert "secret" not in json.dumps(claims).replace('"secrets"', "")
    assert "claims" not in json.dumps(claims)
    assert not check.is_valid(claims | {"other": 1})
    for name in schema["required"]:
        assert not check.is_valid({key: value for key, value in claims.items() if key != name})


def test_it_is_read_back_as_it_was_stated():
    statement = signed(draft(Check.DRIFT))
    assert statements.check_about(statement, DATASET) is statement


@pytest.mark.parametrize(
    "change",
    [
        {"passed": []},
        {"failed": ["drift"]},
        {"off": ["unknown"]},
        {"result": "perhaps"},
        {"rows": -1},
        {"findings": 1},
        {"counts": {}},
        {"counts": {check.value: 1 for check in Check}},
        {"counts": {check.value: -1 for check in Check}},
        {"toolVersion": ""},
        {"policy": "0" * 64},
        {"more": 1},
    ],
)
def test_claims_that_do_not_hold_together_are_refused(change):
    one = draft()
    with pytest.raises(MalformedInput):
        statements.claims_of(signed(replace(one, claims=dict(one.claims) | change)))


def test_another_strength_predicate_or_epoch_is_refused():
    one = draft()
    with pytest.raises(Refused):
        statements.claims_of(signed(replace(one, strength=Strength.DOCUMENTED)))
    with pytest.raises(MalformedInput):
        statements.claims_of(signed(replace(one, predicate=type(one.predicate)("dataset.verified"))))
    with pytest.raises(Refused):
        statements.check_about(signed(replace(one, claims=dict(one.claims) | {"epoch": 2})), DATASET)
    with pytest.raises(Refused):
        statements.check_about(signed(one), replace(DATASET, dataset="f" * 32))
