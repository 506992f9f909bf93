"""Datasets and their epochs in the database."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    and_,
    func,
    insert,
    select,
    update,
)

from ringfence.artifacts.model import Custody, DatasetId, DatasetName, Erasure, Sealed
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict
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

ERASURES = Table(
    "artifacts_erasures",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("dataset", String(32), primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("requested", LargeBinary(32), nullable=False),  # digest of the envelope that announced it
    Column("erased", LargeBinary(32), nullable=True),  # digest of the one that says it is done
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

    def epochs(self, tenant: Tenant, dataset: DatasetId | None = None) -> list[Sealed]:
        """Return every epoch of a dataset, or of all, by name and number."""
        one = [] if dataset is None else [DATASETS.c.dataset == dataset]
        return self._found(DATASETS.c.tenant == tenant, *one)

    def epoch(self, tenant: Tenant, dataset: DatasetId, number: int) -> Sealed | None:
        """Return one epoch."""
        found = self._found(DATASETS.c.tenant == tenant, DATASETS.c.dataset == dataset, SEALS.c.epoch == number)
        return next(iter(found), None)

    def envelope(self, tenant: Tenant, sealed: Sealed) -> Digest:
        """Return the digest of the statement that sealed an epoch."""
        query = select(SEALS.c.envelope).where(
            SEALS.c.tenant == tenant, SEALS.c.dataset == sealed.dataset, SEALS.c.epoch == sealed.epoch
        )
        with self.database.reading() as connection:
            return Digest(connection.execute(query).scalar_one())

    def erase(self, tenant: Tenant, sealed: Sealed, requested: Digest) -> None:
        """Write that an epoch is being erased; raise `Conflict` where it is already."""
        key = {"tenant": tenant, "dataset": sealed.dataset, "epoch": sealed.epoch}
        because = f"epoch {sealed.epoch} of {sealed.name} is being erased already"
        with self.database.attempting(because) as connection:
            connection.execute(insert(ERASURES), [{**key, "requested": requested.value, "erased": None}])

    def erased(self, tenant: Tenant, sealed: Sealed, envelope: Digest) -> None:
        """Write which statement says that it is done."""
        change = update(ERASURES).where(
            ERASURES.c.tenant == tenant, ERASURES.c.dataset == sealed.dataset, ERASURES.c.epoch == sealed.epoch
        )
        self.database.connection().execute(change.values(erased=envelope.value))

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
        recorded = f"epoch {sealed.epoch} of {sealed.name} is recorded already"
        with self.database.attempting(recorded) as connection:
            if sealed.epoch == 1:
                # Sealed files lie in one home, under one key-encryption key: whose dataset this is would be whose key.
                if connection.execute(select(DATASETS.c.tenant).where(DATASETS.c.dataset == sealed.dataset)).first():
                    raise Conflict(recorded)
                connection.execute(insert(DATASETS), [{**key, "name": sealed.name}])
            connection.execute(insert(SEALS), [{**key, **row}])

    def _newest(self, *conditions: Any) -> list[Sealed]:
        later = SEALS.alias()
        last = (
            select(func.max(later.c.epoch))
            .where(later.c.tenant == DATASETS.c.tenant, later.c.dataset == DATASETS.c.dataset)
            .scalar_subquery()
        )
        return self._found(*conditions, SEALS.c.epoch == last)

    def _found(self, *conditions: Any) -> list[Sealed]:
        same = and_(SEALS.c.tenant == DATASETS.c.tenant, SEALS.c.dataset == DATASETS.c.dataset)
        gone = and_(*(ERASURES.c[name] == SEALS.c[name] for name in ("tenant", "dataset", "epoch")))
        query = (
            select(DATASETS.c.name, SEALS, ERASURES.c.requested, ERASURES.c.erased)
            .join(SEALS, same)
            .join(ERASURES, gone, isouter=True)
            .where(*conditions)
            .order_by(DATASETS.c.name, SEALS.c.epoch)
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
        erasure=None if row.requested is None else Erasure(Digest(row.requested), done=row.erased is not None),
    )
