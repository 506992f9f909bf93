"""Integrate what was sequenced, publish checkpoints, prove, and check the whole chain."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, takewhile

from ringfence.kernel.clock import Clock, recording_time
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import InternalError, MalformedInput, NotFound, Refused, Unavailable
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Statement
from ringfence.ledger import entry, tree
from ringfence.ledger.audit import ChainAudit, Stored, audit_chain, chain_verified, heartbeat
from ringfence.ledger.checkpoint import parse_text
from ringfence.ledger.custody import HEAD_EXPORTED
from ringfence.ledger.entry import Place
from ringfence.ledger.integrate import plan
from ringfence.ledger.issuers import Issuers, fold
from ringfence.ledger.model import Anchors, Checkpoint, LoggedStatement, SignedCheckpoint, Trust, Vouched
from ringfence.ledger.ports import Checkpoints, CheckpointSigner, KeptAnchors, Successions, Tiles
from ringfence.ledger.succession import LogKeys, keys_stated, told
from ringfence.ledger.tiletree import TileTree
from ringfence.ledger.tree import HashReader
from ringfence.storage.outbox import Outbox
from ringfence.storage.rows import StoredStatement

GROUP = 10_000  # statements per checkpoint at the most: a bounded transaction
PAGE = 500  # checkpoints that are read at once: 5 KiB each
KEY_PREDICATES = (PredicateName("key.enrolled"), PredicateName("key.revoked"))
_ATTEMPTS = 100
KEYS_BETWEEN = (
    "the keys of this log were replaced, and this signer has others: nothing is signed by them; try again, and where "
    "that does not help, `ringfence key rotate ledger` finishes what was broken off"
)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The log of one installation."""

    log: LogOrigin
    root_key: bytes
    log_keys: tuple[str, str]  # of the signer that is in service
    outbox: Outbox
    checkpoints: Checkpoints
    tiles: Tiles
    tree: TileTree
    sign: CheckpointSigner
    exclusive: Callable[[], AbstractContextManager[None]]
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    check_signer: Callable[[], None] = lambda: None  # raises `Unavailable` where no head could be signed now
    kept: KeptAnchors | None = None
    replaced: Successions | None = None  # None: the keys of this log were never replaced
    vouched_before: Callable[[datetime], Vouched | None] = lambda _: None  # the largest head by another party by then

    # Integrate and publish

    def integrate(self) -> SignedCheckpoint | None:
        """Give every pending statement its index and publish one checkpoint over them; None where nothing waits.

        The database commit decides; signature, tiles and the checkpoint file follow from it, and are made again after
        a crash. So the signer is never asked for two heads of one size, whenever this process is killed.
        """
        with self.exclusive():
            signed = self._sign_decided()
            self._publish()
            if (fresh := self._integrate()) is not None:
                self._publish()
            return fresh or signed

    def _integrate(self) -> SignedCheckpoint | None:
        decided = self._decide()
        return None if decided is None else self._signed(*decided)

    def _decide(self) -> tuple[Checkpoint, HashReader] | None:
        with self.transaction():
            pending = self.outbox.pending(GROUP)
            if not pending:
                return None
            self.check_signer()
            size = self._size()
            integrated, entries = plan(
                size,
                self._newest(size),
                pending,
                self.clock.now(),
                self.outbox.numbers.of(item.tenant for item in pending),
            )
            grown = self._grown(size, entries)
            head = Checkpoint(self.log, size + len(entries), tree.root(size + len(entries), grown))
            self.outbox.assign(integrated)
            self.checkpoints.decide(head)
            return head, grown

    def _sign_decided(self) -> SignedCheckpoint | None:
        """Sign what was decided by an integrator that ended before it had the signature."""
        head = self.checkpoints.decided()
        if head is None:
            return None
        size = self._size()
        grown = self._grown(size, self._entries(size, head.size))
        if tree.root(head.size, grown) != head.root:
            raise InternalError(f"the entries below {head.size} do not have the root that was decided for them")
        return self._signed(head, grown)

    def _signed(self, head: Checkpoint, grown: HashReader) -> SignedCheckpoint:
        size = self._size()
        if self.keys().of(head.size) != self.log_keys:
            raise Unavailable(KEYS_BETWEEN)
        proof = tree.consistency_proof(size, head.size, grown) if size else ()
        signed = self.sign(head, self.clock.now(), proof)
        with self.transaction():
            self.checkpoints.add(signed)
        return signed

    def _grown(self, size: int, entries: Sequence[bytes]) -> HashReader:
        reader = self.tree.reader(size)
        return tree.overlay(tree.grow(size, [tree.leaf_hash(data) for data in entries], reader), reader)

    def _publish(self) -> None:
        """Write the tiles and the checkpoint that the database has committed and the log directory lacks."""
        latest, published = self.checkpoints.latest(), self._published_size()
        size = latest.checkpoint.size if latest else 0
        self._check_age(published, size)
        if latest is None or published == size:
            return
        root = self.tree.extend(published, self._entries(published, size))
        if root != latest.checkpoint.root:
            raise InternalError(f"the tiles of size {size} do not have the root that the checkpoint signs")
        self.tiles.write("checkpoint", latest.note.encode())

    def publish(self) -> None:
        """Publish what is signed already."""
        with self.exclusive():
            self._publish()

    def _entries(self, start: int, end: int) -> list[bytes]:
        """Print the log entries of what the database holds."""
        tags = self._tags()
        return [
            entry.encode(filed.recorded_at, filed.digest, _place(tags.get(filed.tenant), filed.tenant_sequence))
            for filed in self.outbox.integrated(start, end)
        ]

    def _tags(self) -> dict[Tenant, bytes]:
        return {tenant: entry.tenant_tag(known.salt, tenant) for tenant, known in self.outbox.numbers.all().items()}

    def tenant_salt(self, tenant: Tenant) -> bytes | None:
        """Return the salt under which the log names a tenant; None where every entry of it is of version 1."""
        known = self.outbox.numbers.all().get(tenant)
        return known.salt if known else None

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

        That is where the clock stands before the newest entry, the database is older than the published log, or the
        signer is away.
        """
        self.check_signer()
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
        return last[0].recorded_at if last else None

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
        stored = Stored(
            entries=fresh.entries(0, size),
            kept=chain.from_iterable(
                self.outbox.kept(start, min(start + GROUP, size)) for start in range(0, size, GROUP)
            ),
            tags=self._tags(),
            checkpoints=takewhile(lambda signed: signed.checkpoint.size <= size, self._checkpoints()),
            published=published,
            read=fresh.reader(size),
        )
        return audit_chain(self.keys(), head, stored)

    def _checkpoints(self) -> Iterator[SignedCheckpoint]:
        """Yield every checkpoint, smallest first, never many of them in memory."""
        above = -1
        while found := self.checkpoints.all(above=above, limit=PAGE):
            yield from found
            above = found[-1].checkpoint.size

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

    def keys(self) -> LogKeys:
        """Return every pair of keys that this log has had, each with the sizes that it signs."""
        return keys_stated(LogKeys(self.log, self.log_keys), self.root_key, self.replaced)

    def successions(self, tenant: Tenant | None = None) -> Sequence[Envelope]:
        """Return what the root stated of the log's keys; to this tenant, where it was told all of it."""
        return told(self.replaced, tenant) if self.replaced else ()

    def trusted(self) -> Trust:
        """Return what an outsider has to hold of this log, without any head."""
        return Trust(self.log, self.root_key, self.keys().first, (), successions=tuple(self.successions()))

    def head(self) -> SignedCheckpoint:
        """Return the newest checkpoint; raise `NotFound` while the log is empty."""
        latest = self.checkpoints.latest()
        if latest is None:
            raise NotFound("the log is empty: nothing has been recorded yet")
        return latest

    def published_head(self) -> SignedCheckpoint:
        """Return the newest checkpoint that is published: its tiles are there, so that anything can be proven of it."""
        return self.checkpoint(self._published_size())

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

    def heads(self, *, before: int | None = None, limit: int = 50) -> list[SignedCheckpoint]:
        """Return the newest checkpoints, largest first; those below the size `before`."""
        return self.checkpoints.below(before, limit)

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

    def named(self, tenant: Tenant, entries: Collection[int], *, at: datetime | None = None) -> list[LoggedStatement]:
        """Return those of a tenant's statements that stand at these entries, in log order."""
        return self._judged(tenant, self.outbox.named(tenant, entries), at)

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
        known = fold([(stored.recorded_at, stored.envelope, stored.entry) for stored in keys], self.root_key)
        return known.proven(self.vouched_before)

    def ended_at(self) -> datetime | None:
        """Return the newest end of a revoked key of any tenant."""
        return max((at for tenant in self.outbox.numbers.all() if (at := self.issuers(tenant).ended_at)), default=None)

    def inclusion_proof(self, entry: int, size: int) -> tuple[bytes, ...]:
        """Prove that an entry is in the tree of a published size."""
        return tree.inclusion_proof(entry, size, self.tree.reader(self._published_size()))

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Prove that the tree of size `new` continues the one of size `old`."""
        return tree.consistency_proof(old, new, self.tree.reader(self._published_size()))

    def anchors(self, size: int) -> Anchors:
        """Return what others said of the checkpoint of this size; it was verified when it was kept."""
        return self.kept.anchors(size) if self.kept else Anchors()

    def anchored(self) -> Sequence[int]:
        """Return the sizes of the checkpoints of which others said anything: the newest of each who did."""
        return self.kept.newest() if self.kept else ()

    def _judged(self, tenant: Tenant, found: Sequence[StoredStatement], at: datetime | None) -> list[LoggedStatement]:
        # As known then: a revocation that came later must not change what was shown before.
        issuers, salt = self.issuers(tenant, at), self.tenant_salt(tenant)
        tag = None if salt is None else entry.tenant_tag(salt, tenant)
        return [_logged(stored, issuers, tag) for stored in found]


def _logged(stored: StoredStatement, issuers: Issuers, tag: bytes | None) -> LoggedStatement:
    standing, issuer = issuers.at(stored.envelope.signer, stored.recorded_at, stored.entry)
    place = _place(tag, stored.tenant_sequence)
    return LoggedStatement(stored.entry, stored.recorded_at, stored.envelope, stored.opening, standing, issuer, place)


def _place(tag: bytes | None, sequence: int | None) -> Place | None:
    return None if tag is None or sequence is None else Place(tag, sequence)
