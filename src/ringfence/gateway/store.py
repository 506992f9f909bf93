"""Rows of keys and deployments."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text, delete, insert, select

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
    ServedModel,
    Upstream,
)
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.digest import Digest, dumps, loads
from ringfence.kernel.identifier import Tenant
from ringfence.storage.database import METADATA, Database

KEYS = Table(
    "gateway_keys",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("key", String(16), primary_key=True),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("name", String(128), nullable=False),
    Column("deployments", Text, nullable=False),  # JSON
    Column("requests_per_minute", Integer, nullable=False),
    Column("concurrent", Integer, nullable=False),
    Column("body_bytes", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),  # ms since the epoch, like every time here
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("blocked", String(512), nullable=False),
)
DEPLOYMENTS = Table(
    "gateway_deployments",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("protocol", String(16), nullable=False),
    Column("url", String(512), nullable=False),
    Column("socket", String(256), nullable=False),
    Column("credential", String(64), nullable=False),
    Column("model", String(256), nullable=False),
    Column("digest", LargeBinary(32)),
    Column("basis", String(16), nullable=False),
    Column("node", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("on_record_failure", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("because", String(512), nullable=False),
    Column("subject", LargeBinary(32)),
)


@dataclass(frozen=True, slots=True)
class KeyRows:
    """`KeyTable` in the database."""

    database: Database

    def put(self, key: ApiKey) -> None:
        """Write a key."""
        _write(self.database, KEYS, {"tenant": key.tenant, "key": key.id}, _key_row(key))

    def get(self, tenant: Tenant, key: ApiKeyId) -> ApiKey | None:
        """Return a key of a tenant."""
        found = self._keys(KEYS.c.tenant == tenant, KEYS.c.key == key)
        return found[0] if found else None

    def all(self, tenant: Tenant | None = None) -> Sequence[ApiKey]:
        """Return the keys of a tenant, or of all, in the order in which they were issued."""
        return self._keys(*([] if tenant is None else [KEYS.c.tenant == tenant]))

    def _keys(self, *conditions: Any) -> list[ApiKey]:
        query = select(KEYS).where(*conditions).order_by(KEYS.c.created_at, KEYS.c.tenant, KEYS.c.key)
        with self.database.reading() as connection:
            return [_key(row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class DeploymentRows:
    """`DeploymentTable` in the database."""

    database: Database

    def put(self, deployment: Deployment) -> None:
        """Write a deployment."""
        key = {"tenant": deployment.tenant, "name": deployment.name}
        _write(self.database, DEPLOYMENTS, key, _deployment_row(deployment))

    def get(self, tenant: Tenant, name: DeploymentName) -> Deployment | None:
        """Return a deployment of a tenant."""
        found = self._deployments(DEPLOYMENTS.c.tenant == tenant, DEPLOYMENTS.c.name == name)
        return found[0] if found else None

    def all(self, tenant: Tenant | None = None) -> Sequence[Deployment]:
        """Return the deployments of a tenant, or of all, by tenant and name."""
        return self._deployments(*([] if tenant is None else [DEPLOYMENTS.c.tenant == tenant]))

    def _deployments(self, *conditions: Any) -> list[Deployment]:
        query = select(DEPLOYMENTS).where(*conditions).order_by(DEPLOYMENTS.c.tenant, DEPLOYMENTS.c.name)
        with self.database.reading() as connection:
            return [_deployment(row) for row in connection.execute(query)]


def _write(database: Database, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    connection = database.connection()
    connection.execute(delete(table).where(*(table.c[name] == value for name, value in key.items())))
    connection.execute(insert(table), [key | values])


def _key_row(key: ApiKey) -> dict[str, Any]:
    return {
        "secret_hash": key.secret_hash,
        "name": key.name,
        "deployments": dumps(list(key.deployments)).decode(),
        "requests_per_minute": key.limits.requests_per_minute,
        "concurrent": key.limits.concurrent,
        "body_bytes": key.limits.body_bytes,
        "created_at": to_millis(key.created_at),
        "expires_at": to_millis(key.expires_at),
        "revoked_at": None if key.revoked_at is None else to_millis(key.revoked_at),
        "blocked": key.blocked,
    }


def _key(row: Any) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(row.key),
        tenant=Tenant(row.tenant),
        secret_hash=row.secret_hash,
        name=row.name,
        deployments=tuple(DeploymentName(name) for name in loads(row.deployments)),
        limits=Limits(row.requests_per_minute, row.concurrent, row.body_bytes),
        created_at=from_millis(row.created_at),
        expires_at=from_millis(row.expires_at),
        revoked_at=None if row.revoked_at is None else from_millis(row.revoked_at),
        blocked=row.blocked,
    )


def _deployment_row(one: Deployment) -> dict[str, Any]:
    return {
        "protocol": one.protocol.value,
        "url": one.upstream.url,
        "socket": one.upstream.socket,
        "credential": one.upstream.credential,
        "model": one.model.name,
        "digest": None if one.model.digest is None else one.model.digest.value,
        "basis": one.model.basis.value,
        "node": one.node,
        "state": one.state.value,
        "on_record_failure": one.on_record_failure.value,
        "created_at": to_millis(one.created_at),
        "because": one.because,
        "subject": None if one.subject is None else one.subject.value,
    }


def _deployment(row: Any) -> Deployment:
    return Deployment(
        name=DeploymentName(row.name),
        tenant=Tenant(row.tenant),
        protocol=Protocol(row.protocol),
        upstream=Upstream(row.url, row.socket, row.credential),
        model=ServedModel(row.model, None if row.digest is None else Digest(row.digest), Basis(row.basis)),
        node=row.node,
        state=DeploymentState(row.state),
        on_record_failure=OnRecordFailure(row.on_record_failure),
        created_at=from_millis(row.created_at),
        because=row.because,
        subject=None if row.subject is None else Digest(row.subject),
    )
