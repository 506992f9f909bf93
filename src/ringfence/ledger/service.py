"""Integrate what was sequenced, publish checkpoints, prove, and check the whole chain."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.kernel.clock import Clock, recording_time
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError, MalformedInput, NotFound, Refused, Unavailable
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Statement
from ringfence.ledger import entry, tree
from ringfence.ledger.audit import ChainAudit, audit_chain, chain_verified, heartbeat
from ringfence.ledger.checkpoint import parse_text
from ringfence.ledger.custody import HEAD_EXPORTED
from ringfence.ledger.integrate import plan
from ringfence.ledger.issuers import Issuers, fold
from ringfence.ledger.model import Checkpoint, LoggedStatement, SignedCheckpoint
from ringfence.ledger.ports import Checkpoints, Tiles
from ringfence.ledger.tiletree import TileTree
from ringfence.storage.outbox import Outbox
from ringfence.storage.rows import StoredStatement

GROUP = 10_000  # statements per checkpoint at the most: a bounded transaction
KEY_PREDICATES = (PredicateName("key.enrolled"), PredicateName("key.revoked"))
_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Ledger:
    """The log of one installation."""

    log: LogOrigin
    root_key: bytes
    log_keys: tuple[str, str]
    outbox: Outbox
    checkpoints: Checkpoints
    tiles: Tiles
    tree: TileTree
    sign: Callable[[Checkpoint, datetime], SignedCheckpoint]
    exclusive: Callable[[], AbstractContextManager[None]]
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock

    # Integrate and publish

    def integrate(self) -> SignedCheckpoint | None:
        """Give every pending statement its index and publish one checkpoint over them; None where nothing waits.

        The database commit decides; tiles and the checkpoint file follow from it and are written again after a crash.
        """
        with self.exclusive():
            self._publish()
            signed = self._integrate()
            if signed is not None:
                self._publish()
            return signed

    def _integrate(self) -> SignedCheckpoint | None:
        with self.transaction():
            pending = self.outbox.pending(GROUP)
            if not pending:
                return None
            size = self._size()
            integrated, entries = plan(size, self._newest(size), pending, self.clock.now())
            reader = self.tree.reader(size)
            grown = tree.overlay(tree.grow(size, [tree.leaf_hash(data) for data in entries], reader), reader)
            checkpoint = Checkpoint(self.log, size + len(entries), tree.root(size + len(entries), grown))
            signed = self.sign(checkpoint, self.clock.now())
            self.outbox.assign(integrated)
            self.checkpoints.add(signed)
            return signed

    def _publish(self) -> None:
        """Write the tiles and the checkpoint that the database has committed and the log directory lacks."""
        latest, published = self.checkpoints.latest(), self._published_size()
        size = latest.checkpoint.size if latest else 0
        self._check_age(published, size)
        if latest is None or published == size:
            return
        entries = [entry.encode(at, digest) for _, at, digest in self.outbox.integrated(published, size)]
        root = self.tree.extend(published, entries)
        if root != latest.checkpoint.root:
            raise InternalError(f"the tiles of size {size} do not have the root that the checkpoint signs")
        self.tiles.write("checkpoint", latest.note.encode())

    def published(self, envelope: Digest) -> Acknowledgement:
        """Return once a published checkpoint covers the statement; integrate it if nobody else does."""
        for _ in range(_ATTEMPTS):
            known = self.outbox.acknowledgement(envelope)
            if known is None:
                raise NotFound(f"no statement with the envelope digest {envelope} was recorded here")
            if known.entry is not None and known.entry < self._published_size():
                return replace(known, stage=Stage.PUBLISHED)
            self.integrate()
        raise Unavailable("the log did not publish in time; the statement is sequenced and will be published later")

    @contextmanager
    def publishable(self) -> Iterator[None]:
        """Open a transaction for what is to be published; raise `Unavailable` where the log could not take it in."""
        self.check_publishable()
        with self.transaction():
            yield

    def check_publishable(self) -> None:
        """Raise `Unavailable` where nothing could be published now, so that nothing is written at all.

        That is where the clock stands before the newest entry, or the database is older than the published log.
        """
        size = self._size()
        self._check_age(self._published_size(), size)
        recording_time(self._newest(size), self.clock.now())

    @staticmethod
    def _check_age(published: int, size: int) -> None:
        if published > size:
            raise Unavailable(
                f"the published log has {published} entries and the database only {size}: the database is older than "
                "the log (was it restored from a backup?); nothing is signed until both agree"
            )

    def _size(self) -> int:
        latest = self.checkpoints.latest()
        return latest.checkpoint.size if latest else 0

    def _newest(self, size: int) -> datetime | None:
        last = self.outbox.integrated(size - 1, size) if size else []
        return last[0][1] if last else None

    def _published_size(self) -> int:
        note = self.tiles.read("checkpoint")
        if note is None:
            return 0
        try:
            return parse_text(note.decode("utf-8", "replace").partition("\n\n")[0] + "\n").size
        except MalformedInput as error:
            raise Unavailable(
                f"the published checkpoint is damaged ({error}); delete that file in the log directory, and "
                "it is written again from the database"
            ) from error

    def audit(self) -> ChainAudit:
        """Check the whole chain, of all tenants: envelopes, entries, tree and checkpoints."""
        published = self.tiles.read("checkpoint")
        with self.exclusive():
            self._publish()  # from here on the tiles reach as far as the head, whoever integrates meanwhile
            head = self.head()
        size = head.checkpoint.size
        fresh = TileTree(self.tiles)  # reads the tiles again: what was cached may have been changed since
        return audit_chain(
            log=self.log,
            log_keys=self.log_keys,
            head=head,
            entries=fresh.entries(0, size),
            envelopes=self.outbox.envelopes(0, size),
            recorded=self.outbox.integrated(0, size),
            checkpoints=[signed for signed in self.checkpoints.all() if signed.checkpoint.size <= size],
            published=published,
            read=fresh.reader(size),
        )

    def record_chain(self, tenant: Tenant) -> Acknowledgement:
        """Check the whole chain and state the outcome."""
        found = self.audit()
        sources = len({logged.envelope.signer for logged in self.statements(tenant)})
        with self.transaction():
            return self.outbox.record(chain_verified(tenant, found, sources), tenant=tenant)

    def record_heartbeat(self, tenant: Tenant) -> Acknowledgement:
        """Check every source's sequence for gaps and state the outcome."""
        draft = heartbeat(tenant, self.statements(tenant), self.head())
        with self.transaction():
            return self.outbox.record(draft, tenant=tenant)

    # Read

    def head(self) -> SignedCheckpoint:
        """Return the newest checkpoint; raise `NotFound` while the log is empty."""
        latest = self.checkpoints.latest()
        if latest is None:
            raise NotFound("the log is empty: nothing has been recorded yet")
        return latest

    def first_head(self) -> SignedCheckpoint:
        """Return the oldest checkpoint, which `init` gives out; raise `NotFound` while the log is empty."""
        first = self.checkpoints.first()
        if first is None:
            raise NotFound("the log is empty: nothing has been recorded yet")
        return first

    def checkpoint(self, size: int) -> SignedCheckpoint:
        """Return the checkpoint of exactly this size."""
        found = self.checkpoints.at_size(size)
        if found is None:
            raise NotFound(f"this log never published a checkpoint of size {size}")
        return found

    def check_exported(self, statement: Statement) -> None:
        """Return where a `ledger.head_exported` statement names a head that this log published; raise `Refused`.

        Packs are proven against every head that was stated: a false one would make each of them fail for ever.
        """
        claims = statement.claims
        size = claims.get("size")
        signed = self.checkpoints.at_size(size) if type(size) is int else None
        if (
            statement.predicate != HEAD_EXPORTED
            or signed is None
            or claims.get("root") != signed.checkpoint.root.hex()
            or statement.subjects[0].digest != Digest.of(signed.note.encode())
        ):
            raise Refused("this log never published the head that is named; take it from `ringfence ledger head`")

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> list[LoggedStatement]:
        """Return a tenant's statements in log order, each with the standing of its key when it was recorded."""
        return self._judged(tenant, self.outbox.statements(tenant, predicates, at=at), at)

    def page(
        self,
        tenant: Tenant,
        *,
        before: int | None = None,
        limit: int = 50,
        predicates: Iterable[PredicateName] | None = None,
        at: datetime | None = None,
    ) -> list[LoggedStatement]:
        """Return a tenant's statements, newest first, from below the entry `before`."""
        found = self.outbox.statements(tenant, predicates, at=at, before=before, limit=limit, newest_first=True)
        return self._judged(tenant, found, at)

    def tally(self, tenant: Tenant, *, at: datetime | None = None) -> dict[PredicateName, int]:
        """Return how many statements of each type were recorded until `at`."""
        return self.outbox.tally(tenant, at=at)

    def entry_of(self, envelope: Digest) -> int | None:
        """Return where a statement stands in the log; None before it has an index, or where it is not known."""
        known = self.outbox.acknowledgement(envelope)
        return known.entry if known is not None else None

    def issuers(self, tenant: Tenant, at: datetime | None = None) -> Issuers:
        """Return every key that the root enrolled for a tenant, with what became of it."""
        keys = self.outbox.statements(tenant, KEY_PREDICATES, at=at)
        return fold([(stored.recorded_at, stored.envelope) for stored in keys], self.root_key)

    def inclusion_proof(self, entry: int, size: int) -> tuple[bytes, ...]:
        """Prove that an entry is in the tree of a published size."""
        return tree.inclusion_proof(entry, size, self.tree.reader(self._published_size()))

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Prove that the tree of size `new` continues the one of size `old`."""
        return tree.consistency_proof(old, new, self.tree.reader(self._published_size()))

    def _judged(self, tenant: Tenant, found: Sequence[StoredStatement], at: datetime | None) -> list[LoggedStatement]:
        # As known then: a revocation that came later must not change what was shown before.
        issuers = self.issuers(tenant, at)
        return [_logged(stored, issuers) for stored in found]


def _logged(stored: StoredStatement, issuers: Issuers) -> LoggedStatement:
    standing, issuer = issuers.at(stored.envelope.signer, stored.recorded_at)
    return LoggedStatement(stored.entry, stored.recorded_at, stored.envelope, stored.opening, standing, issuer)
