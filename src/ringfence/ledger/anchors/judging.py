"""What the anchors of a head come to, for a reader who says whom to trust: a pure function of both."""

from collections.abc import Iterable
from datetime import datetime

from ringfence.ledger.anchors.cosignature import verify_cosignatures
from ringfence.ledger.anchors.timestamp import verify_timestamp
from ringfence.ledger.model import Anchors, Checkpoint, Cosigned, Judged, Trust, Vouched


def judge_anchors(checkpoint: Checkpoint, anchors: Anchors, trust: Trust, note: str) -> Judged:
    """Verify the anchors of a published checkpoint against the witnesses and authorities that `trust` names.

    `note` is the checkpoint as it was published: with its two log signatures and nothing else.

    Raises:
        MalformedInput: an anchor does not parse.
        VerificationFailed: one that is by a known key, or over something else, does not verify.
    """
    cosigned = verify_cosignatures(checkpoint, anchors.cosignatures, trust.witnesses)
    published = note.encode()
    stamps = [verify_timestamp(token, published, trust.authorities) for token in anchors.timestamps]
    met = trust.quorum > 0 and len(other_parties(cosigned)) >= trust.quorum
    return Judged(cosigned, tuple(stamp for stamp in stamps if stamp is not None), met)


def other_parties(cosigned: Iterable[Cosigned]) -> frozenset[str]:
    """Return who, other than the operator, cosigned: several witnesses of one party count once."""
    return frozenset(each.party for each in cosigned if each.outside)


def vouched_before(heads: Iterable[tuple[int, Judged]], when: datetime) -> Vouched | None:
    """Return the largest of some heads that another party vouched for before a time; None where there is none."""
    found = [
        Vouched(size, judged.outside_by, judged.outside_since)
        for size, judged in heads
        if judged.outside_by is not None and judged.outside_since is not None and judged.outside_since < when
    ]
    return max(found, key=lambda vouched: vouched.size, default=None)
