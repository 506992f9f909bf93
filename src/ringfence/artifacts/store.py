"""Datasets and their epochs in the database."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, UniqueConstraint, and_, func, insert, select

from ringfence.artifacts.model import Custody, DatasetId, DatasetName, Sealed
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.storage.database import METADATA, Database

DATASETS = Table(
    "artifacts_datasets",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("dataset", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    UniqueConstraint("tenant", "name"),
)
SEALS = Table(
    "artifacts_seals",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("dataset", String(32), primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("seal", LargeBinary(32), nullable=False),
    Column("objects", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("ciphertext_root", LargeBinary(32), nullable=False),
    Column("key_custody", String(32), nullable=False),
    Column("envelope", LargeBinary(32), nullable=False),  # digest of the `dataset.sealed` envelope
)


@dataclass(frozen=True, slots=True)
class DatasetTable:
    """`Datasets` in the database."""

    database: Database

    def by_name(self, tenant: Tenant, name: DatasetName) -> Sealed | None:
        """Return the newest epoch of the dataset with this name."""
        return next(iter(self._newest(DATASETS.c.tenant == tenant, DATASETS.c.name == name)), None)

    def by_id(self, tenant: Tenant, dataset: DatasetId) -> Sealed | None:
        """Return the newest epoch of this dataset."""
        return next(iter(self._newest(DATASETS.c.tenant == tenant, DATASETS.c.dataset == dataset)), None)

    def all(self, tenant: Tenant) -> list[Sealed]:
        """Return the newest epoch of every dataset, by name."""
        return self._newest(DATASETS.c.tenant == tenant)

    def put(self, tenant: Tenant, sealed: Sealed, envelope: Digest) -> None:
        """Add an epoch, and the dataset with its first."""
        key = {"tenant": tenant, "dataset": sealed.dataset}
        row = {
            "epoch": sealed.epoch,
            "seal": sealed.seal.value,
            "objects": sealed.objects,
            "bytes": sealed.total_bytes,
            "ciphertext_root": sealed.ciphertext_root.value,
            "key_custody": sealed.key_custody.value,
            "envelope": envelope.value,
        }
        with self.database.attempting(f"epoch {sealed.epoch} of {sealed.name} is recorded already") as connection:
            if sealed.epoch == 1:
                connection.execute(insert(DATASETS), [{**key, "name": sealed.name}])
            connection.execute(insert(SEALS), [{**key, **row}])

    def _newest(self, *conditions: Any) -> list[Sealed]:
        same = and_(SEALS.c.tenant == DATASETS.c.tenant, SEALS.c.dataset == DATASETS.c.dataset)
        later = SEALS.alias()
        last = (
            select(func.max(later.c.epoch))
            .where(later.c.tenant == DATASETS.c.tenant, later.c.dataset == DATASETS.c.dataset)
            .scalar_subquery()
        )
        query = (
            select(DATASETS.c.name, SEALS)
            .join(SEALS, same)
            .where(*conditions, SEALS.c.epoch == last)
            .order_by(DATASETS.c.name)
        )
        with self.database.reading() as connection:
            return [_sealed(row) for row in connection.execute(query)]


def _sealed(row: Any) -> Sealed:
    return Sealed(
        dataset=DatasetId(row.dataset),
        name=DatasetName(row.name),
        epoch=row.epoch,
        seal=Digest(row.seal),
        objects=row.objects,
        total_bytes=row.bytes,
        ciphertext_root=Digest(row.ciphertext_root),
        key_custody=Custody(row.key_custody),
    )
