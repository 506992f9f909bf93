"""Whether a witness cosigns: a pure function of what is submitted, what it saw last, and whose logs it watches."""

import hmac
from collections.abc import Iterable, Mapping, Sequence

from ringfence.kernel import identifier
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger import checkpoint, note, tree
from ringfence.ledger.anchors.exchange import SIZE_TYPE, Submission
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.note import Note, Signature, SignatureType, VerifierKey
from ringfence.ledger.witness.model import Accepted, Answer, KnownLog

MAX_LOGS = 256
_SIGNS = frozenset({SignatureType.ED25519, SignatureType.ML_DSA_44})


def known_logs(vkeys: Sequence[str]) -> Mapping[LogOrigin, KnownLog]:
    """Return the logs that verifier keys name; several keys of one name are one log, which signs with all of them.

    Raises:
        MalformedInput: one is not the verifier key of a log, or two are the same.
    """
    found: dict[LogOrigin, KnownLog] = {}
    for key in map(VerifierKey.parse, vkeys):
        if key.kind not in _SIGNS:
            raise MalformedInput(f"{key.name} is a witness's key; a log has keys of the types 0x01 and 0x06")
        origin = identifier.log_origin(key.name)
        before = found[origin].keys if origin in found else ()
        if any(each.kind is key.kind for each in before):
            raise MalformedInput(
                f"the log {origin} is given two keys of one type; where it replaced its keys, name the new ones alone: "
                "what was seen of it stays, and the next head has to continue that"
            )
        found[origin] = KnownLog(origin, (*before, key))
    if not 0 < len(found) <= MAX_LOGS:
        raise MalformedInput(
            f"a witness watches 1 to {MAX_LOGS} logs; name their keys, as `ringfence ledger head` does"
        )
    return found


def open_submitted(submitted: Submission, logs: Mapping[LogOrigin, KnownLog]) -> Accepted | Answer:
    """Return the checkpoint that was submitted, once its log is known and has signed it with every key; or why not."""
    parsed = note.parse(submitted.note)
    head = checkpoint.parse_text(parsed.text)
    log = logs.get(head.origin)
    if log is None:
        return Answer(404, f"this witness does not watch the log {head.origin}\n")
    try:
        for key in log.keys:
            checkpoint.verify_by(parsed, head, key)
    except VerificationFailed as error:
        return Answer(403, f"{error}\n")
    if submitted.old > head.size:
        return Answer(400, "the old size is larger than the checkpoint's\n")
    return Accepted(head, str(Note(parsed.text, tuple(_by(parsed.signatures, log.keys)))))


def judge(accepted: Accepted, submitted: Submission, latest: Checkpoint | None) -> Accepted | Answer:
    """Return the head where it continues the newest that was cosigned, or what to answer instead."""
    head, size = accepted.checkpoint, latest.size if latest else 0
    if submitted.old != size:
        return Answer(409, f"{size}\n", SIZE_TYPE)
    if latest is None or size == 0:
        return accepted if not submitted.proof else Answer(422, "nothing is to be proven about an empty log\n")
    if head.size == size and not hmac.compare_digest(head.root, latest.root):
        return Answer(409, f"{size}\n", SIZE_TYPE)
    try:
        tree.verify_consistency(size, latest.root, head.size, head.root, submitted.proof)
    except VerificationFailed as error:
        return Answer(422, f"{error}\n")
    return accepted


def _by(signatures: Iterable[Signature], keys: Sequence[VerifierKey]) -> Iterable[Signature]:
    """Keep the log's own signatures: what else hangs on a note is not the witness's to store."""
    return (each for each in signatures if any(each.is_by(key) for key in keys))
