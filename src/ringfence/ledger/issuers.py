"""Whose signature counts, and when: a fold over the `key.enrolled` and `key.revoked` statements of the log.

The root enrols keys; a person's own key in force enrols passkeys of that same person, and no other key enrols any. The
root, control-plane and emergency keys revoke them. A statement about keys that does not count never stops the fold; it
is kept with the reason, to be shown.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ringfence.kernel import assertion, identifier
from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import ED25519, Envelope, key_id_of
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.identifier import KeyId, PredicateName
from ringfence.kernel.statement import KeyRole, Statement, Subject
from ringfence.ledger import note
from ringfence.ledger.model import ROOT, Issuer, Standing

ENROLLED = PredicateName("key.enrolled")
REVOKED = PredicateName("key.revoked")
REVOKERS = frozenset({KeyRole.ROOT, KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY})
PERSONAL = frozenset({KeyRole.OPERATOR, KeyRole.EMERGENCY})  # keys that may belong to one person
CUSTODIES = frozenset({"file-plain", "file-passphrase", "pkcs11", "external", "exported"})
AUTHENTICATOR = "authenticator"  # the custody of passkeys; whether their maker copies them elsewhere, is not known
PINNED = "pinned"  # the root's custody, as seen by who holds only its public key

_REASON = re.compile(r"[a-z][a-z0-9-]{0,63}")
_ENROLMENT = frozenset({"role", "algorithm", "publicKey", "validFrom", "validUntil", "custody"})
_OF_PASSKEYS = frozenset({"person", "rpId", "origin", "enrolledBy"})
_RP_ID = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_ORIGIN = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[1-9][0-9]{0,4})?")
_REVOCATION = frozenset({"keyId", "reason", "at"})


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An issuer, and when the log learnt of it."""

    issuer: Issuer
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Revocation:
    """The claims of a `key.revoked` statement."""

    key: KeyId
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Disregarded:
    """A statement about keys that counts for nothing, and why."""

    envelope: Digest
    reason: str


class Basis(StrEnum):
    """Whose clock says that a statement is older than the end of its key."""

    OUTSIDE = "outside"  # another party's time stamp or cosignature covers it, from before the end
    LOG = "log"  # the log's own time alone: whoever holds the ledger keys could have moved it


@dataclass(frozen=True, slots=True)
class Judged:
    """What a key was worth for one statement, and on whose word that rests."""

    standing: Standing
    basis: Basis
    issuer: Issuer | None


@dataclass(frozen=True, slots=True)
class Issuers:
    """The keys that the log knows; the root is known from outside."""

    root: Issuer
    enrolments: Mapping[KeyId, Enrolment] = field(default_factory=dict)
    disregarded: tuple[Disregarded, ...] = ()

    def at(self, key: KeyId, when: datetime) -> tuple[Standing, Issuer | None]:
        """Return what `key` was worth for a statement that the log took in at `when`."""
        if key == self.root.key:
            return Standing.TRUSTED, self.root
        enrolment = self.enrolments.get(key)
        if enrolment is None or when < enrolment.recorded_at:
            return Standing.UNKNOWN, None
        issuer = enrolment.issuer
        if issuer.revoked_at is not None and when >= issuer.revoked_at:
            return Standing.REVOKED, issuer
        if when < issuer.valid_from:
            return Standing.NOT_YET_VALID, issuer
        return (Standing.TRUSTED if when < issuer.valid_until else Standing.EXPIRED), issuer

    def judged(self, key: KeyId, recorded_at: datetime, stamped_at: datetime | None) -> Judged:
        """Return what `key` was worth for a statement, with the word that it rests on.

        A time stamp can only confirm: it proves that the statement was there by `stamped_at`. What the log dates after
        the end of the key stays worthless, whatever is stamped.

        Args:
            key: that signed.
            recorded_at: when the log says that it took the statement in.
            stamped_at: the earliest time that another party gives for a head that covers it; None where none does.
        """
        standing, issuer = self.at(key, recorded_at)
        if issuer is None or standing is not Standing.TRUSTED:
            return Judged(standing, Basis.LOG, issuer)
        ends = min(issuer.valid_until, issuer.revoked_at or issuer.valid_until)
        confirmed = stamped_at is not None and stamped_at < ends
        return Judged(standing, Basis.OUTSIDE if confirmed else Basis.LOG, issuer)

    def after(self, recorded_at: datetime, envelope: Envelope) -> "Issuers":
        """Return the issuers once the log has taken in `envelope`; most statements change nothing."""
        steps = {ENROLLED: _enrol, REVOKED: _revoke}
        step = steps.get(envelope.statement.predicate)
        if step is None:
            return self
        try:
            enrolment = step(self, recorded_at, envelope)
        except (MalformedInput, VerificationFailed) as error:
            return replace(self, disregarded=(*self.disregarded, Disregarded(envelope.digest, str(error))))
        return replace(self, enrolments={**self.enrolments, enrolment.issuer.key: enrolment})


