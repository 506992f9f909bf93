"""Who held which key when, as the log knows it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ringfence.kernel import identifier
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import KeyId, PersonId, PredicateName
from ringfence.kernel.statement import Draft, KeyRole, Statement, Strength, Subject
from ringfence.ledger.issuers import ENROLLED, REVOKED, parse_revocation, start
from ringfence.ledger.model import LoggedStatement, Standing

CUSTODY = PredicateName("key.custody")
PREDICATES = (ENROLLED, REVOKED, CUSTODY)
PLACES = frozenset({"exported", "file-passphrase", "file-plain", "pkcs11", "shares"})

SIGNS = {
    KeyRole.ROOT: "enrols and revokes keys",
    KeyRole.CONTROL_PLANE: "what the services observe; snapshots for the gateway",
    KeyRole.LEDGER: "heads of the log",
    KeyRole.EMERGENCY: "what containment did, marked late",
    KeyRole.GATEWAY: "closed segments of answers",
    KeyRole.OPERATOR: "acts of one person",
}


class State(StrEnum):
    """What has become of a key."""

    IN_FORCE = "in force"
    NOT_YET = "not yet valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a key lay from a time on."""

    since: datetime
    custody: str
    threshold: int = 0  # of shares: so many make the key again
    shares: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """One key: whose it is, what it may sign, where it lay, until when."""

    key: KeyId
    role: KeyRole
    person: PersonId | None
    since: datetime  # when the log learnt of it
    until: datetime  # the end of its validity, or its revocation
    state: State
    reason: str  # of its revocation
    kept: tuple[Kept, ...]

    @property
    def signs(self) -> str:
        """Return what it may sign."""
        return SIGNS[self.role]


def custody_history(statements: Iterable[LoggedStatement], root: bytes, at: datetime) -> tuple[Held, ...]:
    """Return every key that the log knows at a time, in the order in which it learnt of them; the root comes first.

    Args:
        statements: a tenant's, of the types in `PREDICATES` at least, in log order.
        root: the raw public key of the root.
        at: the time; what was recorded later is left out.
    """
    issuers, reasons, moves = start(root), dict[KeyId, str](), list[tuple[KeyId, Kept]]()
    first = None
    for logged in statements:
        if logged.recorded_at > at:
            break
        first = first or logged.recorded_at
        statement, before = logged.envelope.statement, issuers
        issuers = issuers.after(logged.recorded_at, logged.envelope)
        if statement.predicate == REVOKED and issuers.enrolments is not before.enrolments:
            revocation = parse_revocation(statement)
            reasons[revocation.key] = revocation.reason
        elif statement.predicate == CUSTODY and logged.standing is Standing.TRUSTED and (move := moved(logged)):
            moves.append(move)
    named = [issuers.root, *(enrolment.issuer for enrolment in issuers.enrolments.values())]
    since = {key: enrolment.recorded_at for key, enrolment in issuers.enrolments.items()}
    states = {
        Standing.TRUSTED: State.IN_FORCE,
        Standing.NOT_YET_VALID: State.NOT_YET,
        Standing.EXPIRED: State.EXPIRED,
        Standing.REVOKED: State.REVOKED,
        Standing.UNPROVEN: State.REVOKED,  # it was compromised, or a key was that led to it
        Standing.UNKNOWN: State.NOT_YET,
    }
    return tuple(
        Held(
            issuer.key,
            issuer.role,
            issuer.person,
            since.get(issuer.key, first or at),
            min(issuer.valid_until, issuer.revoked_at or issuer.valid_until),
            states[issuers.at(issuer.key, at)[0]],
            reasons.get(issuer.key, ""),
            (
                Kept(since.get(issuer.key, first or at), issuer.custody),
                *(kept for key, kept in moves if key == issuer.key),
            ),
        )
        for issuer in named
    )


def moved(logged: LoggedStatement) -> tuple[KeyId, Kept] | None:
    """Return what a `key.custody` statement says; None where it says it wrongly."""
    try:
        key, kept = parse_custody(logged.envelope.statement)
    except MalformedInput:
        return None
    return key, replace(kept, since=logged.recorded_at)


def in_shares(key: KeyId, threshold: int, shares: int) -> Draft:
    """State that a key lies in shares."""
    claims = {"keyId": key, "custody": "shares", "threshold": threshold, "shares": shares}
    return Draft(CUSTODY, (Subject.of_key(key),), claims, Strength.DOCUMENTED)


def parse_custody(statement: Statement) -> tuple[KeyId, Kept]:
    """Parse the claims of a `key.custody` statement strictly, or raise `MalformedInput`."""
    claims = statement.claims
    place = claims.get("custody")
    wanted = {"keyId", "custody"} | ({"threshold", "shares"} if place == "shares" else set())
    if claims.keys() != wanted or not isinstance(place, str) or place not in PLACES:
        raise MalformedInput("key.custody has the claims keyId and custody, and of shares their threshold and number")
    threshold, shares = claims.get("threshold", 0), claims.get("shares", 0)
    if type(threshold) is not int or type(shares) is not int or (place == "shares" and not 2 <= threshold <= shares):
        raise MalformedInput("the threshold is a number from 2 to that of the shares")
    return identifier.key_id(claims["keyId"]), Kept(statement.issuance.issued_at, place, threshold, shares)
