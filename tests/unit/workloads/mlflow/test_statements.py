import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused, RingfenceError
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Strength, Subject
from ringfence.testing.artifacts import MemoryControl
from ringfence.testing.clock import START
from ringfence.workloads.mlflow import statements
from ringfence.workloads.mlflow.model import COMMIT_TAG, ForeignRun, Status, Used
from ringfence.workloads.runs.model import Output, Outputs

SPECS = Path(__file__).parents[4] / "docs" / "specs" / "predicates"
SALT = bytes(range(32))
USED = (Used("claims", "0123abcd", "local", "training", Digest.of(b"seal"), "a" * 32, 2), Used("web", "1", "http", ""))
RUN = ForeignRun(
    "0123456789abcdef" * 2, "3.17.2", Status.COMPLETED, START, START, {"lr": "0.1"}, {"loss": "0.25"},
    {COMMIT_TAG: "c" * 40, "mlflow.user": "somebody"}, USED,
    Outputs((Output("m", 1, Digest.of(b"w")),), 1), (Digest.of(b"folder"),),
)  # fmt: skip
DRAFT = statements.draft(RUN, SALT)


def signed(draft):
    return MemoryControl().signed(draft)[0].statement


def claiming(**changes):
    return signed(replace(DRAFT, claims={**DRAFT.claims, **changes}))


@pytest.mark.parametrize("run", [RUN, replace(RUN, ended_at=None, outputs=Outputs(), used=(), tags={}, folders=())])
def test_what_is_stated_fits_the_published_schema_and_is_read_back(run):
    draft = statements.draft(run, SALT)
    jsonschema.validate(dict(draft.claims), json.loads((SPECS / "run.imported.schema.json").read_text()))
    statements.check_details(signed(draft), draft.details)
    assert statements.claims_of(signed(draft)) == draft.claims


def test_no_word_of_the_other_system_is_a_claim():
    text = json.dumps(dict(DRAFT.claims))
    for word in ("somebody", "claims", "lr", "0.25", "training"):
        assert f'"{word}"' not in text


def test_one_run_has_one_name():
    assert statements.draft(RUN, bytes(32)).subjects == DRAFT.subjects


def test_each_claim_is_checked():
    for name in DRAFT.claims:
        for wrong in (None, "x\ny", -2, {}, [1]):
            with pytest.raises(RingfenceError):
                statements.claims_of(claiming(**{name: wrong}))
        left = {key: value for key, value in DRAFT.claims.items() if key != name}
        with pytest.raises(MalformedInput):
            statements.claims_of(signed(replace(DRAFT, claims=left)))
    with pytest.raises(MalformedInput):
        statements.claims_of(claiming(more=1))


@pytest.mark.parametrize(
    "changes",
    [{"outputs": 0}, {"outputsDigest": ""}, {"code": "none"}, {"commit": ""}, {"inputsNamed": 0}, {"run": "f" * 32},
     {"endedAt": "2020-01-01T00:00:00.000Z"}, {"outputsDigest": str(Digest.of(b"other"))}],
)  # fmt: skip
def test_what_a_statement_says_twice_agrees(changes):
    with pytest.raises(MalformedInput):
        statements.claims_of(claiming(**changes))


def test_it_is_never_stronger_than_documented():
    with pytest.raises(Refused, match="documented"):
        statements.claims_of(signed(replace(DRAFT, strength=Strength.OBSERVED)))
    with pytest.raises(MalformedInput):
        statements.claims_of(signed(replace(DRAFT, predicate=PredicateName("run.manifest"))))
    more = (*DRAFT.subjects, Subject("model/x", Digest.of(b"x")))
    with pytest.raises(MalformedInput):
        statements.claims_of(signed(replace(DRAFT, subjects=more)))


@pytest.mark.parametrize("wrong", [None, 1, "zz", [], {}, {"parameters": {}}])
@pytest.mark.parametrize("name", ["salt", "record"])
def test_details_are_what_was_committed_to(name, wrong):
    with pytest.raises(MalformedInput):
        statements.check_details(signed(DRAFT), {**DRAFT.details, name: wrong})


def test_a_changed_word_in_the_details_is_seen():
    record = {**DRAFT.details["record"], "parameters": {"lr": "0.2"}}
    with pytest.raises(MalformedInput, match="not what it commits to"):
        statements.check_details(signed(DRAFT), {**DRAFT.details, "record": record})
