"""What is stated about models fits the published schemas, and names no file."""

import json
from pathlib import Path

import jsonschema
import pytest

from ringfence.artifacts.models import oms, statements
from ringfence.artifacts.models.model import ModelId, ModelName, Verdict
from ringfence.kernel.digest import Digest
from ringfence.testing.models import HOSTILE, key, report

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"
MANIFEST = oms.manifest_of("tiny", {"secret.bin": Digest.of(b"x")})
ABOUT = statements.About(ModelId("0" * 32), ModelName("tiny"), MANIFEST.digest)
DRAFTS = [
    statements.signed(ABOUT, statements.Signature(MANIFEST, 1, Digest.of(b"b"), key().public, "file-plain")),
    statements.scanned(ABOUT, report({"secret.bin": HOSTILE["os.system"]}), 1),
    statements.scanned(ABOUT, report({"secret.bin": b"words"}), 1),
    statements.imported(
        ABOUT,
        statements.Import(
            1,
            1,
            "hugging-face-cache",
            "secret/tiny",
            "1" * 40,
            ("secret.py",),
            "sha256 of files",
            "0" * 64,
            "CN=secret",
            Verdict.CLEAN,
        ),
    ),
    statements.imported(ABOUT, statements.Import(1, 1, "folder", "", "", (), "", "", "", Verdict.UNKNOWN)),
]


@pytest.mark.parametrize("draft", DRAFTS)
def test_claims_fit_their_schema_and_nothing_else_does(draft):
    schema = json.loads((SPECS / f"{draft.predicate}.schema.json").read_text())
    check = jsonschema.Draft202012Validator(schema)
    claims = json.loads(json.dumps(dict(draft.claims)))
    check.validate(claims)
    assert "secret" not in json.dumps(claims)
    assert "tiny" not in json.dumps(claims)
    assert not check.is_valid(claims | {"other": 1})
    for name in schema["required"]:
        assert not check.is_valid({key: value for key, value in claims.items() if key != name})
