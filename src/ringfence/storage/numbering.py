"""How far each tenant's statements are numbered in the log, and the salt under which the log names the tenant.

The integrator alone counts on, in the transaction that assigns the indexes: docs/specs/tlog-entry.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, bindparam, func, insert, select, update

from ringfence.kernel.errors import Conflict, MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.storage.database import METADATA, Database
from ringfence.storage.rows import STATEMENTS, Integrated

SALT_SIZE = 32

NUMBERS = Table(
    "log_tenants",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("salt", LargeBinary(SALT_SIZE), nullable=False),
    Column("sequence", BigInteger, nullable=False),  # of its newest entry
)


class Randomness(Protocol):
    """A source of unpredictable bytes."""

    def __call__(self, size: int, /) -> bytes:
        """Return `size` random bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Numbering:
    """A tenant's salt, and the number of its newest entry."""

    salt: bytes
    last: int


@dataclass(frozen=True, slots=True)
class TenantNumbers:
    """The numbering of every tenant."""

    database: Database
    random: Randomness

    def all(self) -> dict[Tenant, Numbering]:
        """Return every tenant that has one."""
        with self.database.reading() as connection:
            rows = connection.execute(select(NUMBERS)).all()
        return {Tenant(row.tenant): Numbering(row.salt, row.sequence) for row in rows}

    def of(self, tenants: Iterable[Tenant]) -> Mapping[Tenant, Numbering]:
        """Return the numbering of tenants; one without gets its salt now, in the open transaction.

        Its older entries, of version 1, bear no number: the first that does counts on from how many they are.
        """
        known = self.all()
        for tenant in sorted(set(tenants) - known.keys()):
            before = select(func.count()).where(STATEMENTS.c.tenant == tenant, STATEMENTS.c.entry.is_not(None))
            connection = self.database.connection()
            known[tenant] = Numbering(self.random(SALT_SIZE), int(connection.execute(before).scalar() or 0))
            values = {"tenant": tenant, "salt": known[tenant].salt, "sequence": known[tenant].last}
            connection.execute(insert(NUMBERS), [values])
        return known

    def begin(self, tenant: Tenant, salt: bytes) -> None:
        """Number a new tenant from 1 on under a salt that somebody else drew, in the open transaction."""
        if len(salt) != SALT_SIZE:
            raise MalformedInput(f"the salt of a tenant has {SALT_SIZE} bytes")
        if tenant in self.all():
            raise Conflict(f"the log numbers the statements of {tenant} already")
        self.database.connection().execute(insert(NUMBERS), [{"tenant": tenant, "salt": salt, "sequence": 0}])

    def advance(self, integrated: Iterable[Integrated]) -> None:
        """Count on over what was given its index."""
        last = {item.tenant: item.tenant_sequence for item in integrated}  # in order: the newest one stays
        if last:
            change = update(NUMBERS).where(NUMBERS.c.tenant == bindparam("whose")).values(sequence=bindparam("last"))
            values = [{"whose": tenant, "last": sequence} for tenant, sequence in last.items()]
            self.database.connection().execute(change, values)
