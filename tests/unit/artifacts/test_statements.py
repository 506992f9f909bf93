import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ringfence.artifacts import statements
from ringfence.artifacts.model import Custody, Destroyed, Erasure, Failure, Mode, Verdict
from ringfence.artifacts.provenance import parse_provenance
from ringfence.kernel.errors import MalformedInput, Refused, RingfenceError
from ringfence.kernel.statement import Strength
from ringfence.testing.artifacts import MemoryControl, example, sealed_in_memory

SPECS = Path(__file__).parents[3] / "docs" / "specs" / "predicates"
SEALED = sealed_in_memory({"a": b"12"})
DATASET = replace(example(), dataset=SEALED.seal.dataset, seal=SEALED.digest, objects=1, total_bytes=2)
DRAFTS = [
    statements.sealed(SEALED.seal, SEALED.digest, Custody.FILE_PLAIN, DATASET.name),
    statements.opened(DATASET, "train"),
    statements.verified(DATASET, Verdict(Mode.AUDIT, 7, ())),
    statements.verified(DATASET, Verdict(Mode.STORAGE, 7, (Failure("index", "bad"),))),
    statements.erasure_requested(DATASET, "the contract ended"),
    statements.erased(DATASET, DATASET.seal, bytes(32), [Destroyed("key.json", "a" * 32, DATASET.seal)]),
    statements.provenance(DATASET, parse_provenance(b"licence: MIT\nsource: 'x'\n"), bytes(32)),
]


def signed(draft):
    return MemoryControl().signed(draft)[0].statement


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.predicate)
def test_claims_fit_the_published_schema(draft):
    schema = json.loads((SPECS / f"{draft.predicate}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(dict(draft.claims), schema)
    assert (SPECS / f"{draft.predicate}.md").exists()


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.predicate)
def test_each_claim_is_checked_when_it_is_read_back(draft):
    assert statements.claims_of(signed(draft), draft.predicate) == draft.claims
    for name in draft.claims:
        for wrong in (None, "x y", -1, True, {}, ["steps", "licence"]):
            with pytest.raises(RingfenceError):
                statements.claims_of(signed(replace(draft, claims={**draft.claims, name: wrong})), draft.predicate)
        without = {key: value for key, value in draft.claims.items() if key != name}
        with pytest.raises(MalformedInput):
            statements.claims_of(signed(replace(draft, claims=without)), draft.predicate)
    with pytest.raises(MalformedInput):
        statements.claims_of(signed(replace(draft, claims={**draft.claims, "more": 1})), draft.predicate)


def test_nobody_makes_a_statement_stronger_than_its_evidence():
    with pytest.raises(Refused, match="observed, not attested"):
        statements.claims_of(signed(replace(DRAFTS[0], strength=Strength.ATTESTED)), statements.SEALED)


def test_another_predicate_is_refused():
    with pytest.raises(MalformedInput, match=r"takes dataset\.opened"):
        statements.claims_of(signed(DRAFTS[0]), statements.OPENED)


def test_a_seal_is_read_back_with_its_subject():
    found = statements.read_sealed(signed(DRAFTS[0]), DATASET.name)
    assert (found.seal, found.epoch, found.name) == (SEALED.digest, 1, DATASET.name)
    other = replace(DRAFTS[0], subjects=(example().subject, example().subject))
    with pytest.raises(Refused, match="subject"):
        statements.read_sealed(signed(other), DATASET.name)


def test_statements_are_about_the_newest_seal():
    assert statements.check_about(signed(DRAFTS[1]), statements.OPENED, DATASET)
    with pytest.raises(Refused, match="subject"):
        statements.check_about(signed(DRAFTS[1]), statements.OPENED, example(epoch=2))
    with pytest.raises(Refused, match="epoch 2"):
        statements.check_about(signed(DRAFTS[1]), statements.OPENED, replace(DATASET, epoch=2))


def test_a_verification_with_findings_has_not_passed():
    lie = replace(DRAFTS[3], claims={**DRAFTS[3].claims, "result": "pass"})
    with pytest.raises(MalformedInput, match="passes exactly"):
        statements.check_about(signed(lie), statements.VERIFIED, DATASET)


def test_names_and_texts_are_only_in_the_details():
    for draft in DRAFTS:
        assert DATASET.name not in json.dumps(dict(draft.claims))
    assert DRAFTS[0].details == {"name": DATASET.name}
    assert DRAFTS[-1].details["source"] == "x"
    assert "x" not in DRAFTS[-1].claims.values()
    assert DRAFTS[4].details == {"because": "the contract ended"}


def test_the_form_of_the_api_reads_back():
    assert statements.from_json(statements.to_json(DATASET)) == DATASET
    for done in (True, False):
        erased = replace(DATASET, erasure=Erasure(DATASET.seal, done=done))
        assert statements.from_json(statements.to_json(erased)) == erased
    for wrong in (
        {},
        [],
        {**statements.to_json(DATASET), "key_custody": "x"},
        None,
        {**statements.to_json(DATASET), "erasure": {}},
    ):
        with pytest.raises(MalformedInput):
            statements.from_json(wrong)