def start(root: bytes) -> Issuers:
    """Return the issuers of an empty log whose raw root key is `root`."""
    always = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    return Issuers(Issuer(key_id_of(root), KeyRole.ROOT, root, *always, custody=PINNED))


def fold(logged: Iterable[tuple[datetime, Envelope]], root: bytes) -> Issuers:
    """Return the issuers after all statements of a log, given as (recorded at, envelope) in log order."""
    issuers = start(root)
    for recorded_at, envelope in logged:
        issuers = issuers.after(recorded_at, envelope)
    return issuers


def parse_enrolment(statement: Statement) -> Issuer:
    """Parse the claims of a `key.enrolled` statement strictly, or raise `MalformedInput`."""
    claims = statement.claims
    if claims.get("algorithm") == assertion.ALGORITHM:
        return _parse_passkey(statement)
    if not claims.keys() >= _ENROLMENT or claims.keys() - _ENROLMENT - {"person", "mlDsa44PublicKey"}:
        raise MalformedInput("key.enrolled has the claims " + ", ".join(sorted(_ENROLMENT)))
    public_key = note.decode_base64(_text(claims["publicKey"], "publicKey"), "publicKey")
    role, custody = _role(claims["role"]), _text(claims["custody"], "custody")
    if claims["algorithm"] != ED25519 or len(public_key) != 32:
        raise MalformedInput("a key of an issuer is an Ed25519 key of 32 bytes, or a passkey")
    if custody not in CUSTODIES:
        raise MalformedInput(f"custody is one of {', '.join(sorted(CUSTODIES))}")
    _check_second_key(claims, role)
    life = _life(claims)
    return Issuer(_subject(statement, public_key), role, public_key, *life, custody, _person(claims, role))


def _parse_passkey(statement: Statement) -> Issuer:
    claims = statement.claims
    if claims.keys() != _ENROLMENT | _OF_PASSKEYS:
        raise MalformedInput("key.enrolled of a passkey has the claims " + ", ".join(sorted(_ENROLMENT | _OF_PASSKEYS)))
    public_key = note.decode_base64(_text(claims["publicKey"], "publicKey"), "publicKey")
    if len(public_key) != assertion.POINT_SIZE or claims["role"] != KeyRole.OPERATOR:
        raise MalformedInput("a passkey is a point of P-256 of 65 bytes, and signs as an operator")
    if claims["custody"] != AUTHENTICATOR:
        raise MalformedInput(f"the custody of a passkey is {AUTHENTICATOR}")
    rp_id, origin = _text(claims["rpId"], "rpId"), _text(claims["origin"], "origin")
    host = origin.partition("://")[2].partition(":")[0]
    within = host == rp_id or host.endswith(f".{rp_id}")
    if not _RP_ID.fullmatch(rp_id) or not _ORIGIN.fullmatch(origin) or not within:
        raise MalformedInput("origin is a page such as https://HOST[:PORT], and rpId its host, or a domain above it")
    person, by = identifier.person_id(claims["person"]), _text(claims["enrolledBy"], "enrolledBy")
    if by not in {ROOT, person}:
        raise MalformedInput("a passkey is enrolled by the root or by its own person, never by another one")
    return Issuer(
        _subject(statement, public_key),
        KeyRole.OPERATOR,
        public_key,
        *_life(claims),
        AUTHENTICATOR,
        person,
        algorithm=assertion.ALGORITHM,
        rp_id=rp_id,
        origin=origin,
        enrolled_by=by,
    )


def _life(claims: Mapping[str, Any]) -> tuple[datetime, datetime]:
    valid_from, valid_until = from_text(claims["validFrom"]), from_text(claims["validUntil"])
    if valid_from >= valid_until:
        raise MalformedInput("a key is valid from a time before it is valid until")
    return valid_from, valid_until


def _subject(statement: Statement, public_key: bytes) -> KeyId:
    key = key_id_of(public_key)
    if statement.subjects != (Subject(f"key/{key[:16]}", Digest.parse(key)),):
        raise MalformedInput("the subject of key.enrolled is the key itself")
    return key


