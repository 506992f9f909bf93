"""Everything that models need from the outside world."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ringfence.kernel import evidence
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft

Random = Callable[[int], bytes]
Stamps = Callable[[str, bytes], bytes]  # the authority's address, what is stamped; its answer of RFC 3161


class Content(Protocol):
    """Bytes that are looked at without being trusted; a file, or a part of one."""

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset` on; fewer mean that there are no more."""
        ...


class Logged(evidence.Logged, Protocol):
    """A statement in the log, with what the key of its signer was worth then."""

    @property
    def standing(self) -> str: ...


class Log(Protocol):
    """What is read of the ledger."""

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> Sequence[Logged]:
        """Return a tenant's statements in log order."""
        ...


class Control(Protocol):
    """The control plane, as `ringfence.frontends.client.Client` reaches it."""

    def get(self, path: str) -> Any:
        """Return the parsed answer."""
        ...

    def state(self, draft: Draft, *, path: str, body: Mapping[str, Any]) -> Any:
        """Sign `draft` with the operator's key, post it, and return the parsed answer."""
        ...
