"""Acts of the console that a passkey signs: the report that closes a pack, a seal, the outcome of a verification."""

from collections.abc import Mapping
from typing import Any

from ringfence.artifacts import statements as datasets
from ringfence.artifacts.model import dataset_id, dataset_name
from ringfence.artifacts.service import Artifacts
from ringfence.identity.acting.ports import Target
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import PredicateName
from ringfence.reports.model import REPORT_EXPORTED
from ringfence.reports.service import Packs
from ringfence.storage.outbox import Outbox

PLACE = "packs"
_PACK = "You state what is exported as a pack: as of when, how many records, and how much of them is shown."
_SEAL = "You state that these files were sealed. The server encrypted them; your signature is what is recorded."
_CHECK = "You state how the verification of this dataset came out. The server read every byte of it, without a key."


def targets(packs: Packs, artifacts: Artifacts, outbox: Outbox) -> Mapping[PredicateName, Target]:
    """Return who takes these acts."""

    def exported(person: Person, _: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        packs.issue(envelope, opening, by=person)  # whoever takes the pack has it composed again
        done = outbox.acknowledgement(envelope.digest)
        return {"pack": str(envelope.digest), "statement": done.to_json() if done else None}

    def sealed(person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        done = artifacts.take(person, dataset_name(place), envelope, opening)
        return {"dataset": place, "statement": done.to_json()}

    def verified(person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        done = artifacts.state(person, dataset_id(place), datasets.VERIFIED, envelope, opening)
        return {"dataset": place, "statement": done.to_json()}

    return {
        REPORT_EXPORTED: Target("report.pack", _PACK, exported, lambda _: "/packs"),
        datasets.SEALED: Target("dataset.seal", _SEAL, sealed, lambda _: "/data"),
        datasets.VERIFIED: Target("dataset.verify", _CHECK, verified, lambda _: "/data"),
    }
