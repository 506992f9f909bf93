"""What is stated about sealed datasets, and how it is read back (docs/specs/predicates/dataset.*.md)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ringfence.artifacts.chunk import CHUNK_SIZES
from ringfence.artifacts.model import (
    SUITE,
    Custody,
    DatasetName,
    Destroyed,
    Erasure,
    Mode,
    Rewrapped,
    Seal,
    Sealed,
    Verdict,
    dataset_id,
    dataset_name,
    epoch_number,
    object_id,
    purpose,
)
from ringfence.artifacts.provenance import PARTS, Provenance
from ringfence.artifacts.provenance import licence as licence_token
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused, UsageError
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Statement, Strength, Subject

SEALED = PredicateName("dataset.sealed")
PROVENANCE = PredicateName("dataset.provenance")
OPENED = PredicateName("dataset.opened")
VERIFIED = PredicateName("dataset.verified")
REWRAPPED = PredicateName("kek.rotated")
ERASURE_REQUESTED = PredicateName("dataset.erasure_requested")
ERASED = PredicateName("dataset.erased")
MAX_DESTROYED = 64  # wrappings that one statement lists; a key file holds at most eight
STRENGTHS = {
    SEALED: Strength.OBSERVED,
    PROVENANCE: Strength.DOCUMENTED,
    OPENED: Strength.OBSERVED,
    VERIFIED: Strength.OBSERVED,
    REWRAPPED: Strength.OBSERVED,
    ERASURE_REQUESTED: Strength.OBSERVED,
    ERASED: Strength.OBSERVED,
}
MAX_REASON = 1000
_HEX = re.compile(r"[0-9a-f]{64}")


def sealed(seal: Seal, seal_digest: Digest, custody: Custody, name: DatasetName) -> Draft:
    """State that a dataset was sealed into an epoch; its name goes into the erasable details."""
    claims = {
        "dataset": seal.dataset,
        "epoch": seal.epoch,
        "suite": SUITE,
        "chunkSize": seal.chunk_size,
        "objects": seal.objects,
        "bytes": seal.total_bytes,
        "ciphertextRoot": str(seal.ciphertext_root),
        "plaintextRoot": str(seal.plaintext_root),
        "keyCommitment": seal.key_commitment.hex(),
        "keyCustody": custody.value,
    }
    subject = Subject(f"dataset/{seal.dataset}", seal_digest)
    key = f"dataset.sealed/{seal_digest.hex}"  # a repeated post of one seal records once
    return Draft(SEALED, (subject,), claims, STRENGTHS[SEALED], {"name": name}, key)


def opened(dataset: Sealed, code: str) -> Draft:
    """State that a dataset is about to be opened."""
    return _about(OPENED, dataset, {"purpose": purpose(code)})


def verified(dataset: Sealed, verdict: Verdict) -> Draft:
    """State the outcome of a verification."""
    claims = {
        "mode": verdict.mode.value,
        "result": "pass" if verdict.passed else "fail",
        "chunks": verdict.chunks,
        "failed": len(verdict.failures),
    }
    return _about(VERIFIED, dataset, claims)


def provenance(dataset: Sealed, told: Provenance, salt: bytes) -> Draft:
    """State where a dataset comes from; the texts, and the salt of the file's digest, go into the details."""
    source = Digest.of(salt + told.file)
    claims = {"licence": told.licence, "sourceDigest": str(source), "recorded": list(told.recorded)}
    details = {"salt": salt.hex(), **told.texts}
    return _about(PROVENANCE, dataset, claims, details)


def rewrapped(done: Rewrapped) -> Draft:
    """State that every dataset key of this home is wrapped by another key-encryption key now."""
    claims = {
        "kek": done.new,
        "keyCustody": done.custody.value,
        "replaced": done.old,
        "replacedCustody": done.old_custody.value,
        "wrapped": done.wrapped,
        "others": done.others,
        "destroyed": done.destroyed,
    }
    subject = Subject(f"kek/{done.new}", Digest.of(digest.dumps(claims)))
    return Draft(REWRAPPED, (subject,), claims, STRENGTHS[REWRAPPED], idempotency_key=f"kek.rotated/{done.new}")


