"""The signer itself: judge, remember, sign. The same object serves its own process and one command without `up`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import VerificationFailed
from ringfence.kernel.statement import KeyRole, parse_payload
from ringfence.ledger import checkpoint
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.signing import policy
from ringfence.signing.keyring import ServiceKeys
from ringfence.signing.model import Mark, PublicKeys
from ringfence.signing.ports import Marks


@dataclass(frozen=True, slots=True)
class Desk:
    """`Signer` over keys in this process."""

    keys: ServiceKeys
    marks: Marks
    clock: Clock
    published: Callable[[], str | None]  # the note that the log shows, for a home from before there was a mark

    def public(self) -> PublicKeys:
        """Return the public halves."""
        return self.keys.public

    def check(self) -> None:
        """Raise `Unavailable` where nothing can be signed now: never, while this process lives."""

    def state(self, role: KeyRole, payload: bytes) -> bytes:
        """Return the signature of a role's key over the payload of a statement."""
        policy.check_statement(role, parse_payload(payload), self.keys.public, self.clock.now())
        return self.keys.statement(role, payload)

    def head(self, head: Checkpoint, at: datetime, proof: Sequence[bytes] = ()) -> SignedCheckpoint:
        """Sign a head of the log, once it is durable that it was."""
        with self.marks.held() as last:
            known = last or self._first()
            mark = policy.next_mark(known, self._own(head), at, proof, self.clock.now())
            self.marks.put(mark)  # the same one too: whoever put it before may have ended before it was durable
            return self.keys.head(head, mark)

    def signed_last(self) -> Checkpoint | None:
        """Return the head that was signed last, as the mark says; None where nothing was signed yet."""
        with self.marks.held() as mark:
            return None if mark is None else Checkpoint(self.keys.public.log, mark.size, mark.root)

    def snapshot(self, signed: bytes) -> bytes:
        """Return the control plane's signature over a snapshot for the gateway."""
        policy.check_snapshot(signed, self.clock.now())
        return self.keys.snapshot(signed)

    def _own(self, head: Checkpoint) -> Checkpoint:
        if head.origin != self.keys.public.log:
            raise VerificationFailed(f"the signer signs heads of {self.keys.public.log}, not of {head.origin}")
        return head

    def _first(self) -> Mark | None:
        """Return where a log stands that was signed before there was a mark."""
        note = self.published()
        if note is None:
            return None
        known = checkpoint.open_note(note, self.keys.public.ledger, self.keys.public.log)
        return Mark(known.checkpoint.size, known.checkpoint.root, known.signed_at)
