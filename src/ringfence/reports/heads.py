"""The heads of a pack: its own, the earlier ones, those that the reader holds, and what others said of them. Pure.

Steps 2, 3 and 7 of docs/specs/pack.md, section 4.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import MalformedInput, RingfenceError, VerificationFailed
from ringfence.ledger import note, tree
from ringfence.ledger.anchors.judging import judge_anchors, other_parties
from ringfence.ledger.custody import HEAD_EXPORTED
from ringfence.ledger.model import Anchors, Checkpoint, Judged, SignedCheckpoint, Trust
from ringfence.ledger.succession import LogKeys
from ringfence.ledger.trust import open_heads
from ringfence.reports.model import Failure, JudgedHead, ProvenHead
from ringfence.reports.pack import Contents, Kind, parse_anchors, parse_head
from ringfence.reports.records import Numbered, in_full

CLOCKS = timedelta(minutes=10)  # between those who anchor and the records: the log itself refuses five minutes


def signed_head(contents: Contents, keys: LogKeys, failures: list[Failure]) -> SignedCheckpoint | None:
    """Step 2: return the head of a pack; it carries both signatures of the trusted log, and the header's size."""
    for line in contents.of(Kind.CHECKPOINT):
        try:
            signed = _opened(line.document["checkpoint"], keys)
        except (MalformedInput, VerificationFailed) as error:
            failures.append(Failure(f"the head of the log: {error}"))
            return None
        if signed.checkpoint.size != contents.header.size:
            failures.append(Failure("the header states another size of the log than the signed head"))
        return signed
    return None


def _opened(text: object, keys: LogKeys) -> SignedCheckpoint:
    if not isinstance(text, str):
        raise MalformedInput("a checkpoint is a signed note")
    if len(note.parse(text).signatures) != len(keys.first):  # a line of anybody else would be bound by nothing
        raise MalformedInput("the checkpoint of a pack carries the two signatures of the log and no other")
    return keys.open(text)


def earlier_heads(contents: Contents, keys: LogKeys) -> tuple[list[ProvenHead], list[Failure]]:
    """Read the earlier heads; since version 2 each comes with the note that the log published."""
    found, failures = [], []
    for line in contents.of(Kind.HEAD):
        try:
            head = parse_head(line.document, contents.header)
            if head.note:
                _check_note(head, keys)
        except (MalformedInput, VerificationFailed) as error:
            failures.append(Failure(f"line {line.number}: an earlier head: {error}"))
            continue
        found.append(head)
    return found, failures


def _check_note(head: ProvenHead, keys: LogKeys) -> None:
    published = _opened(head.note, keys).checkpoint
    if (published.size, published.root) != (head.size, head.root):
        raise VerificationFailed("its note states another size or root")


def kept_heads(trust: Trust) -> tuple[SignedCheckpoint, ...]:
    """Return the heads that the reader holds, smallest first; raise `MalformedInput` where one is of another log."""
    try:
        return open_heads(trust)
    except VerificationFailed as error:
        raise MalformedInput(f"a head in the trust file is not from the log that it names: {error}") from error


def check_heads(
    head: Checkpoint | None, earlier: Sequence[ProvenHead], kept: Sequence[SignedCheckpoint]
) -> Iterator[Failure]:
    """Step 3: the pack's head continues every earlier head that it names, and every head that the reader holds."""
    if head is None:
        return
    for proven in earlier:
        try:
            tree.verify_consistency(proven.size, proven.root, head.size, head.root, proven.proof)
        except VerificationFailed as error:
            yield Failure(f"the head of size {proven.size}: {error}: the log was rebuilt or forked")
    sizes = [proven.size for proven in earlier]
    if sizes != sorted(set(sizes)):
        yield Failure("the heads do not stand in the order of their sizes")
    known = {head.size: head.root} | {proven.size: proven.root for proven in earlier}
    for signed in kept:
        yield from _continues(head, known, signed)


def _continues(head: Checkpoint, proven: dict[int, bytes], kept: SignedCheckpoint) -> Iterator[Failure]:
    old = kept.checkpoint
    named = f"the head of size {old.size} exported at {to_text(kept.signed_at)}"
    if old.size > head.size:
        yield Failure(f"the log is shorter than {named}: its tail was cut (the pack's head has size {head.size})")
    elif old.size and old.size not in proven:
        yield Failure(
            f"nothing shows that the log still contains {named}: it was rebuilt or forked, or the pack was made "
            f"without that head (make it again with --head {old.size})"
        )
    elif old.size and proven[old.size] != old.root:
        yield Failure(f"the log does not contain {named}: it was rebuilt or forked")


