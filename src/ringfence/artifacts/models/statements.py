"""What is stated about models, and how it is read back (docs/specs/predicates/model.*.md)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ringfence
from ringfence.artifacts.models.keys import ALGORITHMS, PublicKey, parse_public
from ringfence.artifacts.models.model import Manifest, ModelId, ModelName, Report, Verdict, Weight, model_id
from ringfence.artifacts.models.scan import TOOL
from ringfence.artifacts.statements import count, hex_digest, one_of, shaped, tagged
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Statement, Strength, Subject

SIGNED = PredicateName("model.signed")
SCAN = PredicateName("model.scan")
IMPORTED = PredicateName("model.imported")
CUSTODIES = ("external", "file-passphrase", "file-plain", "pkcs11")
MAX_CODES = 64
MAX_DETAILS = 100  # findings whose words go into the side record
_TOKEN = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}")


@dataclass(frozen=True, slots=True)
class About:
    """Which model a statement is about."""

    model: ModelId
    name: ModelName
    digest: Digest

    @property
    def subject(self) -> Subject:
        """Return how statements name this version."""
        return Subject(f"model/{self.model}", self.digest)


@dataclass(frozen=True, slots=True)
class Signature:
    """What was signed, with which key."""

    manifest: Manifest
    size: int
    bundle: Digest
    key: PublicKey
    custody: str


def signed(about: About, signature: Signature) -> Draft:
    """State that a model was signed; its name goes into the erasable details."""
    claims = {
        "model": about.model,
        "files": len(signature.manifest.files),
        "bytes": signature.size,
        "root": str(signature.manifest.root),
        "bundle": str(signature.bundle),
        "algorithm": signature.key.algorithm,
        "keyHint": signature.key.hint,
        "publicKey": signature.key.pem,
        "keyCustody": signature.custody,
    }
    key = f"model.signed/{about.digest.hex[:32]}/{signature.key.hint[:32]}/{about.model}"  # again and again: once
    return Draft(SIGNED, (about.subject,), claims, Strength.OBSERVED, {"name": about.name}, key)


@dataclass(frozen=True, slots=True)
class Import:
    """What was taken in, and what was known of it before."""

    files: int
    size: int
    layout: str  # how it lay: `hugging-face-cache`, `folder` or `file`
    repository: str  # `organisation/name`, where a cache says so
    revision: str  # 40 hexadecimal digits, where a cache says so
    left_out: tuple[str, ...]
    method: str  # by which its own signature names bytes; empty where it had none
    signer: str  # hint of the key that signed it
    subject: str  # whom a certificate names
    verdict: Verdict


def imported(about: About, taken: Import) -> Draft:
    """State that a model was taken in; names of repositories, files and people go into the erasable details."""
    claims = {
        "model": about.model,
        "files": taken.files,
        "bytes": taken.size,
        "layout": taken.layout,
        "revision": taken.revision,
        "leftOut": len(taken.left_out),
        "signature": "verified" if taken.method else "none",
        "method": taken.method,
        "signer": taken.signer,
        "verdict": taken.verdict.value,
    }
    details = {"name": about.name, "repository": taken.repository, "subject": taken.subject}
    return Draft(
        IMPORTED, (about.subject,), claims, Strength.OBSERVED, details | {"leftOut": list(taken.left_out[:MAX_DETAILS])}
    )


def scanned(about: About, report: Report, files: int) -> Draft:
    """State what a scan found: counts and codes; the words, which hold file names, go into the details."""
    found = report.all_findings
    claims = {
        "model": about.model,
        "tool": TOOL,
        "toolVersion": ringfence.__version__,
        "files": files,
        "verdict": report.verdict.value,
        "refused": report.count(Weight.REFUSE),
        "unknown": report.count(Weight.UNKNOWN),
        "noted": report.count(Weight.NOTE),
        "formats": sorted({judged.format for judged in report.files})[:MAX_CODES],
        "codes": sorted({finding.code for finding in found})[:MAX_CODES],
    }
    words = [finding.text for finding in found[:MAX_DETAILS]]
    return Draft(SCAN, (about.subject,), claims, Strength.OBSERVED, {"name": about.name, "findings": words})


def claims_of(statement: Statement, expected: PredicateName) -> Mapping[str, Any]:
    """Return the claims of a statement if they are well formed and about one version of a model."""
    if statement.predicate != expected:
        raise MalformedInput(f"this address takes {expected}, not {statement.predicate}")
    if statement.issuance.strength is not Strength.OBSERVED:
        raise Refused(f"{expected} is observed, not {statement.issuance.strength.text}")
    claims = shaped(statement, _SHAPES[expected])
    _check_whole(statement, claims)
    return claims


def _check_whole(statement: Statement, claims: Mapping[str, Any]) -> None:
    if [subject.name for subject in statement.subjects] != [f"model/{claims['model']}"]:
        raise MalformedInput("the statement's one subject is the model that its claims name")
    if statement.predicate == SIGNED and parse_public(claims["publicKey"].encode()).hint != claims["keyHint"]:
        raise MalformedInput("the key's hint is not that of the public key")
    if statement.predicate == IMPORTED and (claims["signature"] == "verified") != bool(claims["method"]):
        raise MalformedInput("a signature that was verified has a method, and none has none")
    if statement.predicate == SCAN and _verdict(claims) is not Verdict(claims["verdict"]):
        raise MalformedInput("the verdict is not the one that the counts demand")


def _verdict(claims: Mapping[str, Any]) -> Verdict:
    if claims["refused"] or not claims["files"]:
        return Verdict.REFUSED
    return Verdict.UNKNOWN if claims["unknown"] else Verdict.CLEAN


def _pem(value: object) -> PublicKey:
    if not isinstance(value, str) or not value.isascii():
        raise MalformedInput("it is a public key in PEM")
    return parse_public(value.encode())


def _text(limit: int, pattern: str) -> Callable[[object], object]:
    shape = re.compile(pattern)

    def check(value: object) -> object:
        if not isinstance(value, str) or len(value) > limit or not shape.fullmatch(value):
            raise MalformedInput(f"it is text of at most {limit} characters in its form")
        return value

    return check


def _token(value: object) -> object:
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise MalformedInput("it is a short word of lower-case letters and digits")
    return value


def _tokens(value: object) -> object:
    if not isinstance(value, list) or len(value) > MAX_CODES or value != sorted(set(_strings(value))):
        raise MalformedInput(f"it lists, sorted, at most {MAX_CODES} short words")
    return [_token(one) for one in value]


def _strings(values: Iterable[object]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


_SHAPES: dict[PredicateName, dict[str, Callable[[object], object]]] = {
    SIGNED: {
        "model": model_id,
        "files": count,
        "bytes": count,
        "root": tagged,
        "bundle": tagged,
        "algorithm": one_of(*ALGORITHMS.values()),
        "keyHint": hex_digest,
        "publicKey": _pem,
        "keyCustody": one_of(*CUSTODIES),
    },
    SCAN: {
        "model": model_id,
        "tool": _token,
        "toolVersion": _token,
        "files": count,
        "verdict": one_of(*(verdict.value for verdict in Verdict)),
        "refused": count,
        "unknown": count,
        "noted": count,
        "formats": _tokens,
        "codes": _tokens,
    },
    IMPORTED: {
        "model": model_id,
        "files": count,
        "bytes": count,
        "layout": one_of("file", "folder", "hugging-face-cache"),
        "revision": _text(40, r"|[0-9a-f]{40}"),
        "leftOut": count,
        "signature": one_of("none", "verified"),
        "method": _text(64, r"|(sha256|blake3) of (files|shards of [0-9]{1,16} bytes)"),
        "signer": _text(64, r"|[0-9a-f]{64}"),
        "verdict": one_of(Verdict.CLEAN.value, Verdict.UNKNOWN.value),
    },
}
