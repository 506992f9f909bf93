"""Check the folder of a dataset against signed statements and the root's key alone: what whoever stores it can do.

The file of statements vouches for nothing by itself: each statement is by a key that the root enrolled, and the root's
key comes by another way, as a trust file. What this cannot see is written in docs/specs/sealed-dataset.md, 10.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ringfence.artifacts import statements
from ringfence.artifacts.model import DatasetId, DatasetName, Erasure, Failure, Mode, Sealed, Verdict
from ringfence.artifacts.ports import Vault
from ringfence.artifacts.verifying import verify
from ringfence.kernel import digest
from ringfence.kernel.clock import from_text
from ringfence.kernel.envelope import ED25519, Envelope, parse
from ringfence.kernel.errors import MalformedInput, NotFound, UsageError, VerificationFailed
from ringfence.kernel.identifier import KeyId, PredicateName, Tenant
from ringfence.kernel.statement import Statement

ENROLLED, REVOKED = PredicateName("key.enrolled"), PredicateName("key.revoked")
FORMAT = "urn:ringfence:dataset-statements:v1"
MAX_FILE = 64 * 2**20
MAX_TRUST = 2 * 2**20
_NAMELESS = DatasetName("dataset")  # the name is a detail, which whoever stores the folder is not told


def signers(keys: Sequence[Envelope], about: Sequence[Envelope]) -> list[Envelope]:
    """Return which enrolments and revocations concern the signers of statements, and those who enrolled them."""
    enrolments = {_subject_key(one.statement): one for one in keys if one.statement.predicate == ENROLLED}
    wanted: set[str] = set()
    for envelope in about:
        signer: str = envelope.signer
        while signer in enrolments and signer not in wanted:
            wanted.add(signer)
            signer = enrolments[KeyId(signer)].signer
    return [one for one in keys if _subject_key(one.statement) in wanted]


def _subject_key(statement: Statement) -> str:
    return statement.subjects[0].digest.hex


def print_statements(envelopes: Sequence[str]) -> bytes:
    """Print the file, from envelopes in base64."""
    return digest.dumps({"format": FORMAT, "statements": list(envelopes)}) + b"\n"


def parse_statements(data: bytes, *, source: str = "") -> list[Envelope]:
    """Parse the file, or raise `MalformedInput`; nothing is verified."""
    match digest.loads(data, source=source, limit=MAX_FILE):
        case {"format": str() as kind, "statements": [*texts], **rest} if kind == FORMAT and not rest:
            return [parse(_decoded(text, source), source=source) for text in texts]
        case _:
            raise MalformedInput("this is not a file of statements on a dataset", source=source)


def root_of(data: bytes, *, source: str = "") -> bytes:
    """Return the root's key from a trust file (docs/specs/trust.md)."""
    match digest.loads(data, source=source, limit=MAX_TRUST):
        case {"format": "urn:ringfence:trust:v1" | "urn:ringfence:trust:v2", "root": str() as text}:
            return _decoded(text, source)
        case _:
            raise MalformedInput("this is not a trust file with the root's key", source=source)


def _decoded(text: object, source: str) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "!", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(f"bad base64: {error}", source=source) from error


@dataclass(frozen=True, slots=True)
class _Key:
    """A key that counts, how it signs, whose it is, and since when until when."""

    algorithm: str
    public_key: bytes
    person: str
    since: datetime
    until: datetime
    place: tuple[str, str]  # the tenant and the log for which it was enrolled
    rp_id: str = ""
    origin: str = ""


def tenants_of(envelopes: Sequence[Envelope]) -> list[Tenant]:
    """Return whose statements on a dataset these are; who reads the outcome has to know whether that is right."""
    about = [one.statement for one in envelopes if one.statement.predicate not in {ENROLLED, REVOKED}]
    return sorted({statement.issuance.tenant for statement in about})


def signed_epochs(envelopes: Sequence[Envelope], root: bytes) -> dict[int, Sealed]:
    """Return the epochs of one dataset that keys of the root's tenant have sealed; raise `VerificationFailed`.

    Every statement in the file has to be good: one that is not makes the whole file a negative verdict.
    """
    keys: dict[KeyId, _Key] = {}
    epochs: dict[int, Sealed] = {}
    commitments: dict[int, str] = {}  # to the key of each epoch
    for envelope in envelopes:
        statement = envelope.statement
        match statement.predicate:
            case "key.enrolled":
                keys[KeyId(_subject_key(statement))] = _enrolled(envelope, keys, root)
            case "key.revoked":
                _revoked(statement, keys)
            case "dataset.sealed" | "dataset.erasure_requested" | "dataset.erased":
                _verify_signed(envelope, keys)
                _fold(statement, envelope, epochs, commitments)
            case other:
                raise VerificationFailed(f"the file holds a statement of type {other}, which says nothing of a dataset")
    if len({sealed.dataset for sealed in epochs.values()}) > 1:
        raise VerificationFailed("the file holds seals of several datasets")
    if len(tenants_of(envelopes)) > 1:
        raise VerificationFailed("the file holds statements of several tenants")
    if missing := set(range(1, max(epochs, default=0) + 1)) - epochs.keys():
        raise VerificationFailed(f"the seal of epoch {min(missing)} is missing in the file")
    return epochs