def check_exported(records: Sequence[Numbered], earlier: Sequence[ProvenHead]) -> Iterator[Failure]:
    """Step 7: every head that a record says was exported is among those that step 3 has checked."""
    proven = {head.size: head.root.hex() for head in earlier}
    for numbered, record in in_full(records):
        if record.predicate != HEAD_EXPORTED:
            continue
        claims = record.envelope.statement.claims
        size, root = claims.get("size"), claims.get("root")
        if type(size) is not int or size not in proven or proven[size] != root:
            yield numbered.failure(f"the log does not contain the head of size {size} that it says was exported")


def judge_heads(
    contents: Contents, head: Checkpoint | None, earlier: Sequence[ProvenHead], trust: Trust, *, stamps: bool
) -> tuple[list[tuple[int, Judged]], list[Failure]]:
    """Hold what others said of each head against whom the reader trusts; largest head last.

    `stamps` is false where nothing is there to check time stamps with: they are left out then.
    """
    known = [(Checkpoint(trust.log, one.size, one.root), one.anchors, one.note) for one in earlier if one.note]
    judged, failures = [], []
    for line in contents.of(Kind.CHECKPOINT):
        if head is None:
            break
        try:
            known.append((head, parse_anchors(line.document), str(line.document["checkpoint"])))
        except MalformedInput as error:
            failures.append(Failure(f"the head of the log: {error}"))
    for one, anchors, published in known:
        wanted = anchors if stamps else Anchors(anchors.cosignatures)
        try:
            judged.append((one.size, judge_anchors(one, wanted, trust, published)))
        except RingfenceError as error:
            failures.append(Failure(f"the head of size {one.size}: {error}"))
    if trust.quorum and not any(found.quorum_met for _, found in judged):
        most = max((len(other_parties(found.cosigned)) for _, found in judged), default=0)
        failures.append(
            Failure(f"no head of this pack is cosigned by {trust.quorum} other parties, as you ask: at most by {most}")
        )
    return judged, failures


def covered(judged: Sequence[tuple[int, Judged]], records: Sequence[Numbered]) -> tuple[JudgedHead, ...]:
    """Return the judged heads, each with the time of the newest record below it."""
    return tuple(JudgedHead(size, _newest(records, size), found) for size, found in judged)


def _newest(records: Sequence[Numbered], size: int) -> datetime | None:
    return max((n.record.recorded_at for n in records if n.record.entry < size), default=None)


def contradicted(heads: Sequence[JudgedHead]) -> Iterator[Failure]:
    """Yield each head that somebody saw before its newest record was taken in, as that record says."""
    for head in heads:
        for said in head.judged.said:
            if head.covers_until is not None and head.covers_until - said.at > CLOCKS:
                yield Failure(
                    f"the head of size {head.size}: {said.party} saw it at {to_text(said.at)}, and it covers a record "
                    f"dated {to_text(head.covers_until)}: the log, or that party, was given a false clock"
                )


def told(heads: Sequence[JudgedHead]) -> Iterator[str]:
    """Yield what the reader may say about anchors: who vouches for which part of the log, and who does not count."""
    outside = [head for head in heads if head.judged.outside_since is not None]
    for head in outside[-1:]:
        until = f"until {to_text(head.covers_until)}" if head.covers_until else "before the first record"
        yield f"anchored outside {until}: the head of size {head.size}, by {_parties(head.judged)}"
    own = [head for head in heads if head.judged.cosigned or head.judged.stamped]
    for head in own[-1:] if not outside else ():
        yield f"the head of size {head.size} is witnessed by keys of the operator only: that counts as the operator"


def _parties(judged: Judged) -> str:
    named = [f"{c.party} (witness {c.witness}, {to_text(c.at)})" for c in judged.cosigned if c.outside]
    named += [f"{s.party} (time stamp {to_text(s.at)})" for s in judged.stamped if s.outside]
    if not all(c.outside for c in judged.cosigned) or not all(s.outside for s in judged.stamped):
        named.append("and keys that the operator runs, which count as the operator")
    return ", ".join(named)
