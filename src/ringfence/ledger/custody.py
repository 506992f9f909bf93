"""Who could have made a statement up: the holders of keys on whom its origin and its time rest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import LoggedStatement, Standing

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


def could_have_made_up(statement: LoggedStatement, anchored: datetime | None) -> list[str]:
    """Say in sentences which keys are enough to make this statement up, or to move it in time."""
    issuer = statement.issuer
    if issuer is None:
        return ["Anybody: the root never enrolled the key that signed it."]
    sentences = [f"Whoever holds this {issuer.role} key ({issuer.custody}) can sign any such statement."]
    if issuer.role is not KeyRole.ROOT:
        sentences.append("Whoever holds the root key can enrol another key in its place.")
    if anchored is None:
        sentences.append(
            "No head that covers this entry has left this installation. Until one does, whoever holds the ledger key "
            "can rebuild the log with another time, in another order, or without this entry."
        )
    else:
        sentences.append(
            "A head that covers this entry was exported: a log that was changed now contradicts that head."
        )
    return sentences
