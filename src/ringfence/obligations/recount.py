"""Count again, from the statements of people, what a statement of a service says that they decided. Pure.

A key of the control plane cannot make up a decision of the body: each vote is a person's own, signed by passkey, and
names the opening, which a person signed too. Members, quorum and what was shown are those of the opening.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ringfence.kernel import assertion, voting
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import person_id
from ringfence.kernel.voting import Ballot, Choice, Rule
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.model import Claims
from ringfence.obligations.rule import claim

_KEPT = ("resolution", "about", "eligible", "quorum", "agreementsNeeded", "measureSet", "shown", "tasksOverdue")


@dataclass(frozen=True, slots=True)
class Recounted:
    """What the statements of people show of a decision: what is wrong with it, or nothing; and which they are."""

    wrong: str = ""
    rests_on: tuple[LoggedStatement, ...] = field(default=())


def recount(
    decision: LoggedStatement, openings: Iterable[LoggedStatement], votes: Iterable[LoggedStatement]
) -> Recounted:
    """Return whether a decision is what people signed; `openings` and `votes` are the statements that count."""
    claims = decision.envelope.statement.claims
    named = claim(claims, "opening")
    opening = next((one for one in _before(openings, decision) if str(one.envelope.digest) == named), None)
    if opening is None:
        return Recounted("no person signed the resolution that it names")
    terms = opening.envelope.statement.claims
    if differs := next((name for name in _KEPT if not _same(claim(claims, name), claim(terms, name))), None):
        return Recounted(f"it does not say what was put to the body: {differs} is another", (opening,))
    try:
        rule = _rule(terms)
    except MalformedInput as error:
        return Recounted(str(error), (opening,))
    if left_out := _left_out(terms, rule):
        return Recounted(left_out, (opening,))
    cast = [one for one in _before(votes, decision) if claim(one.envelope.statement.claims, "opening") == named]
    stands = voting.standing(rule, _ballots(sorted(cast, key=lambda one: one.entry), opening))
    kept = {ballot.envelope for ballot in stands.values()}
    rests_on = (opening, *(one for one in cast if one.envelope.digest in kept))
    return Recounted(_counted_otherwise(claims, rule, stands.values()), rests_on)


def _before(found: Iterable[LoggedStatement], decision: LoggedStatement) -> Iterator[LoggedStatement]:
    return (one for one in found if one.entry < decision.entry)


def _rule(terms: Claims) -> Rule:
    members, quorum, agreements = (claim(terms, name) for name in ("members", "quorum", "agreementsNeeded"))
    if not isinstance(members, list) or type(quorum) is not int or type(agreements) is not int:
        raise MalformedInput("the resolution names no members and no rule")
    rule = Rule(frozenset(map(person_id, members)), quorum, agreements)
    rule.check()
    return rule


def _left_out(terms: Claims, rule: Rule) -> str:
    """Say that the body was not asked as a whole; whoever opens a resolution must not choose who decides."""
    eligible = claim(terms, "eligible")
    if type(eligible) is int and eligible <= len(rule.members):
        return ""
    return f"{len(rule.members)} members were named, and {eligible} people had the role management"


def _ballots(cast: Iterable[LoggedStatement], opening: LoggedStatement) -> Iterator[Ballot]:
    """Yield the votes that members signed with a passkey of their own, after the resolution was put to them."""
    for one in cast:
        claims, issuer = one.envelope.statement.claims, one.issuer
        choice, corrects = claim(claims, "choice"), claim(claims, "corrects")
        if issuer is None or issuer.person is None or issuer.algorithm != assertion.ALGORITHM:
            continue
        if one.entry > opening.entry and choice in list(Choice) and isinstance(corrects, str):
            try:
                before = Digest.parse(corrects) if corrects else None
            except MalformedInput:
                continue
            yield Ballot(issuer.person, Choice(choice), one.envelope.digest, before)


def _counted_otherwise(claims: Claims, rule: Rule, stands: Iterable[Ballot]) -> str:
    found = list(stands)
    counted = voting.tally({ballot.person: ballot for ballot in found})
    expected: dict[str, Any] = {
        "members": len(rule.members),
        "voted": counted.voted,
        "inFavour": counted.agreed,
        "against": counted.against,
        "abstained": counted.abstained,
        "votes": sorted(str(ballot.envelope) for ballot in found),
        "outcome": voting.outcome(rule, counted).value,
    }
    for name, value in expected.items():
        if not _same(claim(claims, name), value):
            said = "is not theirs" if isinstance(value, list) else f"is {value} by the votes that members signed"
            return f"the votes were counted otherwise: {name} {said}"
    return ""


def _same(value: Any, wanted: Any) -> bool:
    return type(value) is type(wanted) and bool(value == wanted)
