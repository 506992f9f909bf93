"""Whether each act of two people in a pack is one: docs/specs/signed-act.md, section 6. Pure.

The control plane says what came of an act, and that two people signed. Both halves are in the log: they are looked at.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ringfence.kernel.errors import RingfenceError, VerificationFailed
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.two_person import Half, TwoPersonAct, check
from ringfence.ledger.issuers import Issuers, fold
from ringfence.ledger.model import LoggedStatement, Standing
from ringfence.reports.model import Failure, Verification

WITHIN = timedelta(hours=24)
RELEASED = PredicateName("quarantine.released")
_HALVES = {
    "request": PredicateName("quarantine.release_requested"),
    "approval": PredicateName("quarantine.release_approved"),
}


def unpaired(outcome: Verification) -> Iterator[Failure]:
    """Yield each effect of an act that is said to be of two people, and is not.

    One that says `bootstrap` promises no two people. Halves of which a pack with a scope shows the digest only are not
    looked for.
    """
    stated = {str(logged.envelope.digest): logged for logged in outcome.statements}
    issuers = fold(((each.recorded_at, each.envelope) for each in outcome.statements), outcome.header.root)
    for logged in outcome.statements:
        statement = logged.envelope.statement
        if statement.predicate != RELEASED or statement.claims.get("bootstrap") is not False:
            continue
        if outcome.outlined and not all(statement.claims.get(name) in stated for name in _HALVES):
            continue
        try:
            _check(logged, stated, issuers)
        except RingfenceError as error:
            yield Failure(f"entry {logged.entry} is said to be an act of two people: {error}")


def _check(effect: LoggedStatement, stated: Mapping[str, LoggedStatement], issuers: Issuers) -> None:
    claims = effect.envelope.statement.claims
    asked, agreed = (_named(claims, name, stated) for name in _HALVES)
    if agreed.envelope.statement.claims.get("request") != claims["request"]:
        raise VerificationFailed("its approval approves another request")
    act = TwoPersonAct(_half(asked, issuers), _half(agreed, issuers))
    check(act, established=0, within=WITHIN)
    if act.asked.subject != effect.envelope.statement.subjects[0].digest:
        raise VerificationFailed("its halves are about something else")
    if act.bootstrap:
        raise VerificationFailed("a credential was younger than 24 hours, and it does not say so")


def _named(claims: Mapping[str, Any], name: str, stated: Mapping[str, LoggedStatement]) -> LoggedStatement:
    found = stated.get(str(claims.get(name)))
    if found is None:
        raise VerificationFailed(f"its {name} is not in the pack")
    if found.envelope.statement.predicate != _HALVES[name]:
        raise VerificationFailed(f"its {name} is no {_HALVES[name]}")
    return found


def _half(logged: LoggedStatement, issuers: Issuers) -> Half:
    statement, issuer = logged.envelope.statement, logged.issuer
    if issuer is None or issuer.person is None or logged.standing is not Standing.TRUSTED:
        raise VerificationFailed("a half is signed by no person whose key was in force")
    known_since = issuers.enrolments[logged.envelope.signer].recorded_at
    at = statement.issuance.issued_at
    return Half(issuer.person, statement.subjects[0].digest, at, issuer.algorithm, known_since, issuer.enrolled_by)