def erasure_requested(dataset: Sealed, because: str) -> Draft:
    """State that the key of an epoch is going to be destroyed; why goes into the details."""
    if not 1 <= len(because) <= MAX_REASON:
        raise MalformedInput(f"say why, in 1 to {MAX_REASON} characters")
    draft = _about(ERASURE_REQUESTED, dataset, {}, {"because": because})
    return replace(draft, idempotency_key=f"{ERASURE_REQUESTED}/{dataset.seal.hex}")


def erased(dataset: Sealed, requested: Digest, commitment: bytes, gone: Sequence[Destroyed]) -> Draft:
    """State which wrappings of the key of an epoch were destroyed."""
    wrappings = [{"place": one.place, "kek": one.kek, "digest": str(one.digest)} for one in gone]
    claims = {"requested": str(requested), "keyCommitment": commitment.hex(), "wrappings": wrappings}
    draft = _about(ERASED, dataset, claims)
    return replace(draft, idempotency_key=f"{ERASED}/{dataset.seal.hex}")


def _about(
    name: PredicateName, dataset: Sealed, claims: dict[str, Any], details: Mapping[str, Any] | None = None
) -> Draft:
    head = {"dataset": dataset.dataset, "epoch": dataset.epoch}
    return Draft(name, (dataset.subject,), head | claims, STRENGTHS[name], details or {})


def one_of(*allowed: object) -> Callable[[object], object]:
    """Return the check of a claim with a few possible values, each of its own type."""

    def check(value: object) -> object:
        if not any(type(value) is type(known) and value == known for known in allowed):
            raise MalformedInput(f"it is one of {', '.join(map(str, allowed))}")
        return value

    return check


def flag(value: object) -> bool:
    """Check a yes or no."""
    if not isinstance(value, bool):
        raise MalformedInput("it is true or false")
    return value


def count(value: object) -> int:
    """Check a number of things."""
    if type(value) is not int or value < 0:
        raise MalformedInput("it is a number, at least 0")
    return value


def tagged(value: object) -> Digest:
    """Check a digest that says its algorithm."""
    found = Digest.parse(value)
    if str(found) != value:
        raise MalformedInput("it is written sha256:<hex>")
    return found


