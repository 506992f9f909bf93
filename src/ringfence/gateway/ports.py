"""What the gateway needs from outside: a journal, receipts, a record of accesses, tables and files of its own."""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ringfence.gateway.address import Address
from ringfence.gateway.deployments import Seen
from ringfence.gateway.keys import KeyState
from ringfence.gateway.model import ApiKey, ApiKeyId, Deployment, DeploymentName, RequestId, Snapshot
from ringfence.gateway.model import Protocol as Spoken
from ringfence.gateway.records import Admitted, Finished
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.kernel.statement import Statement


class Durable(Protocol):
    """A promise that something is on the disk; an `asyncio.Future` is one.

    It ends with None, or with `Unavailable` where the disk refused. The hot path adds a callback instead of a task.
    """

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for it."""
        ...

    def done(self) -> bool:
        """Return whether it has ended."""
        ...

    def exception(self) -> BaseException | None:
        """Return why it failed, once it has ended."""
        ...

    def add_done_callback(self, call: Callable[[Any], object], /) -> None:
        """Call `call(self)` in the event loop once it has ended."""
        ...


class Journal(Protocol):
    """Keep the two halves of each answer's record; called from the event loop only, and never blocks it."""

    def admit(self, record: Admitted) -> Durable:
        """Take an admission; the promise ends when it is durable: with the next end, soon, or sooner by `hurry`.

        Raises:
            Unavailable: at once, where the journal already knows that it cannot write; nothing is forwarded then.
        """
        ...

    def finish(self, record: Finished) -> Durable:
        """Take the end of an admitted request; the promise ends when it is durable.

        Raises:
            Unavailable: as `admit`.
        """
        ...

    def hurry(self) -> None:
        """Make what was taken durable at once: somebody waits for it."""
        ...


class AccessLog(Protocol):
    """Keep one line per request for detection; without text of callers or models."""

    def write(self, line: bytes) -> None:
        """Take one line of JSON with its newline.

        Raises:
            Unavailable: lines cannot be written.
        """
        ...

    def check(self) -> None:
        """Raise `Unavailable` where lines cannot be written; protected routes refuse then."""
        ...


@dataclass(frozen=True, slots=True)
class FoundReceipt:
    """A receipt, or how long it may take until there is one."""

    body: bytes  # the receipt's JSON document; empty while its segment is open or its log entry unpublished
    retry_after: int = 0  # seconds


class Receipts(Protocol):
    """Find receipts by the id of their request."""

    def find(self, tenant: Tenant, request: RequestId) -> FoundReceipt:
        """Return the receipt of a tenant's own request; it may read files, hence is called outside the event loop.

        Raises:
            NotFound: no such request of this tenant.
            Unavailable: it cannot be read.
        """
        ...


class Signer(Protocol):
    """The gateway's signing key."""

    @property
    def key(self) -> KeyId:
        """Return the id of the key."""
        ...

    def sign(self, statement: Statement) -> Envelope:
        """Sign a statement that names this key as its issuer."""
        ...


class Randomness(Protocol):
    """A source of unpredictable bytes."""

    def __call__(self, size: int, /) -> bytes:
        """Return `size` random bytes."""
        ...


class KeyTable(Protocol):
    """The callers' keys, revoked and expired ones included; written inside the open transaction."""

    def put(self, key: ApiKey) -> None:
        """Write a key."""
        ...

    def get(self, tenant: Tenant, key: ApiKeyId) -> ApiKey | None:
        """Return a key of a tenant."""
        ...

    def all(self, tenant: Tenant | None = None) -> Sequence[ApiKey]:
        """Return the keys of a tenant, or of all, in the order in which they were issued."""
        ...


class DeploymentTable(Protocol):
    """The deployments; a name that is used again keeps its newest deployment only."""

    def put(self, deployment: Deployment) -> None:
        """Write a deployment."""
        ...

    def get(self, tenant: Tenant, name: DeploymentName) -> Deployment | None:
        """Return a deployment of a tenant."""
        ...

    def all(self, tenant: Tenant | None = None) -> Sequence[Deployment]:
        """Return the deployments of a tenant, or of all, by tenant and name."""
        ...


class SnapshotFile(Protocol):
    """The file from which the gateway's process reads keys and routes."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep others out between reading what a snapshot says and writing it: an older one must not come last."""
        ...

    def last(self) -> Snapshot | None:
        """Return what was written last, expired or not; None where there is nothing of ours."""
        ...

    def write(self, snapshot: Snapshot) -> None:
        """Sign a snapshot and put it in the place of the last one, at once and as a whole."""
        ...


@dataclass(frozen=True, slots=True)
class Mark:
    """A key that was ended or blocked, kept beside the database."""

    tenant: Tenant
    key: ApiKeyId
    state: KeyState  # revoked or blocked
    finding: str = ""


class Marks(Protocol):
    """Keys that are cut off, on reserved disk: containment must work while the database does not."""

    def add(self, mark: Mark) -> None:
        """Write a mark durably; one that is there already changes nothing."""
        ...

    def drop(self, mark: Mark) -> None:
        """Forget a mark, once the database has it."""
        ...

    def all(self) -> Sequence[Mark]:
        """Return every mark."""
        ...


class Credentials(Protocol):
    """Secrets with which the gateway asks engines; only its user reads them."""

    def keep(self, secret: str) -> str:
        """Keep a secret; return its name, relative to the gateway's folder."""
        ...

    def forget(self, name: str) -> None:
        """Remove a secret; one that is gone is as good as removed."""
        ...


class Engines(Protocol):
    """Ask an engine, once, whether it is there."""

    def ask(self, address: Address, protocol: Spoken, credential: str) -> Seen:
        """Return what it answered.

        Raises:
            Unavailable: nobody answers there, or not as such an engine does.
        """
        ...


class Segments(Protocol):
    """The closed segments that the gateway leaves; `up` reads them and writes where the log has them."""

    def tenants(self) -> list[Tenant]:
        """Return the tenants that have segments."""
        ...

    def is_closed(self, tenant: Tenant, number: int) -> bool:
        """Return whether a segment was signed."""
        ...

    def last(self, tenant: Tenant) -> int:
        """Return the number of the newest signed segment; 0 where there is none."""
        ...

    def envelope(self, tenant: Tenant, number: int) -> Envelope:
        """Return the signed closing of a segment, its signature not verified."""
        ...

    def last_proof(self, tenant: Tenant) -> int:
        """Return the number of the newest segment whose place in the log is written down; 0 where none is."""
        ...

    def write_proof(self, tenant: Tenant, number: int, data: bytes) -> None:
        """Write where the log has a segment."""
        ...
