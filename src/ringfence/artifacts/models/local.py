"""Statements about models on this machine: what `ringfence model` posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.artifacts.models import catalogue, statements
from ringfence.artifacts.models.keys import PublicKey, parse_public
from ringfence.artifacts.models.model import Manifest, ModelId, ModelName, Report
from ringfence.artifacts.models.ports import Control, Random
from ringfence.artifacts.models.statements import About, Import, Signature
from ringfence.kernel.errors import MalformedInput

API = "/api/v1/models"
MAX_NAMED = 6 * 2**20  # bytes of names and digests that go along; a request has at most 8 MiB


@dataclass(frozen=True, slots=True)
class Posting:
    """State what was done to a model that lies here."""

    control: Control
    random: Random

    def signed(self, name: ModelName, signature: Signature) -> dict[str, Any]:
        """State that a model was signed; return the acknowledgement.

        Raises:
            Refused: the model, or one of its files, came from outside and nobody let it in.
        """
        draft = statements.signed(self._about(name, signature.manifest), signature)
        named = {one.name: one.digest.hex for one in signature.manifest.files}
        body = {"files": named} if sum(map(len, named)) + 70 * len(named) < MAX_NAMED else {}
        return dict(self.control.state(draft, path=f"{API}/signed", body=body)["statement"])

    def scanned(self, name: ModelName, manifest: Manifest, report: Report) -> dict[str, Any]:
        """State what a scan found; return the acknowledgement."""
        draft = statements.scanned(self._about(name, manifest), report, len(manifest.files))
        return dict(self.control.state(draft, path=f"{API}/scanned", body={})["statement"])

    def imported(self, name: ModelName, manifest: Manifest, taken: Import) -> dict[str, Any]:
        """State that a model was taken in; return the acknowledgement."""
        draft = statements.imported(self._about(name, manifest), taken)
        return dict(self.control.state(draft, path=f"{API}/imported", body={})["statement"])

    def trusted(self) -> Sequence[PublicKey]:
        """Return the keys whose signatures count in this tenant."""
        match self.control.get(API):
            case {"trusted": list() as pems}:
                return [parse_public(str(pem).encode("ascii", "replace")) for pem in pems]
            case _:
                raise MalformedInput("the answer does not list keys; is this the API of Ringfence?")

    def _about(self, name: ModelName, manifest: Manifest) -> About:
        known = catalogue.id_in(self.control.get(API), name)
        return About(known or ModelId(self.random(16).hex()), name, manifest.digest)
