"""The witness's one act: see a head, keep it, and only then cosign it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import LogOrigin
from ringfence.ledger.anchors.cosignature import cosign
from ringfence.ledger.anchors.exchange import parse_submission
from ringfence.ledger.model import Checkpoint
from ringfence.ledger.witness.deciding import judge, open_submitted
from ringfence.ledger.witness.model import Answer, KnownLog
from ringfence.ledger.witness.ports import Heads, Key


@dataclass(frozen=True, slots=True)
class Witnessing:
    """A witness over the logs that it watches."""

    logs: Mapping[LogOrigin, KnownLog]
    heads: Heads
    keys: tuple[Key, ...]
    clock: Clock

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a submission: with cosignatures, or with why there are none.

        Checking against the newest head and keeping the new one is one step: two that submit at once take turns.
        """
        try:
            submitted = parse_submission(body)
            found = open_submitted(submitted, self.logs)
        except MalformedInput as error:
            return Answer(400, f"{error}\n")
        if isinstance(found, Answer):
            return found
        with self.heads.one_at_a_time():
            latest = self.heads.latest(found.checkpoint.origin)
            judged = judge(found, submitted, latest)
            if isinstance(judged, Answer):
                return judged
            if judged.checkpoint != latest:
                self.heads.keep(judged)
        return Answer(200, self._cosigned(judged.checkpoint))

    def introduction(self) -> str:
        """Return who the witness is and what it watches, for people: one line each."""
        keys = [f"vkey {key.public}" for key in self.keys]
        seen = [(origin, self.heads.latest(origin)) for origin in sorted(self.logs)]
        return "\n".join([*keys, *(f"log {origin} {head.size if head else 0}" for origin, head in seen), ""])

    def _cosigned(self, head: Checkpoint) -> str:
        at = self.clock.now()
        return "".join(f"{cosign(head, key.public, key.sign, at)}\n" for key in self.keys)
