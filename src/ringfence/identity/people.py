"""What the People page shows and changes, over the desks that the API uses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.identity.console import Name, WaysIn
from ringfence.identity.federation.service import Federation
from ringfence.identity.joining.service import Joining
from ringfence.identity.signin.model import Owner
from ringfence.identity.signin.service import SignIn
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PersonId, Tenant


@dataclass(frozen=True, slots=True)
class PeopleDesk:
    """`console.Changing` over names elsewhere, roles and ways in."""

    federation: Federation
    joining: Joining
    signin: SignIn

    def names(self, tenant: Tenant) -> Mapping[PersonId, Sequence[Name]]:
        """Return the names elsewhere of a tenant's people."""
        found: dict[PersonId, list[Name]] = {}
        for alias in self.federation.aliases.of(tenant):
            found.setdefault(alias.person, []).append(Name(alias.source, alias.subject))
        return found

    def ways(self, tenant: Tenant, people: Iterable[PersonId]) -> Mapping[PersonId, WaysIn]:
        """Return how people come in."""
        return {person: self._way(Owner(tenant, person)) for person in people}

    def _way(self, owner: Owner) -> WaysIn:
        app = self.signin.codes.codes.totp(owner)
        return WaysIn(len(self.signin.passkeys.passkeys.of(owner)), app is not None and app.confirmed_at is not None)

    def link(self, by: Person, person: PersonId, name: Name) -> Acknowledgement:
        """Let a source's subject mean a person."""
        return self.federation.link(by, person, name.source, name.subject)

    def unlink(self, by: Person, name: Name) -> Acknowledgement:
        """Let a source's subject mean nobody."""
        return self.federation.unlink(by, name.source, name.subject)

    def change_role(self, by: Person, person: PersonId, role: Role) -> Acknowledgement:
        """Give a person another role."""
        return self.joining.change_role(by, person, role)

    def reset(self, by: Person, person: PersonId) -> int:
        """Forget every way in of a person who lost them all."""
        return self.signin.reset(Owner(by.tenant, person), by=by)
