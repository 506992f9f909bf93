"""Statements from which a bill of materials is written: dataset, base model, run, import, scan and signature."""

from collections.abc import Iterable, Mapping
from typing import Any

from ringfence.artifacts.models import statements
from ringfence.artifacts.models.model import ModelId, ModelName
from ringfence.artifacts.models.oms import manifest_of
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.testing.models import FakeControl, FakeLogged, key, report

MANIFEST = manifest_of("tiny", {"w.safetensors": Digest.of(b"w"), "config.json": Digest.of(b"{}")})
BASE, SEAL, OLD_SEAL = Digest.of(b"base"), Digest.of(b"seal"), Digest.of(b"old seal")
ABOUT = statements.About(ModelId("0" * 32), ModelName("tiny"), MANIFEST.digest)
DATASET = "d" * 32


def draft(
    predicate: str, subject: str, digest: Digest, said: Mapping[str, Any], details: Mapping[str, Any] | None = None
) -> Draft:
    """Return what somebody would state."""
    return Draft(
        PredicateName(predicate), (Subject(subject, digest),), dict(said), Strength.OBSERVED, dict(details or {})
    )


def run(**more: Any) -> Draft:
    """Return what a run states that left the model."""
    said = {
        "run": "r" * 16,
        "inputs": [{"dataset": DATASET, "epoch": 2, "seal": str(SEAL)}],
        "models": [{"digest": str(BASE), "files": 3}],
        "code": "git",
        "commit": "c" * 40,
        "dirty": True,
        "codeChanged": False,
        "changesCommitment": "",
        "environment": str(Digest.of(b"lock")),
        "python": "3.11",
        "seed": 7,
        "outcome": "completed",
        "startedAt": "2026-01-01T00:00:00.000Z",
        "endedAt": "2026-01-01T00:01:00.000Z",
    }
    details = {
        "packages": ["numpy==2.4.1 sha256:" + "a" * 64, "torch==2.9.0+cpu"],
        "command": ["train", "--token", "secret"],
        "outputs": [[one.name, 1, one.digest.hex] for one in MANIFEST.files],
    }
    return draft("run.manifest", "outputs/rr", MANIFEST.digest, said | more, details)


SEALED = {
    "dataset": DATASET,
    "epoch": 2,
    "suite": "s",
    "objects": 3,
    "bytes": 9,
    "ciphertextRoot": str(Digest.of(b"c")),
    "plaintextRoot": str(Digest.of(b"p")),
}
WHOLE = [
    draft("dataset.sealed", f"dataset/{DATASET}", OLD_SEAL, SEALED | {"epoch": 1}, {"name": "rows"}),
    draft("dataset.sealed", f"dataset/{DATASET}", SEAL, SEALED, {"name": "rows"}),
    draft("dataset.provenance", f"dataset/{DATASET}", SEAL, {"dataset": DATASET, "epoch": 2, "licence": "CC-BY-4.0"}),
    draft("model.quarantined", "model/" + "b" * 32, BASE, {"licence": "LicenseRef-house", "country": "FR"}),
    statements.signed(
        statements.About(ModelId("b" * 32), ModelName("base"), BASE),
        statements.Signature(MANIFEST, 1, Digest.of(b"b"), key().public, "pkcs11"),
    ),
    run(),
    statements.imported(
        ABOUT,
        statements.Import(
            2, 3, "hugging-face-cache", "org/name", "1" * 40, (), "", "", "", report({"a": b"x"}).verdict
        ),
    ),
    statements.scanned(ABOUT, report({"a": b"words"}), 2),
    statements.signed(ABOUT, statements.Signature(MANIFEST, 3, Digest.of(b"b"), key().public, "file-plain")),
]


def logged(drafts: Iterable[Draft]) -> list[FakeLogged]:
    """Return drafts as the log has them, in their order."""
    control = FakeControl()
    return [FakeLogged(number, *control.signed(one)) for number, one in enumerate(drafts)]
