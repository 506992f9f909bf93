"""What a release stands on: the rule that a person signed, and what became of the keys of both. Pure.

Chosen by the control process, and proven: each of them is in the log under the same head as the release. A control
process that was taken over can leave out what ended a key; it cannot make a rule up that no person signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.kernel.statement import KeyRole, Statement, Strength
from ringfence.keyrelease import rules
from ringfence.keyrelease.model import Rule
from ringfence.keyrelease.statements import NONE
from ringfence.ledger.issuers import ENROLLED, REVOKED, Issuers, fold
from ringfence.ledger.model import LoggedStatement, Standing
from ringfence.reports.logpart import Logged, LogPart, parse_whole, whole
from ringfence.reports.ports import Proofs

MOST_KEYS = 256  # statements about keys that one release rests on


@dataclass(frozen=True, slots=True)
class Grounds:
    """A rule, and statements about keys, each with its place in the log; nothing of it is believed yet."""

    rule: Logged
    keys: tuple[Logged, ...]


def print_grounds(
    log: Proofs, tenant: Tenant, release: LoggedStatement, rule: LoggedStatement, size: int
) -> dict[str, Any]:
    """Print what a release stands on, as far as the log of this size has it."""
    signers = {release.envelope.signer, rule.envelope.signer}
    keys = bearing(log.statements(tenant, (ENROLLED, REVOKED)), signers)
    listed = [whole(log, one, size) for one in keys if one.entry < size]
    return {"rule": whole(log, rule, size), "keys": listed}


def rule_of(release: Statement) -> Digest | None:
    """Return which rule a release names; None where it names none."""
    named = release.claims.get("rule")
    return None if named in {None, NONE} else Digest.parse(named)


def bearing(keys: Sequence[LoggedStatement], wanted: set[KeyId]) -> list[LoggedStatement]:
    """Return the statements about some keys, and about those that signed these, in log order."""
    known = set(wanted)
    while True:
        found = [one for one in keys if about(one.envelope.statement) in known]
        more = {one.envelope.signer for one in found} - known
        if not more:
            return found
        known |= more


def about(statement: Statement) -> str:
    """Return which key a statement enrols or revokes; empty where it does neither."""
    if statement.predicate == ENROLLED:
        return statement.subjects[0].digest.hex
    return str(statement.claims.get("keyId", "")) if statement.predicate == REVOKED else ""


def parse_grounds(document: object) -> Grounds:
    """Parse what `print_grounds` prints, or raise `MalformedInput`."""
    match document:
        case {"rule": rule, "keys": list() as keys, **more} if not more and len(keys) <= MOST_KEYS:
            return Grounds(parse_whole(rule), tuple(map(parse_whole, keys)))
        case _:
            raise MalformedInput("what a release stands on is a rule, and statements about keys", source="order")


def issuers(grounds: Grounds, part: LogPart, root: bytes) -> Issuers:
    """Return what the log says of the keys, as far as it was shown."""
    logged = {one.entry: one for one in (part.enrolment, *grounds.keys)}
    return fold([(one.recorded_at, one.envelope, entry) for entry, one in sorted(logged.items())], root)


def check_rule(grounds: Grounds, part: LogPart, release: Statement, known: Issuers) -> None:
    """Raise `VerificationFailed` unless a person's rule allows what is released."""
    logged = grounds.rule
    if str(logged.envelope.digest) != release.claims.get("rule"):
        raise VerificationFailed("the release names another rule than is given")
    if logged.entry >= part.segment.entry:
        raise VerificationFailed("the rule was signed after the release")
    standing, issuer = known.at(logged.envelope.signer, logged.recorded_at, logged.entry)
    if issuer is None or standing is not Standing.TRUSTED or issuer.role is not KeyRole.OPERATOR:
        raise VerificationFailed("the rule is not signed by a person's key that counted then, or it ended as stolen")
    rule = rules.read(issuer.verify(logged.envelope))
    if lacking := not_allowed(rule, release, part.segment.recorded_at):
        raise VerificationFailed(f"the rule does not allow {', '.join(lacking)}")


def not_allowed(rule: Rule, release: Statement, at: datetime) -> list[str]:
    """Return which claims of a release its rule does not allow."""
    said: Mapping[str, Any] = release.claims
    anywhere = not rule.places
    strength, demo = release.issuance.strength, release.issuance.demo
    allowed = {
        "this dataset": said.get("dataset") == rule.dataset,
        "this purpose": said.get("purpose") in rule.purposes,
        "this workload": said.get("workload") in {str(workload) for workload in rule.workloads},
        "this class of node": said.get("class") in rule.classes,
        "this kind of evidence": said.get("family") in rule.families,
        "this place": anywhere or said.get("place") in rule.places,
        "this kind of place": anywhere or said.get("placeKind") in {kind.value for kind in rule.place_kinds},
        "evidence of this strength": strength is Strength.ATTESTED
        or (strength is Strength.LAB_ATTESTED and demo and rule.software_tpm),
        "a lease of this length": from_text(said.get("expiresAt")) <= at + timedelta(minutes=rule.minutes),
    }
    return [name for name, true in allowed.items() if not true]
