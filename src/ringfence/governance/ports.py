"""What the page of decisions needs from outside."""

from typing import Protocol

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant


class Proofs(Protocol):
    """What a browser needs to check a statement by itself."""

    def __call__(self, tenant: Tenant, statement: Digest) -> object | None:
        """Return what a proof chip shows; None before the statement has a place in the log."""
        ...
