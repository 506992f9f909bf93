"""Have heads cosigned and stamped, keep what verifies, and say what is anchored outside."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, RingfenceError, VerificationFailed
from ringfence.kernel.evidence import Acknowledgement, Recorder, Stage
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.ledger.anchoring import asking
from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness, Conflict, Progress, Reply
from ringfence.ledger.anchoring.ports import AnchorRows, PublishedLog, Remote
from ringfence.ledger.anchoring.vouching import known_trust
from ringfence.ledger.anchors import timestamp
from ringfence.ledger.anchors.exchange import Submission
from ringfence.ledger.anchors.judging import judge_anchors, other_parties
from ringfence.ledger.custody import anchored_until
from ringfence.ledger.model import AnchoredHead, LoggedStatement, SignedCheckpoint, Trust, Witness

WITNESS_CONFLICT = PredicateName("ledger.witness_conflict")
NONCE = 8  # bytes
LOOKED_AT = 8  # heads of which one that another party anchored is taken


@dataclass(frozen=True, slots=True)
class Anchoring:
    """The anchors of one log."""

    log: PublishedLog
    rows: AnchorRows
    remote: Remote
    recorder: Recorder
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    random: Callable[[int], bytes]
    trust: Trust  # root and log keys; witnesses and authorities are in the rows
    tenant: Tenant  # in which it is stated what goes wrong

    # Collect

    def turn(self) -> None:
        """Ask everybody who is due about the newest head; whoever is away delays nobody."""
        witnesses = [each for each in self.rows.witnesses() if each.active]
        authorities = [each for each in self.rows.authorities() if each.active]
        if not witnesses and not authorities:
            return
        head, now = self.log.published_head(), self.clock.now()
        size = head.checkpoint.size
        self.submit(head, [each for each in witnesses if asking.due(each, size, now)])
        self.stamp(head, [each for each in authorities if asking.due(each, size, now)])

    def collect(self, *, witnesses: bool, timestamps: bool) -> AnchoredHead:
        """Ask everybody about the newest head now, due or not; return it with what is known of it then."""
        head = self.log.published_head()
        if witnesses:
            self.submit(head, [each for each in self.rows.witnesses() if each.active])
        if timestamps:
            self.stamp(head, [each for each in self.rows.authorities() if each.active])
        return self.anchored(head.checkpoint.size)

    def submit(self, head: SignedCheckpoint, witnesses: Iterable[AskedWitness]) -> None:
        """Have a head cosigned; keep what verifies, and why there is nothing where there is nothing."""
        for witness in witnesses:
            try:
                self._submit(head, witness)
            except RingfenceError as error:
                self._tried(witness, asking.failed(witness.progress, self.clock.now(), str(error)))

    def stamp(self, head: SignedCheckpoint, authorities: Iterable[AskedAuthority]) -> None:
        """Have a head stamped with the time; keep what verifies, and why there is nothing where there is nothing."""
        for authority in authorities:
            try:
                self._stamp(head, authority)
            except RingfenceError as error:
                self._tried(authority, asking.failed(authority.progress, self.clock.now(), str(error)))

    def _submit(self, head: SignedCheckpoint, witness: AskedWitness) -> None:
        size = head.checkpoint.size
        start = min(witness.progress.size, size)
        reply = self._asked(head, witness, start)
        held = asking.held_size(reply)
        if held is not None and asking.conflict(held, start, size) is None:
            start = held  # it knows less or more of us than we thought: after a restore, or on the first time
            reply = self._asked(head, witness, start)
            held = asking.held_size(reply)
        found = asking.conflict(held, start, size) if held is not None else None
        if found is None and reply.status == 422 and start:
            found = Conflict("not-a-continuation", start)
        if found is not None:
            self._state_conflict(head, witness, found)
        if reply.status != 200:
            raise asking.refused(reply, witness)
        now = self.clock.now()
        lines, latest = asking.cosigned(reply, head, witness, now)
        with self.transaction():
            fixed = self.log.ended_at()
            asking.check_fresh(latest.at, fixed)
            self.rows.keep_cosignatures(size, lines, latest.at, after=fixed)
            self.rows.tried(witness, Progress(size, latest.at, now))

    def _asked(self, head: SignedCheckpoint, witness: AskedWitness, start: int) -> Reply:
        size = head.checkpoint.size
        proof = self.log.consistency_proof(start, size) if 0 < start < size else ()
        return self.remote.submit(witness.url, str(Submission(start, proof, head.note)).encode())

    def _stamp(self, head: SignedCheckpoint, authority: AskedAuthority) -> None:
        published, nonce = head.note.encode(), int.from_bytes(self.random(NONCE), "big")
        answer = self.remote.stamp(authority.url, timestamp.request(published, nonce))
        token, now = timestamp.token_of(answer, nonce), self.clock.now()
        stamped = timestamp.verify_timestamp(token, published, [authority.trusted])
        if stamped is None:
            raise VerificationFailed("the time stamp is by somebody else than the authority whose certificate is known")
        if abs(stamped.at - now) > asking.SKEW:
            raise VerificationFailed("the authority's clock is more than five minutes from ours")
        if authority.policy and timestamp.policy_of(token) != authority.policy:
            raise VerificationFailed(f"the time stamp is made under another policy than {authority.policy}")
        with self.transaction():
            asking.check_fresh(stamped.at, self.log.ended_at())
            self.rows.keep_timestamp(head.checkpoint.size, authority.digest, token)
            self.rows.tried(authority, Progress(head.checkpoint.size, stamped.at, now))

    def _tried(self, asked: AskedWitness | AskedAuthority, progress: Progress) -> None:
        with self.transaction():
            self.rows.tried(asked, progress)

    def _state_conflict(self, head: SignedCheckpoint, witness: AskedWitness, found: Conflict) -> None:
        """State, once a day, what a witness holds; it is the witness's word: nobody can be stopped by it."""
        checkpoint, day = head.checkpoint, self.clock.now().date().isoformat()
        draft = Draft(
            WITNESS_CONFLICT,
            (Subject(f"head/{checkpoint.size}", Digest.of(head.note.encode())),),
            {
                "witness": witness.name,
                "party": witness.party,
                "kind": found.kind,
                "size": checkpoint.size,
                "witnessSize": found.size,
            },
            Strength.OBSERVED,
            # At most one of a kind a day: whoever names another size each time does not fill the log.
            idempotency_key=f"witness-conflict/{Digest.of(witness.name.encode()).hex[:16]}/{found.kind}/{day}",
        )
        with self.transaction():
            self.recorder.record(draft, tenant=self.tenant)
        raise VerificationFailed(
            f"{witness.name} holds a head of {found.size} entries that this log, of {checkpoint.size}, does not lead "
            f"to ({found.kind}): was it rolled back or rebuilt? Restore the newest backup, or ask for that head"
        )

    # Read

    def known(self) -> Trust:
        """Return what this installation itself knows of those who anchor, those of the past included."""
        return known_trust(self.rows, self.trust)

    def witnesses(self) -> tuple[Witness, ...]:
        """Return every witness that was ever asked, as a trust file names it."""
        return self.known().witnesses

    def anchored(self, size: int) -> AnchoredHead:
        """Return the head of a size with what others said about it."""
        return self._judged(self.log.checkpoint(size), self.known())

    def heads(self, *, limit: int = 50) -> list[AnchoredHead]:
        """Return the newest head and others that somebody anchored, largest first.

        The newest of each who did come before all others, where the limit lets not everything in.
        """
        trust, newest = self.known(), self.log.head()
        first = dict.fromkeys(reversed(self.rows.newest()))
        ranked = [
            size for size in {**first, **dict.fromkeys(self.rows.sizes(limit=limit))} if size != newest.checkpoint.size
        ]
        sizes = sorted(ranked[: limit - 1], reverse=True)
        return [self._judged(head, trust) for head in (newest, *map(self.log.checkpoint, sizes))]

    def until(self) -> datetime | None:
        """Return until when the log is anchored outside; None where no other party vouches for any of it."""
        trust = self.known()
        return anchored_until(self._judged(self.log.checkpoint(size), trust) for size in self.rows.newest())

    def page(self, *, before: int | None = None, limit: int) -> list[AnchoredHead]:
        """Return every head with what others said about it, largest first; those below the size `before`."""
        trust = self.known()
        return [self._judged(head, trust) for head in self.log.heads(before=before, limit=limit)]

    def covering(self, entry: int) -> AnchoredHead | None:
        """Return the newest head that covers an entry and that somebody anchored; another party before ourselves."""
        trust, fallback = self.known(), None
        for size in self.rows.sizes(least=entry + 1, limit=LOOKED_AT):
            head = self._judged(self.log.checkpoint(size), trust)
            if head.judged.outside_since is not None:
                return head
            fallback = fallback or head
        return fallback

    def conflicts(self, tenant: Tenant) -> list[LoggedStatement]:
        """Return what this log stated about witnesses that hold another head, newest first."""
        return list(reversed(self.log.statements(tenant, (WITNESS_CONFLICT,))))

    def vouched(self, entry: int) -> datetime | None:
        """Return since when another party vouches for a head that covers an entry; None where none does."""
        trust = self.known()
        # Not all of what covers it is read; who came late is among the newest, if not among the first.
        sizes = {*self.rows.sizes(least=entry + 1, newest_first=False), *self.rows.newest()}
        covering = (self._judged(self.log.checkpoint(size), trust) for size in sizes if size > entry)
        return min((since for head in covering if (since := head.judged.outside_since)), default=None)

    def stage(self, tenant: Tenant, entry: int) -> Acknowledgement:
        """Return how far one of a tenant's statements has come."""
        found = self.log.page(tenant, before=entry + 1, limit=1)
        if not found or found[0].entry != entry:
            raise NotFound(f"this tenant has no statement at entry {entry}")
        return self.acknowledged(found[0].envelope.digest)

    def acknowledged(self, envelope: Digest) -> Acknowledgement:
        """Return how far a statement has come: `witnessed` where a quorum of others cosigned heads that cover it."""
        known, trust = self.log.published(envelope), self.known()
        if known.entry is None or not trust.quorum:
            return known
        sizes = [size for size in self.rows.newest() if size > known.entry]
        covering = [self._judged(self.log.checkpoint(size), trust) for size in sizes]
        parties = {party for head in covering for party in other_parties(head.judged.cosigned)}
        return replace(known, stage=Stage.WITNESSED) if len(parties) >= trust.quorum else known

    def _judged(self, head: SignedCheckpoint, trust: Trust) -> AnchoredHead:
        anchors = self.rows.anchors(head.checkpoint.size)
        return AnchoredHead(head, anchors, judge_anchors(head.checkpoint, anchors, trust, head.note))
