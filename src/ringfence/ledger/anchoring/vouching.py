"""What another party vouched for before the end of a key: on that rests whether older statements of it count."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from ringfence.ledger.anchoring.ports import AnchorRows
from ringfence.ledger.anchors.judging import judge_anchors, vouched_before
from ringfence.ledger.model import Judged, SignedCheckpoint, Trust, Vouched
from ringfence.ledger.ports import Checkpoints


@dataclass(frozen=True, slots=True)
class Vouching:
    """The anchors in the database, by the parties as they are set up now.

    What is found once for a time stays: an anchor from before the end of a revoked key is not taken in any more, and
    none is thinned out. So the answer about a time in the past is always the same.
    """

    rows: AnchorRows
    checkpoints: Checkpoints
    trust: Trust  # root and log keys; witnesses and authorities are in the rows
    _found: dict[tuple[datetime, Trust], Vouched | None] = field(default_factory=dict, repr=False)

    def before(self, when: datetime) -> Vouched | None:
        """Return the largest head that another party vouched for before a time; None where there is none."""
        trust = known_trust(self.rows, self.trust)
        if (when, trust) not in self._found:
            self._found[when, trust] = self._before(when, trust)
        return self._found[when, trust]

    def _before(self, when: datetime, trust: Trust) -> Vouched | None:
        heads = [head for size in self.rows.before(when) if (head := self.checkpoints.at_size(size)) is not None]
        return vouched_before(((head.checkpoint.size, self._judged(head, trust)) for head in heads), when)

    def _judged(self, head: SignedCheckpoint, trust: Trust) -> Judged:
        return judge_anchors(head.checkpoint, self.rows.anchors(head.checkpoint.size), trust, head.note)


def known_trust(rows: AnchorRows, own: Trust) -> Trust:
    """Return what this installation itself knows of those who anchor, those of the past included."""
    return replace(
        own,
        witnesses=tuple(each for asked in rows.witnesses() for each in asked.trusted),
        authorities=tuple(asked.trusted for asked in rows.authorities()),
        quorum=rows.quorum(),
    )
