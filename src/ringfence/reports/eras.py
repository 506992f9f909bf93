"""The log's pairs of keys over time, as a pack shows them: steps 1, 3 and 7 of docs/specs/pack.md. Pure."""

from collections.abc import Iterator, Sequence

from ringfence.kernel.envelope import parse as parse_envelope
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger.model import Checkpoint, Trust
from ringfence.ledger.succession import KEYS_REPLACED, LogKeys, Succession, joined, keys_of, parse
from ringfence.reports.model import Failure, Header, ProvenHead
from ringfence.reports.records import Numbered, in_full


def keys_for(header: Header, trust: Trust) -> tuple[LogKeys, tuple[Succession, ...], list[Failure]]:
    """Return the keys that the heads of a pack are held against, and what the pack itself says of them.

    They are the reader's own, and those that followed by successions that the root signed which the reader trusts.
    """
    try:
        own = keys_of(trust)
        offered = tuple(parse(parse_envelope(data), trust.root, trust.log) for data in header.successions)
        return joined(own, offered, header.log_keys), offered, []
    except (MalformedInput, VerificationFailed) as error:
        return _alone(trust), (), [Failure(f"the log's keys: {error}")]


def _alone(trust: Trust) -> LogKeys:
    try:
        return keys_of(trust)
    except MalformedInput:  # without a trust file these are the pack's own, and may be anything
        return LogKeys(trust.log, trust.log_keys)


def check_replaced(
    offered: Sequence[Succession], head: Checkpoint | None, earlier: Sequence[ProvenHead]
) -> Iterator[Failure]:
    """Step 3: the pack shows every head at which the log's keys were replaced."""
    if head is None:
        return
    known = {head.size: head.root} | {proven.size: proven.root for proven in earlier}
    for each in offered:
        if known.get(each.size) != each.root:
            yield Failure(f"the log does not contain the head of size {each.size} at which its keys were replaced")


def check_stated(records: Sequence[Numbered], offered: Sequence[Succession], trust: Trust) -> Iterator[Failure]:
    """Step 7: what a record says of the log's keys is what the header says."""
    for numbered, record in in_full(records):
        if record.predicate != KEYS_REPLACED:
            continue
        try:
            stated = parse(record.envelope, trust.root, trust.log)
        except (MalformedInput, VerificationFailed) as error:
            yield numbered.failure(str(error))
            continue
        if stated not in offered:
            yield numbered.failure("it replaces the log's keys, and the header does not say so")
