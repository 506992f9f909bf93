"""`init`: a home, its keys, its first people, its first head; and what to keep elsewhere."""

import secrets
import shutil
from collections.abc import Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.app import wire
from ringfence.enrolment import NewPerson, in_its_book, operator_enrolled, service_enrolled
from ringfence.identity.model import PersonRecord, TenantRecord
from ringfence.identity.service import hashed
from ringfence.identity.store import RevocationFile
from ringfence.installation import GATEWAY_KEY, Home, SystemClock, claim, create_home, finish_home
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import SALT_SIZE, commit
from ringfence.kernel.envelope import key_id_of
from ringfence.kernel.errors import Refused, RingfenceError, UsageError
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.kernel.statement import Draft, Issuance, KeyRole
from ringfence.ledger import trust
from ringfence.ledger.model import SignedCheckpoint, Trust
from ringfence.services import Services
from ringfence.signing.opening import in_process
from ringfence.storage import keyfile
from ringfence.storage.database import Database
from ringfence.storage.files import write_whole
from ringfence.storage.journal import JournalFile
from ringfence.storage.migrations import clear, upgrade, version
from ringfence.storage.shares import join_files
from ringfence.storage.signer import Ed25519Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.storage.keyfile import KeyFile

SERVICE_ROLES = (KeyRole.CONTROL_PLANE, KeyRole.LEDGER, KeyRole.EMERGENCY)


@dataclass(frozen=True, slots=True)
class Initialised:
    """What `init` made."""

    home: Home
    people: tuple[NewPerson, ...]
    head: SignedCheckpoint
    trust: Trust
    trust_path: Path


def initialise(
    path: Path,
    *,
    log: LogOrigin,
    tenant: Tenant,
    people: Iterable[NewPerson],
    demo: bool,
    passphrase: bytes | None = None,
    root_to: Path | None = None,
    trust_to: Path | None = None,
    clock: Clock | None = None,
    database: str = "",
    tiles: str = "",
) -> Initialised:
    """Make a home; where anything fails, remove what was made of it.

    Raises:
        UsageError: there is a home already, the directory is not empty, or a destination exists.
        Unavailable: the place cannot be written.
    """
    time = clock or SystemClock()
    known = tuple(people)
    with _removed_on_failure(path, claim(path), root_to):
        home, root = create_home(
            path,
            log=log,
            tenant=tenant,
            passphrase=passphrase,
            root_to=root_to,
            at=time.now(),
            database=database,
            tiles=tiles,
        )
        RevocationFile(path / "revoked").create()
        JournalFile(path / "journal" / tenant).create()
        with _new_database(home) as opened:
            head, trusted = _first_head(home, opened, root, known, demo=demo, passphrase=passphrase, clock=time)
            write_whole(path / "operator", f"{known[0].id}\n".encode())
            write_whole(path / "trust.json", trust.to_text(trusted).encode())
            if trust_to is not None:
                write_whole(trust_to, trust.to_text(trusted).encode(), replace=False)
            finish_home(home)
    return Initialised(home, known, head, trusted, trust_to or path / "trust.json")


def _first_head(
    home: Home,
    database: Database,
    root: bytes,
    people: tuple[NewPerson, ...],
    *,
    demo: bool,
    passphrase: bytes | None,
    clock: Clock,
) -> tuple[SignedCheckpoint, Trust]:
    signer = in_process(home.path, home.log, passphrase, clock)
    with database.transaction():
        services = wire(home, database, signer, clock)
        services.identity.people.add_tenant(TenantRecord(home.tenant, demo, clock.now()))
    services = wire(home, database, signer, clock)
    with database.transaction():
        _enrol_all(services, Ed25519Signer.from_seed(root), people, home.service_keys(passphrase), passphrase)
    head = services.ledger.integrate() or services.ledger.head()
    return head, Trust(home.log, home.root_public, services.ledger.log_keys, (head.note,))