def hex_digest(value: object) -> object:
    """Check 32 bytes as bare digits."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise MalformedInput("it has 64 hexadecimal digits")
    return value


def _destroyed(value: object) -> object:
    if not isinstance(value, list) or len(value) > MAX_DESTROYED:
        raise MalformedInput(f"it lists at most {MAX_DESTROYED} wrappings")
    for one in value:
        match one:
            case {"place": "key.json" | "staging", "kek": kek, "digest": found, **rest} if not rest:
                object_id(kek)
                tagged(found)
            case _:
                raise MalformedInput("a wrapping has place, kek and digest")
    return value


def _recorded(value: object) -> object:
    if not isinstance(value, list) or value != sorted(set(PARTS).intersection(map(str, value))):
        raise MalformedInput(f"it lists, sorted, which of {', '.join(PARTS)} are filled in")
    return value


_HEAD: dict[str, Callable[[object], object]] = {"dataset": dataset_id, "epoch": epoch_number}
_SHAPES: dict[PredicateName, dict[str, Callable[[object], object]]] = {
    SEALED: _HEAD
    | {
        "suite": one_of(SUITE),
        "chunkSize": one_of(*CHUNK_SIZES),
        "objects": count,
        "bytes": count,
        "ciphertextRoot": tagged,
        "plaintextRoot": tagged,
        "keyCommitment": hex_digest,
        "keyCustody": one_of(*(custody.value for custody in Custody)),
    },
    PROVENANCE: _HEAD | {"licence": licence_token, "sourceDigest": tagged, "recorded": _recorded},
    OPENED: _HEAD | {"purpose": purpose},
    VERIFIED: _HEAD
    | {
        "mode": one_of(*(mode.value for mode in Mode)),
        "result": one_of("pass", "fail"),
        "chunks": count,
        "failed": count,
    },
    ERASURE_REQUESTED: _HEAD,
    ERASED: _HEAD | {"requested": tagged, "keyCommitment": hex_digest, "wrappings": _destroyed},
    REWRAPPED: {
        "kek": object_id,
        "keyCustody": one_of(*(custody.value for custody in Custody)),
        "replaced": object_id,
        "replacedCustody": one_of(*(custody.value for custody in Custody)),
        "wrapped": count,
        "others": count,
        "destroyed": flag,
    },
}


def claims_of(statement: Statement, expected: PredicateName) -> Mapping[str, Any]:
    """Return the claims of a statement if they are well formed and of the strength that the evidence type has."""
    if statement.predicate != expected:
        raise MalformedInput(f"this address takes {expected}, not {statement.predicate}")
    if statement.issuance.strength is not STRENGTHS[expected]:
        raise Refused(f"{expected} has strength {STRENGTHS[expected].text}, not {statement.issuance.strength.text}")
    return shaped(statement, _SHAPES[expected])


def shaped(statement: Statement, shape: Mapping[str, Callable[[object], object]]) -> Mapping[str, Any]:
    """Return the claims of a statement if they are exactly those of a shape, and each passes its check."""
    claims = statement.claims
    if claims.keys() != shape.keys():
        raise MalformedInput(f"the claims of {statement.predicate} are {', '.join(shape)}")
    for name, check in shape.items():
        try:
            check(claims[name])
        except UsageError as error:
            raise MalformedInput(f"claim {name}: {error}") from error
    return claims


def read_sealed(statement: Statement, name: DatasetName) -> Sealed:
    """Return what a `dataset.sealed` statement says."""
    claims = claims_of(statement, SEALED)
    dataset = Sealed(
        dataset=dataset_id(claims["dataset"]),
        name=name,
        epoch=claims["epoch"],
        seal=statement.subjects[0].digest,
        objects=claims["objects"],
        total_bytes=claims["bytes"],
        ciphertext_root=Digest.parse(claims["ciphertextRoot"]),
        key_custody=Custody(claims["keyCustody"]),
    )
    _check_subject(statement, dataset)
    return dataset


def check_about(statement: Statement, expected: PredicateName, dataset: Sealed) -> Statement:
    """Return a statement that is about the seal of this epoch, or raise."""
    claims = claims_of(statement, expected)
    _check_subject(statement, dataset)
    if (claims["dataset"], claims["epoch"]) != (dataset.dataset, dataset.epoch):
        raise Refused(f"the seal that it names is of epoch {dataset.epoch} of this dataset, and of no other")
    if expected == VERIFIED and (claims["result"] == "pass") != (claims["failed"] == 0):
        raise MalformedInput("a verification passes exactly where nothing failed")
    return statement


def _check_subject(statement: Statement, dataset: Sealed) -> None:
    if statement.subjects != (dataset.subject,):
        raise Refused("the statement's subject is not the seal of this epoch")


def to_json(dataset: Sealed) -> dict[str, Any]:
    """Return the form in which the API and every front end show a dataset."""
    return {
        "dataset": dataset.dataset,
        "name": dataset.name,
        "epoch": dataset.epoch,
        "seal": str(dataset.seal),
        "objects": dataset.objects,
        "bytes": dataset.total_bytes,
        "ciphertext_root": str(dataset.ciphertext_root),
        "key_custody": dataset.key_custody.value,
        "erasure": dataset.erasure and {"requested": str(dataset.erasure.requested), "state": _state(dataset.erasure)},
    }


def from_json(document: Any) -> Sealed:
    """Read that form back; raise `MalformedInput`."""
    match document:
        case {"objects": int() as objects, "bytes": int() as total, "key_custody": str() as custody} if custody in {
            known.value for known in Custody
        }:
            return Sealed(
                dataset=dataset_id(document.get("dataset")),
                name=dataset_name(document.get("name")),
                epoch=epoch_number(document.get("epoch")),
                seal=Digest.parse(document.get("seal")),
                objects=objects,
                total_bytes=total,
                ciphertext_root=Digest.parse(document.get("ciphertext_root")),
                key_custody=Custody(custody),
                erasure=_erasure(document.get("erasure")),
            )
        case _:
            raise MalformedInput("the answer does not describe a dataset; is this the API of Ringfence?")


def _state(erasure: Erasure) -> str:
    if erasure.done:
        return "done"
    return "held" if erasure.held else "requested"


def _erasure(document: Any) -> Erasure | None:
    match document:
        case None:
            return None
        case {"requested": requested, "state": "requested" | "held" | "done" as state}:
            return Erasure(Digest.parse(requested), done=state == "done", held=state == "held")
        case _:
            raise MalformedInput("the answer does not say what became of an erasure")
