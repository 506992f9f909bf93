"""Whose signature counts, and when: a fold over the `key.enrolled` and `key.revoked` statements of the log.

The root enrols keys; a person's own key in force enrols passkeys of that same person, and no other key enrols any. The
root, control-plane and emergency keys revoke them. A statement about keys that does not count never stops the fold; it
is kept with the reason, to be shown. Of a compromised key counts what another party saw before that: who stole it, and
runs the log, dates statements back.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ringfence.kernel import assertion, identifier
from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import ED25519, Envelope, key_id_of
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.identifier import KeyId, PredicateName
from ringfence.kernel.statement import KeyRole, Statement, Subject
from ringfence.ledger import books, note
from ringfence.ledger.model import ROOT, Issuer, Standing, Vouched

ENROLLED = PredicateName("key.enrolled")
REVOKED = PredicateName("key.revoked")
REVOKERS = frozenset({KeyRole.ROOT, KeyRole.CONTROL_PLANE, KeyRole.EMERGENCY})
PERSONAL = frozenset({KeyRole.OPERATOR, KeyRole.EMERGENCY})  # keys that may belong to one person
COMPROMISED = "compromised"  # the reason of a revocation: somebody else had the key
CUSTODIES = frozenset({"file-plain", "file-passphrase", "pkcs11", "external", "exported"})
MAX_LINKS = 256  # of passkeys that enrolled one another; a chain beyond that is somebody who wants to keep us busy
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
    by: KeyId  # that signed the enrolment
    entry: int | None = None  # of the enrolment; None where whoever folds does not know it

    def follows(self, entry: int | None) -> bool:
        """Tell whether the log took the enrolment in behind an entry, which may be of the same millisecond."""
        return self.entry is not None and entry is not None and entry < self.entry


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


@dataclass(frozen=True, slots=True)
class Issuers:
    """The keys that the log knows; the root is known from outside."""

    root: Issuer
    enrolments: Mapping[KeyId, Enrolment] = field(default_factory=dict)
    disregarded: tuple[Disregarded, ...] = ()

    def at(self, key: KeyId, when: datetime, entry: int | None = None) -> tuple[Standing, Issuer | None]:
        """Return what `key` was worth for a statement that the log took in at `when`.

        Without its `entry`, nothing shows that a statement is older than the compromise of its key.
        """
        standing, issuer = self._alone(key, when, entry)
        return (self.origin(key) if standing is Standing.TRUSTED else standing), issuer

    def _alone(self, key: KeyId, when: datetime, entry: int | None) -> tuple[Standing, Issuer | None]:
        """Return what a key was worth, whoever enrolled it."""
        if key == self.root.key:
            return Standing.TRUSTED, self.root
        enrolment = self.enrolments.get(key)
        if enrolment is None or when < enrolment.recorded_at or enrolment.follows(entry):
            return Standing.UNKNOWN, None
        issuer = enrolment.issuer
        if issuer.revoked_at is not None and when >= issuer.revoked_at:
            return Standing.REVOKED, issuer
        if when < issuer.valid_from:
            return Standing.NOT_YET_VALID, issuer
        if when >= issuer.valid_until:
            return Standing.EXPIRED, issuer
        proven = issuer.compromised_at is None or issuer.vouched_for(entry) is not None
        return (Standing.TRUSTED if proven else Standing.UNPROVEN), issuer

    def origin(self, key: KeyId) -> Standing:
        """Return what the keys that led to a key's enrolment were worth then: the weakest link up to the root."""
        for _ in range(MAX_LINKS):
            enrolment = self.enrolments.get(key)
            if enrolment is None or enrolment.by == self.root.key:
                return Standing.TRUSTED
            standing, _issuer = self._alone(enrolment.by, enrolment.recorded_at, enrolment.entry)
            if standing is not Standing.TRUSTED:
                return standing
            key = enrolment.by
        return Standing.UNKNOWN

    def proven(self, vouched: Callable[[datetime], Vouched | None]) -> "Issuers":
        """Return the issuers with what another party vouched for before the end of each key that was revoked."""
        known = {
            key: replace(each, issuer=replace(each.issuer, vouched=vouched(each.issuer.ends_at)))
            for key, each in self.enrolments.items()
            if each.issuer.ends_at is not None
        }
        return replace(self, enrolments={**self.enrolments, **known}) if known else self

    @property
    def ended_at(self) -> datetime | None:
        """Return the newest of the times before which statements of revoked keys have to exist."""
        return max((at for one in self.enrolments.values() if (at := one.issuer.ends_at)), default=None)

    def after(self, recorded_at: datetime, envelope: Envelope, entry: int | None = None) -> "Issuers":
        """Return the issuers once the log has taken in `envelope`; most statements change nothing."""
        steps = {ENROLLED: _enrol, REVOKED: _revoke}
        step = steps.get(envelope.statement.predicate)
        if step is None:
            return self
        try:
            enrolment = step(self, recorded_at, envelope, entry)
        except (MalformedInput, VerificationFailed) as error:
            return replace(self, disregarded=(*self.disregarded, Disregarded(envelope.digest, str(error))))
        return replace(self, enrolments={**self.enrolments, enrolment.issuer.key: enrolment})


