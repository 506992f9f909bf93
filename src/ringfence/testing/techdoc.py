"""An AI system with its declaration and its statements, for tests of technical documentation."""

from ringfence.exports.annexiv import declaration
from ringfence.exports.annexiv.declaration import Declaration
from ringfence.exports.annexiv.document import Basis
from ringfence.obligations import catalog
from ringfence.obligations.records import Records
from ringfence.testing.obligations import Story

SYSTEM = "0123456789ab"
DATASET = "4bee5b3e4b90a933177e9e9243a4b357"
TEXT = f"""\
system: {SYSTEM}
window: {{from: 2026-11-01, to: 2026-11-20}}
uses: {{dataset: [{DATASET}]}}
points:
  iv-1:
  - text: The system sorts X-ray images by urgency for the radiologists of a hospital.
    author: Head of Product
    date: 2026-11-22
    rests_on: [0]
"""


def story(**classification: object) -> Story:
    """Return a tenant that provides a high-risk system and has sealed a dataset."""
    told = Story()
    claims = {
        "system": SYSTEM,
        "role": "provider",
        "class": "high_risk_annex_I",
        "provision": "AI Act 6(1)",
        "appliesFrom": "2028-08-02",
        "roles": ["provider:high_risk_annex_I"],
    }
    told.add("ai.classification", claims | classification, subject=f"system/{SYSTEM}")
    sealed = {"dataset": DATASET, "epoch": 1, "objects": 3, "bytes": 4096, "suite": "AES-256-GCM"}
    told.add("dataset.sealed", sealed, subject=f"dataset/{DATASET}")
    return told


def declared(text: str = TEXT) -> Declaration:
    """Return a declaration."""
    return declaration.parse(text.encode(), source="declaration.yaml")


def basis(told: Story) -> Basis:
    """Return what a document is made from, a second after the last statement."""
    at = told.statements[-1].recorded_at
    records = Records.of(told.tenant, told.statements, demo=told.demo)
    every = {logged.entry: logged for logged in told.statements}
    known = catalog.load().obligations["ai-11"]
    log = told.statements[0].envelope.statement.issuance.log
    return Basis(told.tenant, log, records, every, known, at.replace(microsecond=0).replace(minute=at.minute + 1))
