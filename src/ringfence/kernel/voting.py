"""How a body decides: who is asked, how many must take part and agree, and which ballots stand. Pure.

One member, one vote. A vote is corrected only by a later one that names the one it corrects; so a vote that is sent
twice counts once, whoever sends it, and the log alone tells which ones stand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId

MAX_MEMBERS = 100


class Choice(StrEnum):
    """What a member says."""

    AGREE = "agree"
    DISAGREE = "disagree"
    ABSTAIN = "abstain"


class Outcome(StrEnum):
    """What a body decided."""

    APPROVED = "approved"
    REJECTED = "rejected"
    NO_QUORUM = "no-quorum"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who is asked, and what it takes; fixed when it is put to them."""

    members: frozenset[PersonId]
    quorum: int  # how many must take part, whatever they say
    agreements: int  # how many must agree

    def check(self) -> None:
        """Return where this is a rule that can be met and missed; raise `MalformedInput`."""
        count = len(self.members)
        if not 1 <= count <= MAX_MEMBERS:
            raise MalformedInput(f"a resolution names 1 to {MAX_MEMBERS} members, not {count}")
        if not 1 <= self.agreements <= count or not 1 <= self.quorum <= count:
            raise MalformedInput(f"quorum and agreements are 1 to {count}, the number of members named")


@dataclass(frozen=True, slots=True)
class Ballot:
    """One signed vote."""

    person: PersonId
    choice: Choice
    envelope: Digest
    corrects: Digest | None = None  # the vote of the same member in whose place this one stands


@dataclass(frozen=True, slots=True)
class Tally:
    """How many said what."""

    agreed: int
    against: int
    abstained: int

    @property
    def voted(self) -> int:
        """Return how many took part."""
        return self.agreed + self.against + self.abstained


def standing(rule: Rule, ballots: Iterable[Ballot]) -> dict[PersonId, Ballot]:
    """Return the vote that stands of each member, from the ballots in the order in which they were taken in."""
    found: dict[PersonId, Ballot] = {}
    for ballot in ballots:
        before = found.get(ballot.person)
        if ballot.person in rule.members and ballot.corrects == (before and before.envelope):
            found[ballot.person] = ballot
    return found


def tally(stands: Mapping[PersonId, Ballot]) -> Tally:
    """Count the votes that stand."""
    said = [ballot.choice for ballot in stands.values()]
    return Tally(*(said.count(choice) for choice in (Choice.AGREE, Choice.DISAGREE, Choice.ABSTAIN)))


def outcome(rule: Rule, counted: Tally) -> Outcome:
    """Return what these votes decide, were they all."""
    if counted.voted < rule.quorum:
        return Outcome.NO_QUORUM
    return Outcome.APPROVED if counted.agreed >= rule.agreements else Outcome.REJECTED


def settled(rule: Rule, counted: Tally) -> Outcome | None:
    """Return what is decided whatever those say who have not voted yet; None while they can turn it."""
    missing = len(rule.members) - counted.voted
    least = outcome(rule, counted)
    most = outcome(rule, Tally(counted.agreed + missing, counted.against, counted.abstained))
    return least if least is most else None
