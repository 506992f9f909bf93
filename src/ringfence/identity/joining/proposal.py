"""What would have to change for our register to follow a directory's file. Pure."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ringfence.identity.joining.scim import User
from ringfence.identity.model import PersonRecord
from ringfence.kernel import digest
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId

MANY = 2  # leavers at once that are no surprise, whatever share of everybody they are


@dataclass(frozen=True, slots=True)
class Move:
    """A person whose role is another one now."""

    person: PersonId
    before: Role
    after: Role


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the file proposes; nothing of it has happened."""

    joiners: tuple[User, ...]
    leavers: tuple[PersonId, ...]
    moves: tuple[Move, ...]
    namesakes: tuple[tuple[User, PersonId], ...]  # unlinked, and called like somebody here: a person has to say
    without_role: int  # active users that the directory gives no role of ours
    to_owner: tuple[PersonId, ...]  # only the root makes owners
    not_in_file: int  # people with access whom this source never named
    linked: int

    @property
    def digest(self) -> Digest:
        """Return what names the part that is applied here: who confirms, confirms exactly this."""
        return Digest.of(digest.dumps(self.applied()))

    def applied(self) -> dict[str, Any]:
        """Return the part that is applied here; joiners need the root's signature."""
        return {
            "leavers": list(self.leavers),
            "moves": [[move.person, move.before.value, move.after.value] for move in self.moves],
        }

    def only(self, people: Collection[PersonId]) -> "Proposal":
        """Return the part that concerns these people; raise `MalformedInput` where it changes nothing for one of them.

        What is left out stays in the file, and is proposed again the next time.
        """
        strangers = set(people) - {*self.leavers, *(move.person for move in self.moves)}
        if strangers or not people:
            raise MalformedInput("confirm one or more of the people whom the proposal changes, and nobody else")
        leavers = tuple(person for person in self.leavers if person in people)
        return replace(self, leavers=leavers, moves=tuple(move for move in self.moves if move.person in people))

    @property
    def surprising(self) -> bool:
        """Return whether more than half of the linked people would lose their access: more likely a broken file."""
        return len(self.leavers) > MANY and 2 * len(self.leavers) > self.linked


def propose(users: Iterable[User], people: Iterable[PersonRecord], linked: Mapping[str, PersonId]) -> Proposal:
    """Compare a file with the register; `linked` is whom of ours the source means by which id."""
    known = {user.id: user for user in users}
    active = {person.id: person for person in people if person.removed_at is None}
    ours = {subject: person for subject, person in linked.items() if person in active}
    named = {_alike(person.name): person.id for person in active.values() if person.id not in ours.values()}
    fresh = [user for user in known.values() if user.id not in linked and user.active]
    pairs = [(active[person], known.get(subject)) for subject, person in sorted(ours.items())]
    stay = [(person, user.role) for person, user in pairs if user is not None and user.active and user.role]
    moves = [Move(person.id, person.role, role) for person, role in stay if role is not person.role]
    return Proposal(
        joiners=tuple(user for user in fresh if user.role is not None and _alike(user.name) not in named),
        leavers=tuple(sorted(person.id for person, user in pairs if user is None or not user.active or not user.role)),
        moves=tuple(move for move in moves if move.after is not Role.OWNER),
        namesakes=tuple(
            (user, named[_alike(user.name)]) for user in fresh if user.role is not None and _alike(user.name) in named
        ),
        without_role=sum(user.role is None for user in fresh),
        to_owner=tuple(move.person for move in moves if move.after is Role.OWNER),
        not_in_file=len(active) - len(set(ours.values())),
        linked=len(ours),
    )


def _alike(name: str) -> str:
    """Return what is the same of names that a reader takes for one: case, width and spaces do not count."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