def _enrolled(envelope: Envelope, keys: Mapping[KeyId, _Key], root: bytes) -> _Key:
    claims = envelope.statement.claims
    match claims:
        case {
            "role": "operator",
            "algorithm": str() as algorithm,
            "publicKey": str() as text,
            "person": str() as person,
            "validFrom": str() as since,
            "validUntil": str() as until,
        }:
            site = str(claims.get("rpId", "")), str(claims.get("origin", ""))
            times = from_text(since), from_text(until)
            found = _Key(algorithm, _decoded(text, ENROLLED), person, *times, _place(envelope), *site)
        case _:
            raise MalformedInput("an enrolment in the file is not of a person's key", source=ENROLLED)
    by = keys.get(envelope.signer)
    if by is None:
        envelope.verify(root)
    elif by.person == person and algorithm != ED25519:  # a person's own key enrols passkeys of theirs, nothing else
        _verify_by(envelope, by)
    else:
        raise VerificationFailed(f"key {envelope.signer[:16]}… enrols a key that is not its owner's passkey")
    if digest.Digest.of(found.public_key).hex != _subject_key(envelope.statement):
        raise VerificationFailed("an enrolment names another key than it holds")
    return found


def _revoked(statement: Statement, keys: dict[KeyId, _Key]) -> None:
    """Let a key count for less: a revocation nobody checked can take trust away, and give none.

    Of a compromised key nothing counts: what it signed before can be told only with a pack and its heads.
    """
    name, claims = KeyId(_subject_key(statement)), statement.claims
    if name in keys:
        until = min(keys[name].until, statement.issuance.issued_at)
        if isinstance(claims.get("at"), str):
            until = min(until, from_text(claims["at"]))
        keys[name] = replace(keys[name], until=keys[name].since if claims.get("reason") == "compromised" else until)


def _verify_signed(envelope: Envelope, keys: Mapping[KeyId, _Key]) -> None:
    key = keys.get(envelope.signer)
    if key is None:
        raise VerificationFailed(f"the root has not enrolled key {envelope.signer[:16]}…, which signed a statement")
    _verify_by(envelope, key)


def _place(envelope: Envelope) -> tuple[str, str]:
    issuance = envelope.statement.issuance
    return issuance.tenant, issuance.log


def _verify_by(envelope: Envelope, key: _Key) -> None:
    envelope.verify_as(key.algorithm, key.public_key, rp_id=key.rp_id, origin=key.origin)
    if _place(envelope) != key.place:  # else an operator of any tenant could seal another one's dataset
        raise VerificationFailed(
            f"key {envelope.signer[:16]}… signed for another tenant or log than it was enrolled for"
        )
    if not key.since <= envelope.statement.issuance.issued_at < key.until:
        raise VerificationFailed(f"key {envelope.signer[:16]}… signed outside of the time for which it was enrolled")


def _fold(statement: Statement, envelope: Envelope, epochs: dict[int, Sealed], commitments: dict[int, str]) -> None:
    if statement.predicate == statements.SEALED:
        sealed = statements.read_sealed(statement, _NAMELESS)
        commitments.setdefault(sealed.epoch, statement.claims["keyCommitment"])
        if epochs.setdefault(sealed.epoch, sealed).seal != sealed.seal:
            raise VerificationFailed(f"epoch {sealed.epoch} was sealed twice")
        return
    about = epochs.get(statement.claims.get("epoch", 0))
    if about is None:
        raise VerificationFailed("an erasure in the file is of an epoch that the file does not hold")
    statements.check_about(statement, PredicateName(statement.predicate), about)
    done = statement.predicate == statements.ERASED
    asked = envelope.digest if about.erasure is None else about.erasure.requested
    if done and statement.claims["keyCommitment"] != commitments[about.epoch]:
        raise VerificationFailed(f"epoch {about.epoch} was sealed under another key than the one that was erased")
    if done and (about.erasure is None or statement.claims["requested"] != str(asked)):
        raise VerificationFailed(f"epoch {about.epoch} was erased, and the file does not hold its announcement")
    done = done or (about.erasure is not None and about.erasure.done)
    epochs[about.epoch] = replace(about, erasure=Erasure(asked, done=done))


@dataclass(frozen=True, slots=True)
class Audited:
    """The outcome for one epoch; without a verdict its folder is missing."""

    sealed: Sealed
    verdict: Verdict


Folders = Callable[[DatasetId, int], AbstractContextManager[Vault]]


def audit(epochs: Mapping[int, Sealed], folders: Folders, present: Sequence[str]) -> Iterator[Audited]:
    """Verify each epoch's folder without a key; a folder that is missing, or that nobody sealed, is a finding."""
    for number, sealed in sorted(epochs.items()):
        try:
            with folders(sealed.dataset, number) as vault:
                verdict = verify(vault, sealed.seal, number, erased=sealed.erased)
        except NotFound:
            verdict = Verdict(Mode.STORAGE, 0, (Failure(f"epoch {number}", "its folder is missing"),))
        except UsageError as error:
            verdict = Verdict(Mode.STORAGE, 0, (Failure(f"epoch {number}", str(error)),))
        yield Audited(sealed, verdict)
    newest = epochs[max(epochs)]
    extra = sorted(set(present) - {str(number) for number in epochs})
    if extra:
        failures = tuple(Failure(name, "no statement speaks of this") for name in extra)
        yield Audited(newest, Verdict(Mode.STORAGE, 0, failures))


def to_json(found: Sequence[Audited]) -> dict[str, Any]:
    """Return the form in which it is printed."""
    rows = [
        {
            "epoch": one.sealed.epoch,
            "seal": str(one.sealed.seal),
            "chunks": one.verdict.chunks,
            "failed": [failure.to_json() for failure in one.verdict.failures],
        }
        for one in found
    ]
    passed = all(one.verdict.passed for one in found)
    return {"dataset": found[0].sealed.dataset, "result": "pass" if passed else "fail", "epochs": rows}
