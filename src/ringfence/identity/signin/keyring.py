"""What people hold that lets them in, in the database: passkeys, authenticator apps, recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from ringfence.identity.model import Factors
from ringfence.identity.signin.model import Owner, Passkey, RecoveryCode, Site, Totp
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.storage.database import METADATA, Database


def _owner_columns(*, primary: bool) -> tuple[Column[str], Column[str]]:
    return (
        Column("tenant", String(32), primary_key=primary, nullable=False),
        Column("person", String(32), primary_key=primary, nullable=False),
    )


PASSKEYS = Table(
    "identity_passkeys",
    METADATA,
    Column("credential_hash", LargeBinary(32), primary_key=True),
    *_owner_columns(primary=False),
    Column("credential", LargeBinary(1023), nullable=False),
    Column("public_key", LargeBinary(65), nullable=False),
    Column("rp_id", String(253), nullable=False),
    Column("origin", String(300), nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", String(64), nullable=False),
    Column("transports", String(128), nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("enrolled_at", BigInteger, nullable=False),
    Column("enrolled_by", String(32), nullable=False),
    Column("last_used_at", BigInteger),
    Index("identity_passkeys_of", "tenant", "person"),
)
TOTPS = Table(
    "identity_totp",
    METADATA,
    *_owner_columns(primary=True),
    Column("sealed", LargeBinary(128), nullable=False),
    Column("passphrase_hash", String(200), nullable=False),
    Column("last_counter", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger),
)
RECOVERY = Table(
    "identity_recovery_codes",
    METADATA,
    *_owner_columns(primary=True),
    Column("number", Integer, primary_key=True),
    Column("code_hash", String(200), nullable=False),
)


def _is(table: Table, owner: Owner) -> Any:
    return (table.c.tenant == owner.tenant) & (table.c.person == owner.person)


def _owner(row: Any) -> Owner:
    return Owner(Tenant(row.tenant), PersonId(row.person))


def _time(millis: int | None) -> datetime | None:
    return None if millis is None else from_millis(millis)


@dataclass(frozen=True, slots=True)
class PasskeyTable:
    """`Passkeys` in the database."""

    database: Database

    def add(self, passkey: Passkey) -> None:
        """Keep a passkey; raise `Conflict` where it is somebody's already."""
        with self.database.attempting(
            "this passkey is enrolled already; remove it first, or use another"
        ) as connection:
            connection.execute(insert(PASSKEYS), [_passkey_row(passkey)])

    def of(self, owner: Owner) -> list[Passkey]:
        """Return the passkeys of a person, oldest first."""
        query = select(PASSKEYS).where(_is(PASSKEYS, owner)).order_by(PASSKEYS.c.enrolled_at)
        with self.database.reading() as connection:
            return [_passkey(row) for row in connection.execute(query)]

    def by_credential(self, credential: bytes) -> Passkey | None:
        """Return whose passkey it is."""
        query = select(PASSKEYS).where(PASSKEYS.c.credential_hash == Digest.of(credential).value)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _passkey(row)

    def used(self, passkey: Passkey, *, counter: int, at: datetime) -> bool:
        """Keep a counter that grew; return False where another use was faster."""
        same = (PASSKEYS.c.credential_hash == Digest.of(passkey.credential).value) & (
            PASSKEYS.c.sign_count == passkey.sign_count
        )
        change = update(PASSKEYS).where(same).values(sign_count=counter, last_used_at=to_millis(at))
        return self.database.connection().execute(change).rowcount == 1

    def drop(self, passkey: Passkey) -> bool:
        """Forget a passkey."""
        change = delete(PASSKEYS).where(PASSKEYS.c.credential_hash == Digest.of(passkey.credential).value)
        return self.database.connection().execute(change).rowcount == 1