@contextmanager
def _new_database(home: Home) -> "Iterator[Database]":
    """Open the database of a new home and make its tables; where anything fails, drop them again."""
    database = Database(home.database_url)
    try:
        if home.database and version(database) is not None:
            raise UsageError("the database holds an installation already; name an empty one")
        try:
            upgrade(database, fresh=True)
            yield database
        except BaseException:
            with suppress(RingfenceError):
                clear(database)
            raise
    finally:
        database.close()


def _enrol_all(
    services: Services,
    root: Ed25519Signer,
    people: tuple[NewPerson, ...],
    keys: "KeyFile",
    passphrase: bytes | None,
) -> None:
    now = services.clock.now()
    for role in SERVICE_ROLES:
        append_by_root(services, root, service_enrolled(keys, role, now))
    gateway = services.home.gateway_keys(passphrase)
    append_by_root(services, root, service_enrolled(gateway, KeyRole.GATEWAY, now))
    for person in people:
        custody = person.write(services.home.path / "operators", passphrase).custody
        record = PersonRecord(
            person.id, services.home.tenant, person.role, person.name, person.signer.key, hashed(person.token), now
        )
        services.identity.people.add(record)
        append_by_root(services, root, operator_enrolled(person, custody, now))


def append_by_root(services: Services, root: Ed25519Signer, draft: Draft, tenant: Tenant | None = None) -> None:
    """Sign `draft` with the root and sequence it in the open transaction."""
    tenant = tenant or services.home.tenant
    draft = in_its_book(services.outbox.numbers, draft, tenant)
    opening = commit(draft.details, secrets.token_bytes(SALT_SIZE)) if draft.details else None
    nonce = secrets.token_hex(16)
    issuance = Issuance(
        tenant=tenant,
        log=services.home.log,
        issuer=root.key,
        strength=draft.strength,
        sequence=services.outbox.next_sequence(tenant, root.key),
        nonce=nonce,
        idempotency_key=nonce,
        issued_at=services.clock.now(),
        demo=tenant in services.demo_tenants,
    )
    commitment = opening.commitment if opening else None
    statement = draft.issued(issuance, commitment)
    services.outbox.append(root.sign(statement), opening)


def enrol_gateway(services: Services, passphrase: bytes | None, root_path: Path, shares: Sequence[Path] = ()) -> bool:
    """Give a home from before there was a gateway its key, enrolled by the root; return whether that was needed.

    Raises:
        Refused: the root key is not there; the message says what to do.
    """
    home = services.home
    if home.gateway_path.exists():
        services.ledger.integrate()  # an enrolment that waits must not be made twice
        public = Ed25519Signer.from_seed(home.gateway_keys(passphrase).secret(GATEWAY_KEY)).public_key
        if key_id_of(public) in services.ledger.issuers(home.tenant).enrolments:
            return False
    if not shares and not root_path.exists():
        raise Refused(
            "the gateway's key is not enrolled; do it once: ringfence up --root-key FILE, the root key's file"
        )
    root = join_files(shares) if shares else _root(root_path, passphrase)
    if root.public_key != home.root_public:
        raise Refused("this is the root key of another installation; bring the one that this home was made with")
    if not home.gateway_path.exists():
        keyfile.create(home.gateway_path, {GATEWAY_KEY: secrets.token_bytes(32)}, passphrase)
    with services.ledger.publishable():
        draft = service_enrolled(home.gateway_keys(passphrase), KeyRole.GATEWAY, services.clock.now())
        append_by_root(services, root, draft)
    services.ledger.integrate()
    return True


def _root(path: Path, passphrase: bytes | None) -> Ed25519Signer:
    return Ed25519Signer.from_seed(keyfile.load(path, passphrase).secret("root"))


@contextmanager
def _removed_on_failure(path: Path, made: bool, root_to: Path | None) -> "Iterator[None]":  # noqa: FBT001
    root_existed = root_to is not None and root_to.exists()
    try:
        yield
    except BaseException:
        for item in path.iterdir():
            shutil.rmtree(item) if item.is_dir() else item.unlink()
        if made:
            path.rmdir()
        if root_to is not None and not root_existed:
            root_to.unlink(missing_ok=True)
        raise