def start(root: bytes) -> Issuers:
    """Return the issuers of an empty log whose raw root key is `root`."""
    always = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    return Issuers(Issuer(key_id_of(root), KeyRole.ROOT, root, *always, custody=PINNED))


def fold(logged: Iterable[tuple[datetime, Envelope] | tuple[datetime, Envelope, int]], root: bytes) -> Issuers:
    """Return the issuers after all statements of a log, given as (recorded at, envelope[, entry]) in log order."""
    issuers = start(root)
    for item in logged:
        issuers = issuers.after(*item)
    return issuers


def parse_enrolment(statement: Statement) -> Issuer:
    """Parse the claims of a `key.enrolled` statement strictly, or raise `MalformedInput`."""
    claims = statement.claims
    if claims.get("algorithm") == assertion.ALGORITHM:
        return _parse_passkey(statement)
    if not claims.keys() >= _ENROLMENT or claims.keys() - _ENROLMENT - {"person", "mlDsa44PublicKey", books.CLAIM}:
        raise MalformedInput("key.enrolled has the claims " + ", ".join(sorted(_ENROLMENT)))
    public_key = note.decode_base64(_text(claims["publicKey"], "publicKey"), "publicKey")
    role, custody = _role(claims["role"]), _text(claims["custody"], "custody")
    if claims["algorithm"] != ED25519 or len(public_key) != 32:
        raise MalformedInput("a key of an issuer is an Ed25519 key of 32 bytes, or a passkey")
    if custody not in CUSTODIES:
        raise MalformedInput(f"custody is one of {', '.join(sorted(CUSTODIES))}")
    _check_second_key(claims, role)
    books.check_form(claims)
    return Issuer(_subject(statement, public_key), role, public_key, *_life(claims), custody, _person(claims, role))


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
    if statement.subjects != (Subject.of_key(key),):
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


def _enrol(issuers: Issuers, recorded_at: datetime, envelope: Envelope, entry: int | None) -> Enrolment:
    issuer = check_enrolment(issuers, recorded_at, envelope, entry)
    # One enrolment per key: a second one could change a role, or bring an expired or revoked key back to life.
    if issuer.key in issuers.enrolments or issuer.key == issuers.root.key:
        raise VerificationFailed("the key is enrolled already; a key has one enrolment for ever")
    return Enrolment(issuer, recorded_at, envelope.signer, entry)


def check_enrolment(issuers: Issuers, at: datetime, envelope: Envelope, entry: int | None = None) -> Issuer:
    """Return the key that `envelope` enrols where whoever signed it may enrol it at a time; raise where not."""
    if envelope.signer == issuers.root.key:
        issuer = parse_enrolment(issuers.root.verify(envelope))
        if issuer.enrolled_by != ROOT:
            raise VerificationFailed("the root signed the enrolment, and it names somebody else")
        return issuer
    standing, enroller = issuers.at(envelope.signer, at, entry)
    if enroller is None or standing is not Standing.TRUSTED or enroller.role is not KeyRole.OPERATOR:
        raise VerificationFailed("only the root enrols keys, and a person's own key that is in force a passkey")
    issuer = parse_enrolment(enroller.verify(envelope))
    if issuer.algorithm != assertion.ALGORITHM or issuer.person != enroller.person or issuer.person is None:
        raise VerificationFailed("a person's key enrols passkeys of that same person, and nothing else")
    if issuer.enrolled_by != enroller.person:
        raise VerificationFailed("a person's key signed the enrolment, and it names somebody else")
    return issuer


def _revoke(issuers: Issuers, recorded_at: datetime, envelope: Envelope, _: int | None) -> Enrolment:
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
    stolen = [at for at in (issuer.compromised_at, since if revocation.reason == COMPROMISED else None) if at]
    ended = replace(issuer, revoked_at=min(since, issuer.revoked_at or since), compromised_at=min(stolen, default=None))
    return replace(enrolment, issuer=ended)


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
