"""What services need from the world beside what people need."""

from datetime import datetime
from typing import Protocol

from ringfence.identity.accounts.model import Account
from ringfence.kernel.identifier import PersonId, Tenant


class Accounts(Protocol):
    """The register of services."""

    def add(self, account: Account) -> None: ...
    def all(self, tenant: Tenant) -> list[Account]: ...
    def by_id(self, tenant: Tenant, service: PersonId) -> Account | None: ...
    def by_secret(self, secret_hash: bytes) -> Account | None: ...

    def end(self, account: Account, at: datetime) -> None:
        """Write when a service's access ended; the first time stands."""
        ...

    def note_use(self, account: Account, at: datetime) -> None:
        """Write when a service was last there."""
        ...
