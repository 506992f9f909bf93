"""Proofs that a stranger can check offline: one entry is in the log, one head continues another.

Text form: c2sp.org/tlog-proof, version 1.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger import checkpoint, entry, note, tree
from ringfence.ledger.entry import Entry
from ringfence.ledger.model import SignedCheckpoint
from ringfence.ledger.tree import EMPTY_ROOT, HASH_SIZE, MAX_SIZE

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63  # the height of the largest tree
MAX_EXTRA = 64 * 2**10  # opaque data of an application; room for one small envelope
MAX_PROOF = 2 * MAX_EXTRA + MAX_HASHES * 45 + note.MAX_NOTE
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class LogProof:
    """An inclusion proof with the checkpoint that it leads to; `extra` is authenticated by nothing."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str  # the note, signatures included; not verified yet
    extra: bytes | None = None

    def __str__(self) -> str:
        extra = [] if self.extra is None else [f"extra {note.encode_base64(self.extra)}"]
        hashes = [note.encode_base64(item) for item in self.hashes]
        return "\n".join([HEADER, *extra, f"index {self.index}", *hashes, "", self.checkpoint])


def parse(data: str | bytes, *, source: str = "") -> LogProof:
    """Parse the text form of a proof, or raise `MalformedInput`; nothing is verified."""
    if len(data) > MAX_PROOF:
        raise MalformedInput(f"the proof is longer than {MAX_PROOF} bytes", source=source)
    try:
        text = data.decode() if isinstance(data, bytes) else data.encode().decode()
    except UnicodeError as error:
        raise MalformedInput("the proof is not UTF-8 text", source=source) from error
    head, blank, signed = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != HEADER or not blank:
        raise MalformedInput(f"not a log proof: {HEADER}, index, hashes, an empty line, a checkpoint", source=source)
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = note.decode_base64(lines.pop(0).removeprefix("extra "), "the extra data of the proof")
    if not lines or not (index := _INDEX.fullmatch(lines[0])) or int(index[1]) >= MAX_SIZE:
        raise MalformedInput("the proof does not say the index of its entry", source=source)
    checkpoint.parse_text(note.parse(signed, source=source).text, source=source)
    return LogProof(int(index[1]), _hashes(lines[1:], source), signed, extra)


def verify_entry(data: bytes, index: int, proof: Sequence[bytes], signed: SignedCheckpoint) -> Entry:
    """Return the entry that `data` is, once it is shown to be number `index` of the log at a verified checkpoint.

    Raises:
        VerificationFailed: it is not.
    """
    head = signed.checkpoint
    tree.verify_inclusion(index, head.size, tree.leaf_hash(data), proof, head.root)
    return entry.decode(data)


def verify_head(trusted: SignedCheckpoint, current: SignedCheckpoint, proof: Sequence[bytes]) -> SignedCheckpoint:
    """Return `current`, once it is shown to continue `trusted`, a head that was kept outside the log's reach.

    `proof` is empty where the sizes are equal, or where the head kept is that of an empty log, which any log
    continues.

    Raises:
        VerificationFailed: the log was cut short, rebuilt or forked.
    """
    old, new = trusted.checkpoint, current.checkpoint
    kept = f"the head kept, of {to_text(trusted.signed_at)}, has {old.size} entries"
    if old.origin != new.origin:
        raise VerificationFailed(f"the head kept is of the log {old.origin}, not of {new.origin}")
    if new.size < old.size:
        raise VerificationFailed(f"the log is shorter than a head exported before: {kept}, the log has {new.size}")
    if old.size == 0:
        if proof or old.root != EMPTY_ROOT:
            raise VerificationFailed("nothing is to be proven about the head of an empty log")
        return current
    try:
        tree.verify_consistency(old.size, old.root, new.size, new.root, proof)
    except VerificationFailed as error:
        raise VerificationFailed(f"the log was rebuilt or forked: {kept}; {error}") from error
    return current


def _hashes(lines: Sequence[str], source: str) -> tuple[bytes, ...]:
    if len(lines) > MAX_HASHES:
        raise MalformedInput(f"an inclusion proof has at most {MAX_HASHES} hashes", source=source)
    hashes = tuple(note.decode_base64(line, "a hash of the proof") for line in lines)
    if any(len(item) != HASH_SIZE for item in hashes):
        raise MalformedInput(f"every hash of a proof has {HASH_SIZE} bytes", source=source)
    return hashes
