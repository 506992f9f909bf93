"""Join the desks of signing in to the database, the log and the home."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from ringfence.identity.model import PersonRecord
from ringfence.identity.ports import Revocations
from ringfence.identity.signin.codes import CodeDesk
from ringfence.identity.signin.guard import Guard
from ringfence.identity.signin.keyring import CodeTable, PasskeyTable
from ringfence.identity.signin.model import Owner
from ringfence.identity.signin.passkeys import PasskeyDesk
from ringfence.identity.signin.ports import Hasher, Log, Passes
from ringfence.identity.signin.service import SignIn
from ringfence.identity.signin.sessions import SessionDesk
from ringfence.identity.signin.store import AttemptTable, CeremonyTable, SessionTable
from ringfence.kernel.clock import Clock
from ringfence.kernel.evidence import Recorder
from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.storage.database import Database
from ringfence.storage.slowhash import SlowHash
from ringfence.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class ActivePeople:
    """`Register` over the people of this installation and the list of those whose access ended at once."""

    people: Passes
    revocations: Revocations

    def active(self, owner: Owner) -> PersonRecord | None:
        """Return the person, unless access has ended."""
        record = self.people.by_id(owner.tenant, owner.person)
        if record is None or record.removed_at is not None or record.id in self.revocations:
            return None
        return record


@dataclass(frozen=True, slots=True)
class Ground:
    """What signing in stands on."""

    database: Database
    register: ActivePeople
    recorder: Recorder
    log: Log
    vault: Vault
    clock: Clock
    hasher: Hasher
    signs: Callable[[Tenant, KeyId], bool]


def signing_in(
    database: Database,
    people: Passes,
    revocations: Revocations,
    recorder: Recorder,
    log: Log,
    vault: Vault,
    clock: Clock,
    hasher: Hasher | None = None,
    signs: Callable[[Tenant, KeyId], bool] = lambda _tenant, _key: False,
) -> SignIn:
    """Join ports and adapters."""
    register = ActivePeople(people, revocations)
    ground = Ground(database, register, recorder, log, vault, clock, hasher or SlowHash(), signs)
    sessions = SessionDesk(
        SessionTable(database),
        PasskeyTable(database),
        register,
        database.transaction,
        clock,
        lambda: secrets.token_urlsafe(32),
    )
    guard = Guard(AttemptTable(database), vault, database.transaction, clock)
    return SignIn(sessions, _passkeys(ground), _codes(ground, guard), guard, register, people, log.publishable)


def _passkeys(ground: Ground) -> PasskeyDesk:
    return PasskeyDesk(
        PasskeyTable(ground.database),
        CeremonyTable(ground.database),
        ground.register,
        ground.recorder,
        ground.log,
        ground.database.transaction,
        ground.log.publishable,
        ground.clock,
        secrets.token_bytes,
        ground.signs,
    )


def _codes(ground: Ground, guard: Guard) -> CodeDesk:
    return CodeDesk(
        CodeTable(ground.database),
        SessionTable(ground.database),
        ground.register,
        guard,
        ground.hasher,
        ground.vault,
        ground.recorder,
        ground.log,
        ground.database.transaction,
        ground.log.publishable,
        ground.clock,
        secrets.token_bytes,
    )
