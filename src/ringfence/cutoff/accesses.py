"""The gateway as the watch knows it: its access records, and how one of its keys is blocked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ringfence.identity.model import TenantRecord
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import Tenant

FILE = Path("gateway", "access.log")  # below the home


class BlockKey(Protocol):
    """Block an API key; fulfilled by the gateway's service."""

    def __call__(self, tenant: Tenant, key: str, *, because: str, finding: str) -> object:
        """Act first, then record by the emergency path; a key that is blocked stays so."""
        ...


def no_gateway(tenant: Tenant, key: str, *, because: str, finding: str) -> None:  # noqa: ARG001
    """Block nothing, and say so.

    Raises:
        Unavailable: always.
    """
    raise Unavailable("no gateway belongs to this installation, so none of its keys can be blocked")


@dataclass(frozen=True, slots=True)
class AccessFile:
    """`soc.ports.AccessLog` over the home and its register of tenants."""

    file: Path
    records: Callable[[], Sequence[TenantRecord]]

    @property
    def path(self) -> str:
        """Return where the gateway writes."""
        return str(self.file)

    def tenants(self) -> Sequence[Tenant]:
        """Return every tenant, in the order in which they were made, demonstrations last."""
        return [each.tenant for each in sorted(self.records(), key=lambda one: (one.demo, one.created_at, one.tenant))]
