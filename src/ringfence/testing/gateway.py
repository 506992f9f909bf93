"""The gateway without a disk: a journal that can fail, snapshots, receipts, accesses in memory.

journal = FakeJournal()
journal.broken = True            # knows that it cannot write: refuses at once
journal.failing = True           # finds out while writing: the promise fails
journal.held = True              # promises stay open until `release()`
snapshot(keys=[api_key()[0]], deployments=[deployment()])
"""

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ringfence.gateway.model import (
    ApiKey,
    ApiKeyId,
    Basis,
    Deployment,
    DeploymentName,
    DeploymentState,
    Limits,
    OnRecordFailure,
    Protocol,
    RequestId,
    ServedModel,
    Snapshot,
    Upstream,
)
from ringfence.gateway.ports import FoundReceipt
from ringfence.gateway.records import Admitted, Finished
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.testing.clock import START

TENANT = Tenant("acme")
KEY_ID = ApiKeyId("k-0123456789ab")
SECRET = "rfk-0123456789ab-" + "A" * 43  # what a caller presents; made up
LIMITS = Limits(requests_per_minute=600_000, concurrent=1000, body_bytes=1 << 20)


def api_key(secret: str = SECRET, **facts: object) -> ApiKey:
    """Return the key whose secret is `secret`, for every deployment of the tenant, changed by `facts`."""
    made = ApiKey(
        id=ApiKeyId("k-" + secret[4:16]),
        tenant=TENANT,
        secret_hash=hashlib.sha256(secret.encode()).digest(),
        name="a caller",
        deployments=(),
        limits=LIMITS,
        created_at=START,
        expires_at=START + timedelta(days=36_500),
    )
    return replace(made, **facts)  # type: ignore[arg-type]


def deployment(name: str = "small", url: str = "http://127.0.0.1:9/v1", **facts: object) -> Deployment:
    """Return a serving deployment of an OpenAI-compatible engine, changed by `facts`."""
    made = Deployment(
        name=DeploymentName(name),
        tenant=TENANT,
        protocol=Protocol.OPENAI,
        upstream=Upstream(url),
        model=ServedModel("engine-model", Digest.of(b"weights"), Basis.DECLARED),
        node="",
        state=DeploymentState.SERVING,
        on_record_failure=OnRecordFailure.REFUSE,
        created_at=START,
    )
    return replace(made, **facts)  # type: ignore[arg-type]


def snapshot(
    keys: Iterable[ApiKey] = (), deployments: Iterable[Deployment] = (), *, at: datetime = START, seconds: int = 60
) -> Snapshot:
    """Return a snapshot issued at `at` that lives for `seconds`."""
    return Snapshot(
        version=1,
        issued_at=at,
        expires_at=at + timedelta(seconds=seconds),
        keys=tuple(keys),
        deployments=tuple(deployments),
        digest=Digest.of(b"snapshot"),
    )


@dataclass
class FakeJournal:
    """A journal in memory; fulfils `Journal`, inside a running event loop."""

    admitted: list[Admitted] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    broken: bool = False
    failing: bool = False
    held: bool = False
    hurried: int = 0
    _open: list["asyncio.Future[None]"] = field(default_factory=list)

    def admit(self, record: Admitted) -> "asyncio.Future[None]":
        """Take an admission."""
        return self._take(self.admitted, record)

    def finish(self, record: Finished) -> "asyncio.Future[None]":
        """Take a finish."""
        return self._take(self.finished, record)

    def hurry(self) -> None:
        """Count who waits."""
        self.hurried += 1

    def release(self) -> None:
        """End every promise that was held back."""
        self.held = False
        for promise in self._open:
            self._end(promise)
        self._open.clear()

    def _take(self, kept: list[Any], record: object) -> "asyncio.Future[None]":
        if self.broken:
            raise Unavailable("the journal cannot be written")
        kept.append(record)
        promise = asyncio.get_running_loop().create_future()
        if self.held:
            self._open.append(promise)
        else:
            self._end(promise)
        return promise

    def _end(self, promise: "asyncio.Future[None]") -> None:
        if promise.cancelled():
            return
        if self.failing:
            promise.set_exception(Unavailable("the disk refused the journal"))
        else:
            promise.set_result(None)


@dataclass
class FakeAccessLog:
    """Lines in memory; fulfils `AccessLog`."""

    lines: list[bytes] = field(default_factory=list)
    broken: bool = False

    def write(self, line: bytes) -> None:
        """Keep a line."""
        self.check()
        self.lines.append(line)

    def check(self) -> None:
        """Refuse where broken."""
        if self.broken:
            raise Unavailable("accesses cannot be recorded")


@dataclass
class FakeReceipts:
    """Receipts in a dictionary; fulfils `Receipts`."""

    kept: dict[tuple[Tenant, RequestId], FoundReceipt] = field(default_factory=dict)

    def find(self, tenant: Tenant, request: RequestId) -> FoundReceipt:
        """Return a receipt."""
        try:
            return self.kept[tenant, request]
        except KeyError:
            raise NotFound(f"there is no request {request}") from None
