"""What is stated about intake, gate, re-checks and backups fits the published schemas, and names nobody's things."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from ringfence.artifacts.models.model import ModelName
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Subject
from ringfence.testing.gating import MODEL, manifest
from ringfence.workloads import rechecking
from ringfence.workloads.backups import statements as backups
from ringfence.workloads.backups.making import Made
from ringfence.workloads.backups.model import Index, Kept, Kind, Thing
from ringfence.workloads.backups.restoring import Restored, Stated
from ringfence.workloads.gatefile import CONDITIONS
from ringfence.workloads.gating import statements as gate
from ringfence.workloads.gating.model import About, Condition, Judgement, Mode, Outcome
from ringfence.workloads.intake import statements as intake
from ringfence.workloads.intake.model import Intake, Source, Told
from ringfence.workloads.shipping import Seen

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"
DIGEST, NOW = Digest.of(b"it"), datetime(2026, 11, 20, tzinfo=UTC)
TOLD = Told(DIGEST, "MIT", "FR", "secret owner", "secret place")
INTAKE = Intake(
    "ab" * 32, MODEL, "secret", DIGEST, frozenset({DIGEST}), 1, 2, Source.HTTP, TOLD, entry=3, at=NOW, by=None
)
JUDGED = Judgement(
    About(DIGEST, MODEL, "secret"),
    tuple(Condition(name, Outcome.UNMET, "secret reason", tuple(range(40))) for name in CONDITIONS),
    DIGEST,
    NOW,
)
ENGINE = SimpleNamespace(name="small", node="n-01234567")
STARTED = SimpleNamespace(
    envelope=SimpleNamespace(statement=SimpleNamespace(subjects=(Subject("deployment/12345678", DIGEST),)))
)
INDEX = Index("2026-11-20T10:00:00.000Z", (Thing(Kind.MODEL, "secret", DIGEST, (Kept("secret.txt", DIGEST, 4),)),))
DRAFTS = [
    intake.quarantined(MODEL, ModelName("secret"), manifest(), 1, Source.FOLDER, TOLD, DIGEST),
    intake.decided(INTAKE, "accept", "secret reason", DIGEST),
    gate.gated(JUDGED, MODEL),
    gate.approved(MODEL, DIGEST, gate.APPROVE, "secret reason"),
    gate.mode_set(Mode.ENFORCE, Mode.OBSERVE, DIGEST),
    gate.refused("small", DIGEST, ["every-condition-is-met"], DIGEST, 7, "person-1", 5),
    gate.refused("small", DIGEST, ["every-condition-is-met"], DIGEST, None, "person-1", 5),
    rechecking.draft(ENGINE, STARTED, DIGEST, Seen(str(DIGEST), sealed=True, bytes=5, milliseconds=1), ""),
    rechecking.draft(ENGINE, STARTED, DIGEST, None, "secret reason"),
    backups.made("main", Made(INDEX, DIGEST, DIGEST, 4, ("secret",)), "folder", {"target": "/secret"}, off_host=True),
    backups.restored("main", Stated(DIGEST, DIGEST), Restored(failures=("secret",)), 0, 60, 60),
]


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.predicate)
def test_claims_fit_their_schema_and_nothing_else_does(draft):
    schema = json.loads((SPECS / f"{draft.predicate}.schema.json").read_text())
    check = jsonschema.Draft202012Validator(schema)
    claims = json.loads(json.dumps(dict(draft.claims)))
    check.validate(claims)
    assert "secret" not in json.dumps([claims, [subject.name for subject in draft.subjects]])
    assert not check.is_valid(claims | {"other": 1})
    for name in schema["required"]:
        assert not check.is_valid({key: value for key, value in claims.items() if key != name})


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.predicate)
def test_every_page_names_every_claim(draft):
    page = (SPECS / f"{draft.predicate}.md").read_text()
    assert [name for name in draft.claims if f"| `{name}` |" not in page] == []
