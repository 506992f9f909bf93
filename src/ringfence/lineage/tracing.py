"""From one answer of the gateway to the data behind it: its record names a deployment and a digest. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from ringfence.gateway.records import Record
from ringfence.lineage.closing import closure
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Closure, Gap, GapKind, Kind, Ref, Role, Thing

SKEW = timedelta(minutes=5)  # between the gateway's clock and the log's


@dataclass(frozen=True, slots=True)
class Traced:
    """What stands behind one answer; `closure` begins at its deployment, or at its model where none is stated."""

    closure: Closure
    gaps: tuple[Gap, ...]  # those of the closure, and those between the answer and it

    @property
    def closed(self) -> bool:
        """Tell whether the answer leads to sealed data and imports without a gap."""
        return not self.gaps


def trace(lineage: Lineage, record: Record) -> Traced:
    """Return what the record of an answer leads to.

    The record is the gateway's word: it bound the answer to a deployment by name and to a digest when it was given.
    """
    terms = record.admitted.terms
    named = [thing for thing in _of_name(lineage, terms.deployment) if _served(thing, record)]
    fitting = [thing for thing in named if _digest(thing) == (str(terms.model.digest) if terms.model.digest else "")]
    if fitting:
        found = closure(lineage, fitting[-1].ref)
        return Traced(found, found.gaps)
    if terms.model.digest is None:
        start = named[-1].ref if named else Ref(Kind.DEPLOYMENT, record.admitted.terms.policy)
    else:
        start = Ref(Kind.MODEL, terms.model.digest)
    found = closure(lineage, start)
    if named:
        text = f"the answer names another digest than {terms.deployment} was stated to serve at that time"
        between = Gap(GapKind.DIGEST_CONFLICT, start, text, _entries(named[-1]))
    else:
        text = f"no statement says that {terms.deployment} was served when the answer was given"
        between = Gap(GapKind.DEPLOYMENT_UNSTATED, start, text)
    return Traced(found, (between, *found.gaps))


def _of_name(lineage: Lineage, name: str) -> Iterator[Thing]:
    for thing in lineage.of_kind(Kind.DEPLOYMENT):
        if any(mark.facts.get("deployment") == name for mark in thing.marked(Role.DEPLOYED)):
            yield thing


def _served(thing: Thing, record: Record) -> bool:
    began = thing.marked(Role.DEPLOYED)[0].basis.recorded_at
    ended = [mark.basis.recorded_at for mark in thing.marked(Role.ENDED)]
    at = record.admitted.at
    return began <= at + SKEW and not (ended and ended[-1] < at - SKEW)


def _digest(thing: Thing) -> str:
    return str(thing.marked(Role.DEPLOYED)[-1].facts.get("digest", ""))


def _entries(thing: Thing) -> tuple[int, ...]:
    return tuple(mark.basis.entry for mark in thing.marked(Role.DEPLOYED))
