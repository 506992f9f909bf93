"""What a log and a witness send each other: c2sp.org/tlog-witness, both directions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ringfence.kernel.errors import MalformedInput
from ringfence.ledger import note
from ringfence.ledger.note import MAX_NOTE
from ringfence.ledger.tree import HASH_SIZE, MAX_SIZE

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
MAX_HASHES = 63
MAX_BODY = 64 * 64 + MAX_NOTE
MAX_ANSWER = 64 * 2**10  # a dozen cosignatures of ML-DSA-44; whoever sends more is none of ours
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint for a witness, with the proof that it continues the one of size `old`."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def __str__(self) -> str:
        return "\n".join([f"old {self.old}", *map(note.encode_base64, self.proof), "", self.note])


def parse_submission(data: bytes) -> Submission:
    """Parse what a log submits, or raise `MalformedInput`; nothing is verified."""
    if len(data) > MAX_BODY:
        raise MalformedInput(f"a submission has at most {MAX_BODY} bytes")
    try:
        head, blank, signed = data.decode().partition("\n\n")
    except UnicodeError as error:
        raise MalformedInput("the submission is not UTF-8 text") from error
    first, *hashes = head.split("\n")
    old = _OLD.fullmatch(first)
    if not blank or old is None or int(old[1]) > MAX_SIZE:
        raise MalformedInput("a submission is: old and a size, hashes, an empty line, a checkpoint")
    return Submission(int(old[1]), _hashes(hashes), signed)


def parse_cosignatures(text: str) -> tuple[str, ...]:
    """Parse what a witness answers to a head that it cosigned, or raise `MalformedInput`; nothing is verified."""
    if not text.endswith("\n") or len(text) > MAX_ANSWER:
        raise MalformedInput("a witness answers with signature lines")
    return tuple(text[:-1].split("\n"))


def parse_size(text: str) -> int:
    """Parse the size that a witness names when it holds another head than was thought."""
    found = _SIZE.fullmatch(text)
    if found is None or int(found[1]) > MAX_SIZE:
        raise MalformedInput("a witness that holds another head answers with its size")
    return int(found[1])


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_HASHES:
        raise MalformedInput(f"a consistency proof has at most {MAX_HASHES} hashes")
    hashes = tuple(note.decode_base64(line, "a hash of the proof") for line in lines)
    if any(len(item) != HASH_SIZE for item in hashes):
        raise MalformedInput(f"every hash of a proof has {HASH_SIZE} bytes")
    return hashes