@dataclass(frozen=True, slots=True)
class CodeTable:
    """`Codes` in the database."""

    database: Database

    def owner(self, person: str) -> Owner | None:
        """Return whom a typed person id means, if exactly one person of any tenant."""
        found = set()
        with self.database.reading() as connection:
            for table in (TOTPS, RECOVERY):
                query = select(table.c.tenant, table.c.person).where(table.c.person == person)
                found |= {_owner(row) for row in connection.execute(query)}
        return found.pop() if len(found) == 1 else None

    def totp(self, owner: Owner) -> Totp | None:
        """Return the authenticator app of a person."""
        with self.database.reading() as connection:
            row = connection.execute(select(TOTPS).where(_is(TOTPS, owner))).first()
        if row is None:
            return None
        return Totp(owner, row.sealed, row.passphrase_hash, row.last_counter, _time(row.confirmed_at))

    def put_totp(self, totp: Totp) -> None:
        """Keep an authenticator app in the place of the last one."""
        self.drop_totp(totp.owner)
        values = {
            "tenant": totp.owner.tenant,
            "person": totp.owner.person,
            "sealed": totp.sealed,
            "passphrase_hash": totp.passphrase_hash,
            "last_counter": totp.last_counter,
            "confirmed_at": None if totp.confirmed_at is None else to_millis(totp.confirmed_at),
        }
        self.database.connection().execute(insert(TOTPS), [values])

    def advance_totp(self, owner: Owner, *, counter: int) -> bool:
        """Keep the counter of the code that was used; return False where it, or a later one, was used already."""
        change = update(TOTPS).where(_is(TOTPS, owner), TOTPS.c.last_counter < counter).values(last_counter=counter)
        return self.database.connection().execute(change).rowcount == 1

    def drop_totp(self, owner: Owner) -> bool:
        """Forget an authenticator app."""
        return self.database.connection().execute(delete(TOTPS).where(_is(TOTPS, owner))).rowcount == 1

    def recovery(self, owner: Owner) -> list[RecoveryCode]:
        """Return the recovery codes that are left."""
        query = select(RECOVERY).where(_is(RECOVERY, owner)).order_by(RECOVERY.c.number)
        with self.database.reading() as connection:
            return [RecoveryCode(owner, row.number, row.code_hash) for row in connection.execute(query)]

    def put_recovery(self, owner: Owner, codes: Sequence[RecoveryCode]) -> None:
        """Replace every code of a person."""
        connection = self.database.connection()
        connection.execute(delete(RECOVERY).where(_is(RECOVERY, owner)))
        rows = [
            {"tenant": owner.tenant, "person": owner.person, "number": code.number, "code_hash": code.code_hash}
            for code in codes
        ]
        if rows:
            connection.execute(insert(RECOVERY), rows)

    def drop_recovery(self, owner: Owner, number: int) -> bool:
        """Forget one code; return whether it was there."""
        change = delete(RECOVERY).where(_is(RECOVERY, owner), RECOVERY.c.number == number)
        return self.database.connection().execute(change).rowcount == 1


def factors(database: Database, tenant: Tenant) -> Factors:
    """Return who of a tenant has which second factor, people whose access has ended among them."""
    keys = select(PASSKEYS.c.person).where(PASSKEYS.c.tenant == tenant)
    apps = select(TOTPS.c.person).where(TOTPS.c.tenant == tenant, TOTPS.c.confirmed_at.is_not(None))
    with database.reading() as connection:
        held = [frozenset(map(PersonId, connection.execute(query).scalars())) for query in (keys, apps)]
    return Factors(*held)


def _passkey_row(passkey: Passkey) -> dict[str, Any]:
    return {
        "credential_hash": Digest.of(passkey.credential).value,
        "tenant": passkey.owner.tenant,
        "person": passkey.owner.person,
        "credential": passkey.credential,
        "public_key": passkey.public_key,
        "rp_id": passkey.site.rp_id,
        "origin": passkey.site.origin,
        "sign_count": passkey.sign_count,
        "name": passkey.name,
        "transports": ",".join(passkey.transports),
        "backed_up": passkey.backed_up,
        "enrolled_at": to_millis(passkey.enrolled_at),
        "enrolled_by": passkey.enrolled_by,
        "last_used_at": None if passkey.last_used_at is None else to_millis(passkey.last_used_at),
    }


def _passkey(row: Any) -> Passkey:
    return Passkey(
        row.credential,
        _owner(row),
        row.public_key,
        Site(row.rp_id, row.origin),
        row.sign_count,
        row.name,
        tuple(filter(None, row.transports.split(","))),
        row.backed_up,
        from_millis(row.enrolled_at),
        PersonId(row.enrolled_by),
        _time(row.last_used_at),
    )
