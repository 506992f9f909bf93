"""A management body with real passkeys in a real installation: people, what is put to them, and their votes.

body = sitting(services, home, 3)                  # the one of `home`, and two more
put = body.put(quorum=2, agreements=2)
body.vote(put, body.members[0], Choice.AGREE)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ringfence.enrolment import NewPerson, operator_enrolled
from ringfence.governance.resolutions.model import MEASURES, Proposal, Resolution, ResolutionId, Shown
from ringfence.governance.resolutions.statements import voted
from ringfence.identity.service import hashed
from ringfence.identity.signin.model import Owner
from ringfence.kernel.actor import RECOGNISED, Caller, Person, Role
from ringfence.kernel.statement import Draft
from ringfence.kernel.voting import Ballot, Choice
from ringfence.services import Services
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.home import TENANT, LabHome, signed
from ringfence.testing.signin import BROWSER, SITE, answer_of, enrol
from ringfence.testing.tenancy import root_of

EVERYTHING = frozenset({Shown.MEASURES, Shown.STATUS, Shown.RISKS, Shown.EXCEPTIONS})


@dataclass(frozen=True, slots=True)
class LabMember:
    """A member of the body, with a key in a file and a passkey that signs."""

    person: NewPerson
    key: Authenticator
    passkey: str

    @property
    def actor(self) -> Person:
        """Return the member as an actor."""
        return Person(self.person.id, TENANT, Role.MANAGEMENT)


@dataclass(frozen=True, slots=True)
class Sitting:
    """The body, and the installation it decides in."""

    services: Services
    home: LabHome
    members: tuple[LabMember, ...]

    def proposed(self, **changes: Any) -> Draft:
        """Return what the owner signs to put something to the body."""
        given: dict[str, Any] = {
            "about": MEASURES,
            "title": "The measures of 2026",
            "text": "We approve the measures in force.",
            "shown": EVERYTHING,
        }
        return self.services.governing.propose(self.home.actor(), Proposal(**given | changes))

    def put(self, **changes: Any) -> Resolution:
        """Put something to the body."""
        envelope, opening = signed(self.services, self.home.people[Role.OWNER], self.proposed(**changes))
        return self.services.governing.open(self.home.actor(), envelope, opening)

    def one(self, resolution: Resolution) -> Resolution:
        """Return a resolution as it stands."""
        return self.services.governing.one(TENANT, resolution.id)

    def vote(self, resolution: Resolution, member: LabMember, choice: Choice, **changes: Any) -> Mapping[str, Any]:
        """Sign a vote with the member's passkey; a second one corrects the first unless told otherwise."""
        stands: Ballot | None = self.one(resolution).votes.get(member.person.id)
        given = {"corrects": stands and stands.envelope, "sentence": "why not" if choice is Choice.DISAGREE else ""}
        draft = voted(resolution.id, resolution.opening, choice, **given | changes)
        return self.sign(member, draft, resolution.id)

    def sign(self, member: LabMember, draft: Draft, place: ResolutionId | str) -> Mapping[str, Any]:
        """Sign any draft with the member's passkey, in the browser."""
        desk = self.services.acting.desk
        act = desk.prepare(member.actor, draft, place)
        options = desk.ask(member.actor, act.id, member.passkey, browser=BROWSER, site=SITE)
        return desk.sign(Caller(member.actor, RECOGNISED), act.id, answer_of(member.key, options), browser=BROWSER)


def sitting(services: Services, home: LabHome, count: int = 3) -> Sitting:
    """Return a body: the member that `home` has, and others whom the root enrols."""
    people = [home.people[Role.MANAGEMENT], *(join(services, home, f"Member {n}") for n in range(2, count + 1))]
    return Sitting(services, home, tuple(with_passkey(services, person) for person in people))


def seated(members: Sequence[LabMember], services: Services, home: LabHome) -> Sitting:
    """Return a body that sat already in what `home` was copied from; each copy has keys that count for themselves."""
    return Sitting(services, home, tuple(replace(member, key=replace(member.key)) for member in members))


def join(services: Services, home: LabHome, name: str, role: Role = Role.MANAGEMENT) -> NewPerson:
    """Enrol one more person."""
    person = NewPerson.make(name, role)
    envelope, opening = signed(services, root_of(home), operator_enrolled(person, "file-plain", services.clock.now()))
    services.identity.enrol(envelope, opening, name=name, role=role, token_hash=hashed(person.token))
    return person


def with_passkey(services: Services, person: NewPerson) -> LabMember:
    """Give somebody a passkey that signs."""
    owner, key = Owner(TENANT, person.id), Authenticator(SITE.origin)
    enrol(services.signin, key, owner, SITE)
    (passkey,) = services.signin.passkeys.passkeys.of(owner)
    acting, actor = services.acting, Person(person.id, TENANT, person.role)
    acting.enrolling.enrol(actor, passkey.id, signed(services, person, acting.enrolling.draft(actor, passkey.id))[0])
    services.ledger.integrate()
    return LabMember(person, key, passkey.id)
