"""Decide whether a vote is taken. Pure."""

from collections.abc import Collection
from datetime import datetime

from ringfence.governance import reading
from ringfence.governance.resolutions.model import Resolution
from ringfence.kernel import assertion
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, Refused
from ringfence.kernel.identifier import PersonId
from ringfence.kernel.two_person import Half
from ringfence.kernel.voting import Ballot, Choice


def member(found: Resolution, by: Person, body: Collection[PersonId], now: datetime) -> None:
    """Return where this person can vote on this resolution now."""
    if by.id not in found.terms.rule.members:
        raise Refused("only the members of the management body whom the resolution names vote on it")
    if by.id not in body:
        raise Refused("whoever is no member of the management body any more does not vote")
    if not found.open(now):
        raise Conflict("this resolution has ended; nothing about it changes any more")


def votable(
    found: Resolution,
    by: Person,
    body: Collection[PersonId],
    about: Digest,
    ballot: Ballot,
    details: Opening | None,
    now: datetime,
) -> None:
    """Return where a vote is taken; raise where it is not."""
    member(found, by, body, now)
    if about != found.opening:
        raise Refused("what was signed is a vote on another text, or under another rule; read it again and sign anew")
    before = found.votes.get(by.id)
    if before is not None and ballot.corrects is None:
        raise Conflict("one member, one vote: yours stands; a new one names the one that it corrects")
    if ballot.corrects != (before and before.envelope):
        raise Conflict("the vote that it corrects does not stand; read the resolution again and sign anew")
    check_sentence(ballot.choice, details.details if details else {})


def check_sentence(choice: Choice, details: dict[str, object]) -> None:
    """Return where the side record of a vote is its sentence; whoever disagrees says why."""
    if not details.keys() <= {"sentence"}:
        raise MalformedInput("the details of a vote are its sentence, and nothing else")
    if "sentence" in details:
        reading.text(details["sentence"], "sentence")
    elif choice is Choice.DISAGREE:
        raise MalformedInput("who disagrees says why in a sentence; it is recorded as dissent", source="sentence")


def check_signature(found: Resolution, half: Half) -> None:
    """Return where a vote is the member's own: signed by a passkey that no other member could have made up."""
    if half.algorithm != assertion.ALGORITHM:
        raise Refused("a vote is signed by the member's own passkey, in the console; a key in a file does not vote")
    if {half.credential_by, half.person_by} & (found.terms.rule.members - {half.person}):
        raise Refused("another member enrolled this one, or this passkey; somebody who is independent has to vote")
