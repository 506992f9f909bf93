"""What the records of keys that have ended rest on: another party's word, or the operator's alone. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import KeyId
from ringfence.ledger.issuers import Issuers
from ringfence.ledger.model import Issuer, Standing
from ringfence.reports.records import Numbered, in_full

NAMED = 10  # records of one key, in a sentence
LINES = 50  # keys


@dataclass(frozen=True, slots=True)
class Ended:
    """A key that was revoked, or that one enrolled which was, with its records from before."""

    issuer: Issuer
    vouched: tuple[int, ...]  # numbers of the records that existed by then, as another party vouches
    alone: tuple[int, ...]  # of those of which only the operator says so
    counts: bool  # whether these count all the same: not after a compromise


def ended(records: Sequence[Numbered], issuers: Issuers) -> tuple[Ended, ...]:
    """Return the keys whose records from before their end are judged by who vouches for them."""
    found: dict[tuple[KeyId, bool], tuple[Issuer, list[int], list[int]]] = {}
    for numbered, record in in_full(records):
        standing, issuer = issuers.at(record.envelope.signer, record.recorded_at, record.entry)
        unproven = standing is Standing.UNPROVEN
        if issuer is None or not (unproven or (standing is Standing.TRUSTED and issuer.ends_at)):
            continue
        counts = not unproven and issuer.compromised_at is None
        _, vouched, alone = found.setdefault((issuer.key, counts), (issuer, [], []))
        (alone if unproven or issuer.vouched_for(record.entry) is None else vouched).append(numbered.number)
    return tuple(
        Ended(issuer, tuple(vouched), tuple(alone), counts) for (_, counts), (issuer, vouched, alone) in found.items()
    )


def told(found: Sequence[Ended]) -> Iterator[str]:
    """Yield a sentence about each such key."""
    for one in found[:LINES]:
        yield f"{_end(one.issuer)}: " + "; ".join(_parts(one))
    if len(found) > LINES:
        yield f"{len(found) - LINES} more keys have ended"


def _end(issuer: Issuer) -> str:
    named = f"the {issuer.role} key {issuer.key[:16]}…"
    if issuer.compromised_at is not None:
        return f"{named} is compromised since {to_text(issuer.compromised_at)}"
    if issuer.revoked_at is not None:
        return f"{named} is revoked since {to_text(issuer.revoked_at)}"
    return f"{named} was enrolled by a key that is compromised"


def _parts(one: Ended) -> Iterator[str]:
    if one.vouched and (by := one.issuer.vouched):
        yield f"{len(one.vouched)} of its records existed before, by {by.party} ({to_text(by.at)}, head {by.size})"
    if one.alone:
        named = ", ".join(map(str, one.alone[:NAMED])) + (" and more" if len(one.alone) > NAMED else "")
        worth = "they count all the same" if one.counts else "they count for nothing"
        yield f"that records {named} existed before is the operator's word only, and {worth}"


def to_json(one: Ended) -> Mapping[str, object]:
    """Return the form in which `ringfence verify --json` lists it."""
    issuer = one.issuer
    return {
        "key": issuer.key,
        "compromised": issuer.compromised_at is not None or not one.counts,
        "ended_at": to_text(issuer.ends_at) if issuer.ends_at else None,
        "vouched_by": issuer.vouched.party if issuer.vouched else None,
        "vouched_at": to_text(issuer.vouched.at) if issuer.vouched else None,
        "vouched": list(one.vouched),
        "operator_only": list(one.alone),
        "operator_only_counts": one.counts,
    }
