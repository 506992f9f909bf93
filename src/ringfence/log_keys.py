"""Replace the log's own pair of keys: the root says which pair follows, and from which head on.

The commit of that statement decides. Before it the old pair signs, behind it the new one, whenever this process is
killed: both lie in the key file until the new one has signed, and every signer takes the one that the database names.
Nobody signs meanwhile. What was begun is finished by the next call; docs/specs/succession.md.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ringfence.app import open_services
from ringfence.enrolment import enrolled_anew, service_enrolled
from ringfence.identity.register import key_revoked
from ringfence.initialise import append_by_root
from ringfence.installation import Home, SystemClock, open_home
from ringfence.kernel.clock import Clock
from ringfence.kernel.envelope import key_id_of
from ringfence.kernel.errors import NotFound, Refused, UsageError
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft, KeyRole
from ringfence.ledger import trust
from ringfence.ledger.model import Checkpoint, SignedCheckpoint, Standing
from ringfence.ledger.note import VerifierKey
from ringfence.ledger.store import decided_in
from ringfence.ledger.succession import (
    LogKeys,
    Pair,
    Succession,
    chained,
    enrolled_pair,
    extended,
    pair_digest,
    replaced,
)
from ringfence.rotation import alone, check_no_gateway, opened, settle
from ringfence.services import Services
from ringfence.settings import Settings
from ringfence.signing.desk import Desk
from ringfence.signing.keyring import LEDGER, LEDGER_SECOND, SEED_SIZE, pair_in
from ringfence.signing.model import STATING
from ringfence.signing.opening import in_process
from ringfence.storage import keyfile
from ringfence.storage.files import read_bounded, write_whole
from ringfence.storage.keyfile import KeyFile
from ringfence.storage.replacement import NEXT
from ringfence.storage.signer import Ed25519Signer

DONE = ".replaced"  # behind the name of a key that follows, until whoever asked for it has been told
LOST = "lost"


@dataclass(frozen=True, slots=True)
class Renewed:
    """The pair that signs from now on, and its first head."""

    pair: Pair
    custody: str
    head: SignedCheckpoint
    resumed: bool  # whether a call before this one had begun it


def renew(settings: Settings, root: Ed25519Signer, reason: str, *, clock: Clock | None = None) -> Renewed:
    """Replace the pair of keys that signs the heads of the log.

    Raises:
        Unavailable: `ringfence up` is running, or a command is under way.
        UsageError: the root key is of another home, or the keys are gone and nobody said that they are lost.
        Refused: the database is older than what was signed.
    """
    home, passphrase = open_home(settings.home, database=settings.database_url), settings.passphrase()
    if root.public_key != home.root_public:
        raise UsageError("this is the root key of another home")
    with alone(home.path):
        check_no_gateway(home.path)
        held, resumed = _begun(home, reason, passphrase)
        if LEDGER + DONE not in held.secrets:
            if not decided_in(home.database_url, home.tenant)(pair_in(held, home.log, NEXT)):
                if LEDGER in held.secrets:
                    settle(settings, clock)  # whatever waits, the old pair signs: the new one begins at a known head
                _decide(home, settings, root, held, reason, clock or SystemClock())
            held = _switched(home, held, passphrase)
        with opened(settings, clock) as services:
            head = services.ledger.integrate() or services.ledger.head()
            _revoke(services, root, reason)
            _tell(services, head)
        kept = {name: value for name, value in held.secrets.items() if not name.endswith(DONE)}
        held = keyfile.rewrite(home.service_path, kept, passphrase)
    return Renewed(pair_in(held, home.log), held.custody, head, resumed)


def finish_begun(settings: Settings) -> bool:
    """Put the pair in its place that the database names, where a replacement was broken off; return whether it was.

    `ringfence up` does so before it starts its signer, which knows the key file alone.
    """
    home, passphrase = open_home(settings.home, database=settings.database_url), settings.passphrase()
    if not home.service_path.exists() or LEDGER + NEXT not in keyfile.load(home.service_path, passphrase).secrets:
        return False
    with alone(home.path):
        held = keyfile.load(home.service_path, passphrase)
        if LEDGER + NEXT not in held.secrets:
            return False
        if decided := decided_in(home.database_url, home.tenant)(pair_in(held, home.log, NEXT)):
            _switched(home, held, passphrase)
        return decided


def _begun(home: Home, reason: str, passphrase: bytes | None) -> tuple[KeyFile, bool]:
    """Return the key file with the new pair in it, which is durable then, and whether it was there already."""
    path, fresh = home.service_path, {name + NEXT: secrets.token_bytes(SEED_SIZE) for name in (LEDGER, LEDGER_SECOND)}
    if not path.exists():
        _check_lost(path, reason)
        stating = {role.value: secrets.token_bytes(SEED_SIZE) for role in STATING}
        return keyfile.create(path, stating | fresh, passphrase), False
    held = keyfile.load(path, passphrase)
    if {LEDGER + NEXT, LEDGER + DONE} & held.secrets.keys():
        return held, True
    if LEDGER not in held.secrets:
        _check_lost(path, reason)
    return keyfile.rewrite(path, held.secrets | fresh, passphrase), False


def _check_lost(path: Path, reason: str) -> None:
    if reason != LOST:
        raise UsageError(
            f"the log's keys are not in {path}; bring that file back, or say --reason lost: then new ones are made, "
            "of the services too where the whole file is gone"
        )


def _switched(home: Home, held: KeyFile, passphrase: bytes | None) -> KeyFile:
    """Put the new pair into the old one's place; what the old one was is forgotten."""
    named = {name: value for name, value in held.secrets.items() if not name.endswith(NEXT)}
    named |= {name: held.secret(name + NEXT) for name in (LEDGER, LEDGER_SECOND)}
    return keyfile.rewrite(home.service_path, named | {LEDGER + DONE: b"1"}, passphrase)


