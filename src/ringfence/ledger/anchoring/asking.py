"""What to send whom, when, and what an answer means: pure."""

import re
from datetime import datetime, timedelta

from ringfence.kernel.errors import MalformedInput, UsageError, VerificationFailed
from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness, Conflict, Progress, Reply
from ringfence.ledger.anchors.cosignature import parse_lines, verify_cosignatures
from ringfence.ledger.anchors.exchange import SIZE_TYPE, parse_cosignatures, parse_size
from ringfence.ledger.model import Cosigned, SignedCheckpoint

SUBMIT_EVERY = timedelta(seconds=10)
RETRY_WITNESS = timedelta(minutes=1)
STAMP_EVERY = timedelta(hours=1)
RETRY_STAMP = timedelta(minutes=5)
SKEW = timedelta(minutes=5)  # how far the clock of somebody who anchors may be from ours
_LOCAL = r"(?:127\.0\.0\.1|localhost|\[::1\])"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
_URL = re.compile(rf"(?:https://(?:{_HOST}|{_LOCAL})|http://{_LOCAL})(?::\d{{1,5}})?(?:/[A-Za-z0-9._~%/-]{{0,200}})?")


def address(text: object) -> str:
    """Parse where somebody is asked: HTTPS, or HTTP on this machine; without a slash at the end."""
    if not isinstance(text, str) or len(text) > 512 or not _URL.fullmatch(text):
        raise UsageError("an address is https://HOST/PATH; plain http:// only on loopback")
    return text.rstrip("/")


def due(asked: AskedWitness | AskedAuthority, size: int, now: datetime) -> bool:
    """Say whether somebody is to be asked now about the head of `size`."""
    progress = asked.progress
    if not asked.active or (progress.size == size and not progress.trouble):
        return False
    if isinstance(asked, AskedWitness):
        wait = RETRY_WITNESS if progress.trouble else SUBMIT_EVERY
    else:
        wait = RETRY_STAMP if progress.trouble else STAMP_EVERY
    return progress.tried_at is None or now - progress.tried_at >= wait or now < progress.tried_at


def held_size(reply: Reply) -> int | None:
    """Return the size of the head that a witness says it holds, where that is its answer."""
    if reply.status != 409 or reply.kind.partition(";")[0].strip() != SIZE_TYPE:
        return None
    return parse_size(reply.text)


def conflict(held: int, asked_from: int, size: int) -> Conflict | None:
    """Return what it means that a witness holds a head of `held` entries, asked from one size about another.

    None where it is no conflict: then it is asked again, from the size that it holds.
    """
    if held > size:
        return Conflict("larger-head", held)
    if held == size == asked_from:
        return Conflict("other-root", held)
    return None


def cosigned(
    reply: Reply, head: SignedCheckpoint, witness: AskedWitness, now: datetime
) -> tuple[tuple[str, ...], Cosigned]:
    """Return the witness's own lines of an answer, each verified, and the latest of what they say.

    Raises:
        MalformedInput: it is no answer of a witness.
        VerificationFailed: a line does not verify, none is by the witness, or its clock is far from ours.
    """
    own = {vkey.split("+")[1] for vkey in witness.vkeys}
    given = parse_cosignatures(reply.text)
    lines = tuple(
        text
        for text, line in zip(given, parse_lines(given), strict=True)
        if line.name == witness.name and line.key_id.hex() in own
    )
    found = verify_cosignatures(head.checkpoint, lines, witness.trusted)
    if len(found) != len(lines) or not found:
        raise VerificationFailed(f"the answer holds no cosignature by the keys of {witness.name} that are known here")
    latest = max(found, key=lambda each: each.at)
    if any(abs(each.at - now) > SKEW for each in found):
        raise VerificationFailed(f"the clock of {witness.name} is more than five minutes from ours")
    return lines, latest


def check_fresh(at: datetime, fixed: datetime | None) -> None:
    """Raise where an anchor says to be from before the end of a key that the log already knows of.

    Which statements of that key count is settled by what was there then: nothing that arrives later changes it.
    """
    if fixed is not None and at <= fixed:
        raise VerificationFailed("its clock is behind the end of a key that was revoked meanwhile; it is asked again")


def failed(progress: Progress, now: datetime, because: str) -> Progress:
    """Return the progress after a try that went wrong."""
    return Progress(progress.size, progress.at, now, because[:500])


def refused(reply: Reply, witness: AskedWitness) -> MalformedInput:
    """Return what to say of an answer that is none of the protocol's."""
    return MalformedInput(f"{witness.name} answered {reply.status}; is that a witness, and does it watch this log?")
