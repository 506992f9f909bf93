"""Successions: the root says that another pair of keys signs the heads of a log from a size on. Pure.

Format and rules: docs/specs/succession.md. Whoever pins the root can follow a log through every pair of its keys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import InternalError, MalformedInput, VerificationFailed
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Draft, KeyRole, Strength, Subject
from ringfence.ledger import checkpoint, note
from ringfence.ledger.entry import MAX_ENTRY
from ringfence.ledger.issuers import ENROLLED
from ringfence.ledger.model import Checkpoint, SignedCheckpoint, Trust
from ringfence.ledger.note import Note, VerifierKey
from ringfence.ledger.ports import Successions
from ringfence.ledger.tree import HASH_SIZE

KEYS_REPLACED = PredicateName("ledger.keys_replaced")
MAX_SUCCESSIONS = 64
REASONS = frozenset({"compromised", "lost", "superseded"})
_CLAIMS = frozenset({"fromRoot", "fromSize", "newKeys", "oldKeys", "origin", "reason"})

Pair = tuple[str, str]  # vkeys: Ed25519, then ML-DSA-44


@dataclass(frozen=True, slots=True)
class Succession:
    """One pair of keys follows another; two statements that say the same are one succession."""

    old: Digest  # of the pair that signs no more
    new: Pair
    size: int  # of the last head that the old pair signed
    root: bytes  # of that head
    reason: str


@dataclass(frozen=True, slots=True)
class LogKeys:
    """Every pair of keys that a reader knows a log by, each with the sizes of heads that it signs."""

    log: LogOrigin
    first: Pair
    successions: tuple[Succession, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Return the pairs, oldest first."""
        return (self.first, *(each.new for each in self.successions))

    @property
    def current(self) -> Pair:
        """Return the pair that signs now."""
        return self.pairs[-1]

    def of(self, size: int) -> Pair:
        """Return the one pair that may sign a head of this size."""
        return self.pairs[sum(each.size < size for each in self.successions)]

    def open(self, data: str | bytes, *, source: str = "") -> SignedCheckpoint:
        """Return the checkpoint that a note holds, once it is signed by the pair that signs heads of its size.

        Raises:
            MalformedInput: it is not a checkpoint.
            VerificationFailed: it is of another log, or not signed by this pair, or not the head that was replaced at.
        """
        parsed = note.parse(data, source=source)
        head = checkpoint.parse_text(parsed.text, source=source)
        try:
            signed = checkpoint.open_note(data, self.of(head.size), self.log, source=source)
        except VerificationFailed as error:
            raise VerificationFailed(self._explained(str(error), parsed, head)) from error
        for each in self.successions:
            if each.size == head.size and each.root != head.root:
                raise VerificationFailed(f"it is not the head of size {head.size} at which the keys were replaced")
        return signed

    def _explained(self, reason: str, parsed: Note, head: Checkpoint) -> str:
        """Say which pair signed a head instead, as far as that is known."""
        if head.origin != self.log:
            return reason
        for number, pair in enumerate(self.pairs):
            key = VerifierKey.parse(pair[0])
            if pair == self.of(head.size) or not any(each.is_by(key) for each in parsed.signatures):
                continue
            if number < len(self.successions) and self.successions[number].size < head.size:
                ended = self.successions[number]
                return f"it is signed by log keys that were replaced behind size {ended.size} ({ended.reason})"
            return f"it is signed by log keys that sign only heads of more than {self.successions[number - 1].size}"
        if any(each.name == self.log and not self._known(each.key_id) for each in parsed.signatures):
            return f"{reason}; {MAYBE_REPLACED}"
        return reason

    def _known(self, key_id: bytes) -> bool:
        return any(VerifierKey.parse(key).key_id == key_id for pair in self.pairs for key in pair)


MAYBE_REPLACED = (
    "other keys signed it: the log was rebuilt, or its keys were replaced since you got your trust file. Its operator "
    "brings that up to date with `ringfence ledger head -o FILE`, which your root key verifies"
)


