"""What signing in elsewhere needs from the world."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ringfence.identity.federation.model import Alias, Metadata
from ringfence.kernel.identifier import PersonId, Tenant


class Provider(Protocol):
    """An identity provider, over the network."""

    def metadata(self) -> Metadata:
        """Return what the provider says of itself; raise `Unavailable` where it does not answer."""
        ...

    def keys(self, *, fresh: bool = False) -> Sequence[Mapping[str, Any]]:
        """Return the provider's keys; a `fresh` set is fetched at most once a minute."""
        ...

    def exchange(self, code: str, verifier: str) -> str:
        """Turn a code into an ID token; raise `VerificationFailed` where the provider does not."""
        ...


class Aliases(Protocol):
    """Under which names sources know our people, and the logins that have been begun."""

    def link(self, alias: Alias) -> None:
        """Add an alias; raise `Conflict` where the name means somebody already."""
        ...

    def unlink(self, tenant: Tenant, source: str, subject: str) -> bool:
        """Forget an alias; return whether it was there."""
        ...

    def of(self, tenant: Tenant) -> list[Alias]: ...
    def whose(self, tenant: Tenant, source: str, subject: str) -> PersonId | None: ...

    def begin(self, login: bytes, tenant: Tenant, until: datetime) -> None:
        """Keep the hash of a login's secret."""
        ...

    def take(self, login: bytes, at: datetime) -> Tenant | None:
        """Forget a login; return its tenant if it had not ended. A second taker gets nothing."""
        ...

    def forget_logins(self, before: datetime, keep: int) -> None:
        """Forget the logins that ended, and all but the newest so many."""
        ...