def parse_revocation(statement: Statement) -> Revocation:
    """Parse the claims of a `key.revoked` statement strictly, or raise `MalformedInput`."""
    claims = statement.claims
    if claims.keys() != _REVOCATION:
        raise MalformedInput("key.revoked has the claims " + ", ".join(sorted(_REVOCATION)))
    reason = _text(claims["reason"], "reason")
    if not _REASON.fullmatch(reason):
        raise MalformedInput("reason is a short code such as compromised or superseded")
    return Revocation(identifier.key_id(claims["keyId"]), reason, from_text(claims["at"]))


def _enrol(issuers: Issuers, recorded_at: datetime, envelope: Envelope) -> Enrolment:
    issuer = check_enrolment(issuers, recorded_at, envelope)
    # One enrolment per key: a second one could change a role, or bring an expired or revoked key back to life.
    if issuer.key in issuers.enrolments or issuer.key == issuers.root.key:
        raise VerificationFailed("the key is enrolled already; a key has one enrolment for ever")
    return Enrolment(issuer, recorded_at)


def check_enrolment(issuers: Issuers, at: datetime, envelope: Envelope) -> Issuer:
    """Return the key that `envelope` enrols where whoever signed it may enrol it at a time; raise where not."""
    if envelope.signer == issuers.root.key:
        issuer = parse_enrolment(issuers.root.verify(envelope))
        if issuer.enrolled_by != ROOT:
            raise VerificationFailed("the root signed the enrolment, and it names somebody else")
        return issuer
    standing, enroller = issuers.at(envelope.signer, at)
    if enroller is None or standing is not Standing.TRUSTED or enroller.role is not KeyRole.OPERATOR:
        raise VerificationFailed("only the root enrols keys, and a person's own key that is in force a passkey")
    issuer = parse_enrolment(enroller.verify(envelope))
    if issuer.algorithm != assertion.ALGORITHM or issuer.person != enroller.person or issuer.person is None:
        raise VerificationFailed("a person's key enrols passkeys of that same person, and nothing else")
    if issuer.enrolled_by != enroller.person:
        raise VerificationFailed("a person's key signed the enrolment, and it names somebody else")
    return issuer


def _revoke(issuers: Issuers, recorded_at: datetime, envelope: Envelope) -> Enrolment:
    standing, revoker = issuers.at(envelope.signer, recorded_at)
    if revoker is None or standing is not Standing.TRUSTED or revoker.role not in REVOKERS:
        raise VerificationFailed("the key that signed the revocation may not revoke keys")
    revocation = parse_revocation(revoker.verify(envelope))
    enrolment = issuers.enrolments.get(revocation.key)
    if enrolment is None:
        raise VerificationFailed("the key to be revoked is not enrolled")
    issuer = enrolment.issuer
    # A key lost on Monday and revoked on Wednesday is worth nothing from Monday on: `at` counts. A revocation dated
    # into the future counts as soon as it is known, since nobody relies on a key that its owner has given up.
    # It never counts before the enrolment: statements from before then are those of an unknown key already.
    since = max(enrolment.recorded_at, min(revocation.at, recorded_at))
    if issuer.revoked_at is not None:
        since = min(since, issuer.revoked_at)
    return replace(enrolment, issuer=replace(issuer, revoked_at=since))


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise MalformedInput(f"{name} is text")
    return value


def _role(value: Any) -> KeyRole:
    roles = {role.value: role for role in KeyRole if role is not KeyRole.ROOT}
    if not isinstance(value, str) or value not in roles:
        raise MalformedInput(f"role is one of {', '.join(roles)}; the root is enrolled by nobody")
    return roles[value]


def _person(claims: Mapping[str, Any], role: KeyRole) -> identifier.PersonId | None:
    if "person" not in claims:
        return None
    if role not in PERSONAL:
        raise MalformedInput(f"a key of the role {role} belongs to no person")
    return identifier.person_id(claims["person"])


def _check_second_key(claims: Mapping[str, Any], role: KeyRole) -> None:
    if "mlDsa44PublicKey" not in claims:
        return
    second = note.decode_base64(_text(claims["mlDsa44PublicKey"], "mlDsa44PublicKey"), "mlDsa44PublicKey")
    if role is not KeyRole.LEDGER or len(second) != note.KEY_SIZES[note.SignatureType.ML_DSA_44]:
        raise MalformedInput("only the key of the ledger has an ML-DSA-44 key beside it, of 1312 bytes")
