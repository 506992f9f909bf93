from dataclasses import replace

import pytest

from ringfence.artifacts.models import oms, statements
from ringfence.artifacts.models.model import ModelId, ModelName
from ringfence.artifacts.models.statements import About, Signature
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.statement import Strength, Subject
from ringfence.testing.artifacts import MemoryControl
from ringfence.testing.models import HOSTILE, key, report

MANIFEST = oms.manifest_of("secret-folder", {"secret-file.bin": Digest.of(b"x")})
ABOUT = About(ModelId("0" * 32), ModelName("secret-name"), MANIFEST.digest)
SIGNED = statements.signed(ABOUT, Signature(MANIFEST, 1, Digest.of(b"b"), key().public, "file-plain"))
SCANNED = statements.scanned(ABOUT, report({"secret-file.bin": HOSTILE["eval"], "b.txt": b"b"}), 2)


def statement(draft):
    return MemoryControl().signed(draft)[0].statement


@pytest.mark.parametrize("draft", [SIGNED, SCANNED])
def test_what_is_stated_is_read_back_and_names_no_file(draft):
    claims = statements.claims_of(statement(draft), draft.predicate)
    assert claims == draft.claims
    assert "secret" not in str(draft.claims) + str(draft.subjects)
    assert draft.details["name"] == "secret-name"


def test_a_scan_states_counts_and_keeps_words_aside():
    claims = SCANNED.claims
    assert (claims["verdict"], claims["refused"], claims["formats"]) == ("refused", 1, ["pickle", "text"])
    assert claims["codes"] == ["pickle-import"]
    assert "builtins.eval" in SCANNED.details["findings"][0]


@pytest.mark.parametrize(
    ("draft", "change"),
    [
        *((SIGNED, {name: value}) for name, value in (("files", -1), ("files", True), ("bytes", "1"), ("root", "x"))),
        (SIGNED, {"algorithm": "none"}),
        (SIGNED, {"keyHint": "0" * 64}),
        (SIGNED, {"publicKey": "x"}),
        (SIGNED, {"keyCustody": "pocket"}),
        (SIGNED, {"more": 1}),
        (SIGNED, {"model": "1" * 32}),
        (SCANNED, {"verdict": "clean"}),
        (SCANNED, {"refused": 0}),
        (SCANNED, {"formats": ["b", "a"]}),
        (SCANNED, {"codes": ["A B"]}),
        (SCANNED, {"codes": [5]}),
        (SCANNED, {"tool": ""}),
    ],
)
def test_other_claims_are_refused(draft, change):
    with pytest.raises(MalformedInput):
        statements.claims_of(statement(replace(draft, claims=dict(draft.claims) | change)), draft.predicate)


def test_another_predicate_strength_or_subject_is_refused():
    with pytest.raises(MalformedInput, match=r"takes model\.scan"):
        statements.claims_of(statement(SIGNED), statements.SCAN)
    with pytest.raises(Refused):
        statements.claims_of(statement(replace(SIGNED, strength=Strength.DOCUMENTED)), statements.SIGNED)
    two = (*SIGNED.subjects, Subject("model/1", Digest.of(b"")))
    with pytest.raises(MalformedInput, match="one subject"):
        statements.claims_of(statement(replace(SIGNED, subjects=two)), statements.SIGNED)