def pair_digest(pair: Pair) -> Digest:
    """Return the digest by which a succession names a pair: over both vkeys, each ended by a newline."""
    return Digest.of("".join(f"{vkey}\n" for vkey in pair).encode())


def replaced(old: Pair, new: Pair, last: Checkpoint, reason: str) -> Draft:
    """State that a pair signs no more beyond `last`, its newest head, and which one does."""
    about = pair_digest(new)
    claims = {
        "origin": last.origin,
        "oldKeys": str(pair_digest(old)),
        "newKeys": list(new),
        "fromSize": last.size,
        "fromRoot": last.root.hex(),
        "reason": reason,
    }
    return Draft(KEYS_REPLACED, (Subject(f"log-keys/{about.hex[:16]}", about),), claims, Strength.DOCUMENTED)


def parse(envelope: Envelope, root: bytes, log: LogOrigin) -> Succession:
    """Return what a statement says of a log's keys, once the root is shown to have signed it.

    Raises:
        MalformedInput: it is no such statement.
        VerificationFailed: another key signed it, or it is of another log.
    """
    statement = envelope.verify(root)
    if statement.predicate != KEYS_REPLACED or statement.claims.keys() != _CLAIMS:
        raise MalformedInput(f"a succession of log keys is a {KEYS_REPLACED} statement with its six claims")
    claims = statement.claims
    if claims["origin"] != log or statement.issuance.log != log:
        raise VerificationFailed(f"the succession is of the log {str(claims['origin'])[:128]}, not of {log}")
    match claims:
        case {"newKeys": [str() as first, str() as second], "fromSize": int() as size, "reason": str() as reason}:
            checkpoint.parse_log_keys((first, second), log)
        case _:
            raise MalformedInput("a succession names two new keys, a size and a reason")
    if size is True or not 0 < size <= MAX_ENTRY or reason not in REASONS:
        raise MalformedInput(f"fromSize is a whole number from 1 on, and reason one of {', '.join(sorted(REASONS))}")
    root_hash, about = Digest.parse(claims["fromRoot"]), pair_digest((first, second))
    if len(root_hash.value) != HASH_SIZE or [subject.digest for subject in statement.subjects] != [about]:
        raise MalformedInput("the subject of a succession is its new pair")
    return Succession(Digest.parse(claims["oldKeys"]), (first, second), size, root_hash.value, reason)


def listed(values: Any) -> tuple[bytes, ...]:
    """Return the envelopes of a list of successions, unread; who replaced no keys leaves the whole list out."""
    if not isinstance(values, list) or not 0 < len(values) <= MAX_SUCCESSIONS:
        raise MalformedInput(f"successions are a list of 1 to {MAX_SUCCESSIONS} statements of the root")
    return tuple(map(digest.dumps, values))


def chained(log: LogOrigin, first: Pair, successions: Sequence[Succession]) -> LogKeys:
    """Return the keys of a log whose first pair is known; raise `VerificationFailed` where one does not follow."""
    pair, size, seen = first, 0, {*_material(first)}
    if len(successions) > MAX_SUCCESSIONS:
        raise VerificationFailed(f"a log replaces its keys at most {MAX_SUCCESSIONS} times")
    for each in successions:
        if each.old != pair_digest(pair):
            raise VerificationFailed("a succession of log keys does not follow on the pair before it: two of one pair?")
        if each.size < size:
            raise VerificationFailed("a succession of log keys begins before the one in front of it")
        if seen & _material(each.new):
            raise VerificationFailed("a succession of log keys brings back a key that was replaced")
        pair, size, seen = each.new, each.size, seen | _material(each.new)
    return LogKeys(log, first, tuple(successions))


