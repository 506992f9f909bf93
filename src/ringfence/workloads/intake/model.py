"""What is known of a model that came from outside."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringfence.artifacts.models.model import ModelId, Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import KeyId, PersonId

FOLDER = "quarantine"  # below the home
_COUNTRY = re.compile(r"[A-Z]{2}")


class State(StrEnum):
    """Where an intake stands."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Source(StrEnum):
    """From where the bytes were read."""

    FILE = "file"
    FOLDER = "folder"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class Told:
    """What whoever brings a model in says about it."""

    expected: Digest  # demanded before a byte was read
    licence: str  # SPDX
    country: str  # of the owner, ISO 3166-1
    owner: str
    origin: str  # where it comes from, as text


@dataclass(frozen=True, slots=True)
class Decided:
    """A person's signed decision."""

    state: State
    entry: int
    at: datetime
    by: PersonId | None
    reason: str  # empty once the side record was erased


@dataclass(frozen=True, slots=True)
class Intake:
    """A model in quarantine, or one that was; named by the digest of the envelope that states it."""

    id: str
    model: ModelId
    name: str  # empty once the side record was erased
    digest: Digest  # of the manifest
    files: frozenset[Digest]  # of the files' own bytes
    count: int
    bytes: int
    source: Source
    told: Told
    entry: int
    at: datetime
    by: PersonId | None
    scan: Verdict | None = None
    scan_entry: int | None = None
    decided: Decided | None = None
    signer: KeyId | None = None  # by which key it was stated

    @property
    def state(self) -> State:
        """Return where it stands; without a decision it waits."""
        return self.decided.state if self.decided else State.WAITING

    def holds(self, digest: Digest) -> bool:
        """Tell whether a digest is that of the model, or of one of its files."""
        return digest == self.digest or digest in self.files


def country_code(text: object) -> str:
    """Parse a country as ISO 3166-1 alpha-2 has it."""
    if not isinstance(text, str) or not _COUNTRY.fullmatch(text):
        raise MalformedInput(f"{str(text)[:40]!r} is not a country of two capital letters, such as DE")
    return text
