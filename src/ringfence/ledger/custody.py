"""Who could have made a statement up: the holders of keys on whom its origin and its time rest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.clock import to_text
from ringfence.kernel.envelope import ED25519
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import AnchoredHead, LoggedStatement, Standing

HEAD_EXPORTED = PredicateName("ledger.head_exported")


@dataclass(frozen=True, slots=True)
class ExportedHead:
    """A head of the log that its operator says to have handed to the outside."""

    size: int  # how many entries it covers
    at: datetime  # when the log took in that it was exported


def exported_heads(statements: Iterable[LoggedStatement]) -> tuple[ExportedHead, ...]:
    """Return the heads that `ledger.head_exported` statements name, as far as those count for anything."""
    return tuple(
        ExportedHead(size, logged.recorded_at)
        for logged in statements
        if logged.envelope.statement.predicate == HEAD_EXPORTED and logged.standing is Standing.TRUSTED
        if type(size := logged.envelope.statement.claims.get("size")) is int and 0 < size <= logged.entry
    )


def anchored_outside(entry: int, heads: Iterable[ExportedHead]) -> datetime | None:
    """Return when a head that covers `entry` first left this installation; `None` means operator-only."""
    return min((head.at for head in heads if head.size > entry), default=None)


def vouched_head(anchored: AnchoredHead | None, at: datetime | None = None) -> tuple[ExportedHead, ...]:
    """Return a head that another party vouches for, as one that has left this installation; nothing where none does."""
    since = anchored.judged.outside_since if anchored else None
    if anchored is None or since is None or (at is not None and since > at):
        return ()
    return (ExportedHead(anchored.head.checkpoint.size, since),)


def anchored_until(heads: Iterable[AnchoredHead]) -> datetime | None:
    """Return until when the log is anchored outside: what it took in up to then, another party has vouched for.

    That is the time of the newest head that another party cosigned or stamped: the log's own or the other's,
    whichever is earlier. What the operator's own witnesses and authorities say counts as the operator's word.
    """
    vouched = [
        (head.head.checkpoint.size, min(head.head.signed_at, since))
        for head in heads
        if (since := head.judged.outside_since) is not None
    ]
    return max(vouched)[1] if vouched else None


def could_have_made_up(
    statement: LoggedStatement, anchored: datetime | None, vouched: datetime | None = None
) -> list[str]:
    """Say in sentences which keys are enough to make this statement up, or to move it in time.

    `anchored`: since when a head that covers it is outside, by the operator's word; `vouched`: by another party's key.
    """
    issuer = statement.issuer
    if issuer is None:
        return ["Anybody: the root never enrolled the key that signed it."]
    sentences = [f"Whoever holds this {issuer.role} key ({issuer.custody}) can sign any such statement."]
    if issuer.algorithm != ED25519:
        sentences = [
            f"Whoever holds this passkey, and is recognised by it, can sign any such statement at {issuer.origin}.",
            "Whoever runs that page can have the holder sign another statement than it shows.",
            "Whoever holds the root key, or another key of this person, can enrol another passkey in its place.",
        ]
    elif issuer.role is not KeyRole.ROOT:
        sentences.append("Whoever holds the root key can enrol another key in its place.")
    if issuer.compromised_at is not None:
        sentences.append(f"Somebody else had this key since {to_text(issuer.compromised_at)} at the latest.")
    if vouched is not None:
        sentences.append(
            f"Another party vouched for a head that covers this entry, at {to_text(vouched)}: to rebuild the log "
            "unseen by whoever holds that takes the other party's key too."
        )
    elif anchored is None:
        sentences.append(
            "No head that covers this entry has left this installation. Until one does, whoever holds the ledger key "
            "can rebuild the log with another time, in another order, or without this entry."
        )
    else:
        sentences.append(
            "A head that covers this entry was exported: a log that was changed now contradicts that head."
        )
    return sentences