def joined(own: LogKeys, offered: Iterable[Succession], first: Pair | None = None) -> LogKeys:
    """Return the keys that a reader knows after hearing of successions; `first` is the pair in front of them.

    What the reader knew stays: a second succession of a pair is refused. Without `first`, those of pairs that the
    reader does not know are left out.

    Raises:
        VerificationFailed: they contradict what the reader knows, or do not lead to it or on from it.
    """
    following: dict[Digest, Succession] = {}
    for each in (*own.successions, *offered):
        if following.setdefault(each.old, each) != each:
            raise VerificationFailed("two successions of one pair of log keys: the root signed both, and one is wrong")
    start = own.first
    if first is not None and pair_digest(first) not in _reached(start, following):
        if pair_digest(start) not in _reached(first, following):
            raise VerificationFailed(
                "the log is signed by other keys than those you trust: it was rebuilt, or it is another log; nothing "
                "here shows that its root replaced them"
            )
        start = first
    keys = chained(own.log, start, [following[each] for each in _reached(start, following) if each in following])
    if first is not None and len(keys.successions) != len(following):
        raise VerificationFailed("a succession of log keys leads neither to the keys that you trust nor on from them")
    return keys


def keys_of(trust: Trust) -> LogKeys:
    """Return the keys that a trust file names, with the successions in it; raise `MalformedInput`."""
    try:
        found = [parse(envelope, trust.root, trust.log) for envelope in trust.successions]
        return chained(trust.log, trust.log_keys, found)
    except VerificationFailed as error:
        raise MalformedInput(f"a succession in the trust file does not count: {error}") from error


def extended(trust: Trust, offered: Sequence[Envelope], first: Pair) -> Trust:
    """Return a trust file that knows these successions as well, once they hold under the root that it names.

    Raises:
        VerificationFailed: they do not.
    """
    parsed = {parse(envelope, trust.root, trust.log): envelope for envelope in (*offered, *trust.successions)}
    keys = joined(keys_of(trust), parsed, first)
    return Trust(
        trust.log,
        trust.root,
        keys.first,
        trust.heads,
        trust.witnesses,
        trust.authorities,
        trust.quorum,
        tuple(parsed[each] for each in keys.successions),
    )


def enrolled_pair(enrolments: Iterable[Envelope], log: LogOrigin, old: Digest | None = None) -> Pair | None:
    """Return the pair that the log's first enrolment of ledger keys names, or the one with the digest `old`."""
    for envelope in enrolments:
        claims = envelope.statement.claims
        if envelope.statement.predicate != ENROLLED or claims.get("role") != KeyRole.LEDGER:
            continue
        if not isinstance(claims.get("mlDsa44PublicKey"), str) or not isinstance(claims.get("publicKey"), str):
            continue
        both = [note.decode_base64(claims[name], name) for name in ("publicKey", "mlDsa44PublicKey")]
        pair = checkpoint.vkeys(log, both[0], both[1])
        if old is None or pair_digest(pair) == old:
            return pair
    return None


def keys_stated(in_service: LogKeys, root: bytes, rows: Successions | None) -> LogKeys:
    """Return every pair of a log by what is stated in it; the one that is in service where nothing is."""
    stated = rows.stated() if rows else ()
    if rows is None or not stated:
        return in_service
    successions = [parse(envelope, root, in_service.log) for envelope in stated]
    first = enrolled_pair(rows.enrolled(), in_service.log, successions[0].old)
    if first is None:
        raise InternalError("the first keys of this log are not enrolled in its own tenant")
    return chained(in_service.log, first, successions)


def told(rows: Successions, tenant: Tenant | None) -> Sequence[Envelope]:
    """Return the successions of a log as they were stated to a tenant, or to the log's own where that was told less."""
    stated = rows.stated()
    theirs = rows.stated(tenant) if tenant and stated else ()
    return theirs if len(theirs) == len(stated) else stated


def _reached(pair: Pair, following: dict[Digest, Succession]) -> list[Digest]:
    """Return the digests of a pair and of all that follow it; a circle ends where it began."""
    found = [pair_digest(pair)]
    while found[-1] in following and (after := pair_digest(following[found[-1]].new)) not in found:
        found.append(after)
    return found


def _material(pair: Pair) -> set[bytes]:
    return {VerifierKey.parse(vkey).public_key for vkey in pair}