def _decide(home: Home, settings: Settings, root: Ed25519Signer, held: KeyFile, reason: str, clock: Clock) -> None:
    """State in one transaction, to every tenant, that the new pair follows on the newest head."""
    desk = in_process(home.path, home.log, settings.passphrase(), clock, lambda _: True)
    with open_services(settings, clock=clock, signer=desk) as services, services.ledger.exclusive():
        ledger = services.ledger
        ledger.check_publishable()
        last, keys = ledger.head(), _known_keys(services)
        keys.open(last.note)
        _check_mark(desk, last.checkpoint, ledger.checkpoints.decided())
        new, head = desk.public().ledger, last.checkpoint
        following = Succession(pair_digest(keys.current), new, head.size, head.root, reason)
        chained(keys.log, keys.first, (*keys.successions, following))  # what no reader would follow is not stated
        draft = replaced(keys.current, new, head, reason)
        with ledger.transaction():
            for record in services.identity.people.tenants():
                for each in _drafts(services, record.tenant, held, draft):
                    append_by_root(services, root, each, record.tenant)


def _known_keys(services: Services) -> LogKeys:
    """Return the pairs of the log until now: by what the root enrolled, since the pair in service is the next one."""
    ledger = services.ledger
    if ledger.successions():
        return ledger.keys()
    first = enrolled_pair(ledger.replaced.enrolled() if ledger.replaced else (), ledger.log)
    if first is None:
        raise NotFound("the keys of this log are not enrolled in its own tenant; there is nothing to replace")
    return LogKeys(ledger.log, first)


def _check_mark(desk: Desk, last: Checkpoint, decided: Checkpoint | None) -> None:
    """Raise `Refused` where something newer was signed than the database has: two heads of one size would follow."""
    known = {(head.size, head.root) for head in (last, decided) if head is not None}
    with desk.marks.held() as mark:
        if mark is not None and mark.size >= last.size and (mark.size, mark.root) not in known:
            raise Refused(
                f"a head of {mark.size} entries was signed that the database does not have: it is older than what was "
                "signed (was it restored from a backup?); nothing is replaced until both agree"
            )


def _drafts(services: Services, tenant: Tenant, held: KeyFile, succession: Draft) -> Iterator[Draft]:
    """Yield what the root states to one tenant: which keys are new."""
    now, issuers = services.clock.now(), services.ledger.issuers(tenant)
    following = KeyFile(held.custody, {name: held.secret(name + NEXT) for name in (LEDGER, LEDGER_SECOND)})
    yield service_enrolled(following, KeyRole.LEDGER, now)
    yield succession
    for role in STATING:
        public = services.signer.public().of(role)
        if key_id_of(public) not in issuers.enrolments:  # the file of all of them was lost
            yield enrolled_anew(public, role, held.custody, None, now)


def _revoke(services: Services, root: Ed25519Signer, reason: str) -> None:
    """Let the root revoke what the new keys took the place of; only now, since what had waited is taken in."""
    ledger, public, now = services.ledger, services.signer.public(), services.clock.now()
    pair = VerifierKey.parse(public.ledger[0]).public_key
    in_service = {role: key_id_of(public.of(role)) for role in STATING} | {KeyRole.LEDGER: key_id_of(pair)}
    ended = [
        (record.tenant, key)
        for record in services.identity.people.tenants()
        for issuers in [ledger.issuers(record.tenant)]
        for key, enrolment in issuers.enrolments.items()
        if in_service.get(enrolment.issuer.role, key) != key and issuers.at(key, now)[0] is Standing.TRUSTED
    ]
    if not ended:
        return
    with ledger.publishable():
        for tenant, key in ended:
            append_by_root(services, root, key_revoked(key, reason=reason, at=now), tenant)
    ledger.integrate()


def _tell(services: Services, head: SignedCheckpoint) -> None:
    """Bring the trust file of the home up to date; what outsiders hold, they bring up to date themselves."""
    path, ledger = services.home.path / "trust.json", services.ledger
    try:
        known = trust.parse(read_bounded(path, limit=trust.MAX_TRUST), source=str(path))
    except NotFound:
        known = ledger.trusted()
    told = extended(known, ledger.successions(), ledger.keys().first)
    if head.note not in told.heads and len(told.heads) < trust.MAX_HEADS:
        told = replace(told, heads=(*told.heads, head.note))
    write_whole(path, trust.to_text(told).encode())
