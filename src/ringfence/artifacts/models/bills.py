"""Make a bill of materials of a model that lies here, and state it as the form of `mlbom.generated` has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ringfence.artifacts.models.billing import claims
from ringfence.artifacts.models.blobs import model_folder
from ringfence.artifacts.models.bom import Bill, bill
from ringfence.artifacts.models.local import API, Posting
from ringfence.artifacts.models.model import Manifest, Resource, model_name
from ringfence.artifacts.models.oms import manifest_of
from ringfence.artifacts.models.ports import Control
from ringfence.artifacts.models.store import Shelf
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject

GENERATED = PredicateName("mlbom.generated")
FORM = f"/api/v1/forms/{GENERATED}"
_OPEN = 2000  # characters of the detail that names what is missing
_MANY = 12


@dataclass(frozen=True, slots=True)
class Made:
    """A bill of materials, what it rests on, and what can be stated of it."""

    bill: Bill
    known: Mapping[str, Any]
    claims: Mapping[str, Any]


def made(control: Control, home: Path, name: str, folder: Path | None = None) -> Made:
    """Make a bill of the newest signed version under a name.

    The names and digests of the files come from the model's folder, or else from the statement of the run that left
    them; either has to yield the digest that is signed.

    Raises:
        NotFound: nobody signed such a model, or its files are not known here.
        VerificationFailed: the files are not those that are signed.
    """
    known = control.get(f"{API}/{model_name(name)}/materials")
    manifest = _manifest(known, home, folder)
    found = bill(known, manifest)
    return Made(found, known, claims(found.printed, known, manifest))


def _manifest(known: Mapping[str, Any], home: Path, folder: Path | None) -> Manifest:
    if folder is None:
        for run in known["runs"]:
            files = tuple(Resource(path, Digest.parse(found)) for path, _, found in run["outputs"])
            if files and Manifest("", files, Digest(bytes(32))).digest.hex == known["digest"]:
                return Manifest("", files, Digest(bytes(32)))
    try:
        place = folder or Shelf(home).path(model_name(known["name"]))
    except NotFound as error:
        raise NotFound(
            f"the files of {known['name']} are not in this home, and no run states them: name their folder with --dir"
        ) from error
    with model_folder(place) as opened:
        return manifest_of(opened.title, {name: one.digest for name, one in opened.hashed().items()})


def stated(posting: Posting, found: Made, target: Path, day: date) -> dict[str, Any]:
    """State a bill that lies in a file: by a salted digest, since whoever knows the parts could guess a plain one."""
    salt = posting.random(32)
    said = {**found.claims, "generatedOn": day.isoformat(), "bom": str(Digest.of(salt + found.bill.printed))}
    missing = "; ".join(found.bill.absent[:_MANY])
    details = {
        "summary": "written out of the log by `ringfence model bom`",
        "open": missing[:_OPEN],
        "files": {"bom": {"name": target.name, "salt": salt.hex()}},
    }
    subject = Subject(f"model/{found.known['model']}", Digest.parse(found.known["digest"]))
    draft = Draft(GENERATED, (subject,), said, Strength.DOCUMENTED, details)
    return dict(posting.control.state(draft, path=FORM, body={})["statement"])
