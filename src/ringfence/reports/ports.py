"""What a pack is made from: the log, the computed status, and the rules that compute it again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ringfence.kernel.envelope import Envelope
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.model import Anchors, LoggedStatement, SignedCheckpoint, Vouched
from ringfence.reports.model import Share


class Log(Protocol):
    """Read the published log; `ringfence.ledger.service.Ledger` is one."""

    def head(self) -> SignedCheckpoint:
        """Return the newest checkpoint."""
        ...

    def first_head(self) -> SignedCheckpoint:
        """Return the oldest checkpoint: outsiders hold it since `init`, and no statement says so."""
        ...

    def checkpoint(self, size: int) -> SignedCheckpoint:
        """Return the checkpoint of exactly this size; raise `NotFound`."""
        ...

    def statements(self, tenant: Tenant) -> Sequence[LoggedStatement]:
        """Return a tenant's statements in log order."""
        ...

    def inclusion_proof(self, entry: int, size: int) -> tuple[bytes, ...]:
        """Prove that an entry is in the tree of a published size."""
        ...

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Prove that the tree of size `new` continues the one of size `old`."""
        ...

    def tenant_salt(self, tenant: Tenant) -> bytes | None:
        """Return the salt under which the log names a tenant; None where no entry of it bears a number."""
        ...

    def anchors(self, size: int) -> Anchors:
        """Return what others said of the checkpoint of this size."""
        ...

    def anchored(self) -> Sequence[int]:
        """Return the sizes of the checkpoints of which others said anything: the newest of each who did."""
        ...

    def successions(self, tenant: Tenant) -> Sequence[Envelope]:
        """Return the root's statements by which the log's keys were replaced, as a tenant was told."""
        ...

    def vouched_before(self, when: datetime, /) -> Vouched | None:
        """Return the largest head that another party vouched for before a time; None where there is none."""
        ...


class Proofs(Protocol):
    """Prove single statements; `ringfence.ledger.service.Ledger` does."""

    def head(self) -> SignedCheckpoint:
        """Return the newest checkpoint."""
        ...

    def statements(self, tenant: Tenant, predicates: Iterable[PredicateName]) -> Sequence[LoggedStatement]:
        """Return a tenant's statements of some evidence types in log order."""
        ...

    def successions(self, tenant: Tenant) -> Sequence[Envelope]:
        """Return the root's statements by which the log's keys were replaced, as a tenant was told."""
        ...

    def inclusion_proof(self, entry: int, size: int) -> tuple[bytes, ...]:
        """Prove that an entry is in the tree of a published size."""
        ...


class Evidence(Protocol):
    """Know what controls rest on."""

    def __call__(self, controls: Sequence[str], /) -> frozenset[PredicateName]:
        """Return the evidence types that decide about these controls; raise `NotFound`."""
        ...


Sharing = Callable[[Sequence[LoggedStatement]], Share]  # of the tenant's statements that a report covers
Alongside = Callable[[Acknowledgement], None]


class Rules(Protocol):
    """Compute the status, as a JSON document without floating-point numbers."""

    def __call__(self, statements: Sequence[LoggedStatement], tenant: Tenant, at: datetime) -> Mapping[str, Any]:
        """Return the board of a tenant at one time, from these statements and nothing else."""
        ...
