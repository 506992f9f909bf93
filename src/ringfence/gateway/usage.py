"""How much keys and deployments were used, as far as the gateway's access records say; pure.

The records are the gateway's own word (docs/specs/access.md). What it signed for stands in the segments.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.clock import from_text
from ringfence.kernel.errors import MalformedInput

MAX_LINE = 8192
_MOST = 100_000  # keys or deployments that are counted; ids come from the snapshot, so that nobody can make more


@dataclass(frozen=True, slots=True)
class Used:
    """What one key asked for, or one deployment answered."""

    requests: int = 0
    refused: int = 0  # by status: 400 and above, or nobody was there to be answered
    prompt_tokens: int = 0  # as engines reported them
    completion_tokens: int = 0
    last: datetime | None = None


NOTHING = Used()


@dataclass(slots=True)
class Usage:
    """Counts since a time, by tenant and name."""

    since: datetime | None = None
    deployments: dict[tuple[str, str], Used] = field(default_factory=dict)
    keys: dict[tuple[str, str], Used] = field(default_factory=dict)
    unreadable: int = 0

    def add(self, lines: Iterable[bytes]) -> None:
        """Count lines; one that is no access record is counted as such and nothing else."""
        for line in lines:
            try:
                self._count(_record(line))
            except MalformedInput:
                self.unreadable += 1

    def of_deployment(self, tenant: str, name: str) -> Used:
        """Return what a deployment answered."""
        return self.deployments.get((tenant, name), NOTHING)

    def of_key(self, tenant: str, key: str) -> Used:
        """Return what a key asked for."""
        return self.keys.get((tenant, key), NOTHING)

    def _count(self, record: dict[str, Any]) -> None:
        at = from_text(record["ts"])
        self.since = self.since or at
        for counts, name in ((self.deployments, record["deployment"]), (self.keys, record["key"])):
            place = (record["tenant"], name)
            if name and (place in counts or len(counts) < _MOST):
                counts[place] = _more(counts.get(place, NOTHING), record, at)


def _more(used: Used, record: dict[str, Any], at: datetime) -> Used:
    return replace(
        used,
        requests=used.requests + 1,
        refused=used.refused + (not 0 < record["status"] < 400),
        prompt_tokens=used.prompt_tokens + (record["prompt_tokens"] or 0),
        completion_tokens=used.completion_tokens + (record["completion_tokens"] or 0),
        last=at,
    )


def _record(line: bytes) -> dict[str, Any]:
    record = digest.loads(line, source="access.log", limit=MAX_LINE)
    match record:
        case {
            "ts": str(),
            "tenant": str(),
            "deployment": str(),
            "key": str(),
            "status": int(),
            "prompt_tokens": int() | None,
            "completion_tokens": int() | None,
        }:
            return dict(record)
        case _:
            raise MalformedInput("not an access record", source="access.log")
