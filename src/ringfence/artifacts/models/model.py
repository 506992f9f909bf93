"""What a signed model, and the judgement of its files, are made of."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import Subject

ModelId = NewType("ModelId", str)  # 32 lower-case hexadecimal digits; the same for every version under one name
ModelName = NewType("ModelName", str)  # under which a tenant knows a model

SIGNATURE = "model.sig"  # the bundle's place beside the files
MAX_FILES = 2**16
MANIFEST_FORMAT = "urn:ringfence:model-manifest:v1"

_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def model_id(text: object) -> ModelId:
    """Parse a model's opaque id."""
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise MalformedInput(f"{str(text)[:40]!r} is not the id of a model (32 hexadecimal digits)")
    return ModelId(text)


def model_name(text: object) -> ModelName:
    """Parse the name under which a tenant knows a model."""
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise MalformedInput(
            f"{str(text)[:80]!r} is not a model's name: lower-case letters, digits, dots, _ and -, at most 64"
        )
    return ModelName(text)


@dataclass(frozen=True, slots=True)
class Resource:
    """One file of a model, by its name below the model's folder."""

    name: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a model, as somebody signed them."""

    title: str  # the folder's name at signing; informative only
    files: tuple[Resource, ...]  # in the order that the root is over
    root: Digest  # OMS root digest: over the digests alone, so that it does not bind the names

    @property
    def digest(self) -> Digest:
        """Return the digest by which statements and deployments name these files: it binds names and bytes.

        It depends on no key, no time and no folder's name, so that everybody who signs the same files gets the same.
        """
        files = {resource.name: resource.digest.hex for resource in self.files}
        return Digest.of(digest.dumps({"files": files, "format": MANIFEST_FORMAT}))

    def of(self, name: str) -> Digest | None:
        """Return the digest that was signed for a name."""
        return next((resource.digest for resource in self.files if resource.name == name), None)


class Verdict(StrEnum):
    """What a scan says of a file, or of all."""

    CLEAN = "clean"  # every file is of a known format, holds data, and is what its format demands
    UNKNOWN = "unknown"  # some file is of no format that is known here
    REFUSED = "refused"  # something may run, lies about itself, or cannot be read to its end


class Weight(StrEnum):
    """What a finding means for the verdict."""

    REFUSE = "refuse"
    UNKNOWN = "unknown"
    NOTE = "note"  # named for a person to look at; the verdict stays


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a scan saw."""

    weight: Weight
    code: str  # stable: `pickle-import`, `chat-template`, …
    text: str  # one sentence

    def to_json(self) -> dict[str, str]:
        """Return the form in which front ends show it."""
        return {"weight": self.weight.value, "code": self.code, "text": self.text}


@dataclass(frozen=True, slots=True)
class Judged:
    """What a scan says of one file."""

    name: str
    format: str  # `safetensors`, `gguf`, `pickle`, `text`, … or `unknown`
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Return the worst that was found."""
        weights = {finding.weight for finding in self.findings}
        if Weight.REFUSE in weights:
            return Verdict.REFUSED
        return Verdict.UNKNOWN if Weight.UNKNOWN in weights else Verdict.CLEAN

    def to_json(self) -> dict[str, Any]:
        """Return the form in which front ends show it."""
        return {
            "name": self.name,
            "format": self.format,
            "verdict": self.verdict.value,
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What a scan says of a model."""

    files: tuple[Judged, ...]
    findings: tuple[Finding, ...] = field(default=())  # about the files together

    @property
    def verdict(self) -> Verdict:
        """Return the worst of all files; no file at all is refused."""
        verdicts = {judged.verdict for judged in self.files} | {Judged("", "", self.findings).verdict}
        if Verdict.REFUSED in verdicts or not self.files:
            return Verdict.REFUSED
        return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts else Verdict.CLEAN

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Return everything that was seen."""
        return (*self.findings, *(finding for judged in self.files for finding in judged.findings))

    def count(self, weight: Weight) -> int:
        """Return how many findings have a weight."""
        return sum(finding.weight is weight for finding in self.all_findings)

    def to_json(self) -> dict[str, Any]:
        """Return the form in which front ends show it."""
        return {
            "verdict": self.verdict.value,
            "files": [judged.to_json() for judged in self.files],
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Recorded:
    """The newest signed version of a model, with the newest scan of it, as the log has them."""

    model: ModelId
    name: str  # empty once the side record was erased
    digest: Digest
    root: Digest
    files: int
    bytes: int
    signer: str  # the hint of the signing key
    public_key: str  # PEM
    key_custody: str
    entry: int
    scan: Verdict | None = None
    noted: int = 0  # what the scan named for a person to look at
    scan_entry: int | None = None

    @property
    def subject(self) -> Subject:
        """Return how statements name this version."""
        return Subject(f"model/{self.model}", self.digest)
