"""The next steps of a board: few, in an order that can be argued with. Pure.

While it is open which duties are the tenant's, the scope comes first: nothing else can be ordered by law. Then by the
day from which a law asks for it, by what has to be there before, and by the effort; of two that are equal in all this,
the one on which more controls wait. A step is a command, and stands once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from ringfence.kernel.identifier import PredicateName
from ringfence.obligations.producers import Producer, Way
from ringfence.obligations.results import OPEN, Board, ControlResult, Duty, RequirementResult, Standing

MOST = 3
SCOPE = "entity.classification"
EFFORT: Mapping[Way, int] = {Way.COLLECTOR: 0, Way.VERB: 1, Way.FORM: 2, Way.DRILL: 3}
WORDS: Mapping[Way, str] = {
    Way.COLLECTOR: "a look that runs by itself",
    Way.VERB: "one command",
    Way.FORM: "a form that a person fills and signs",
    Way.DRILL: "a drill",
}
_HARDEST = 9  # of what nobody's way is known


@dataclass(frozen=True, slots=True)
class Ahead:
    """A step, and why it comes where it comes."""

    command: str
    asks: str
    way: Way | None
    controls: tuple[str, ...]  # that wait for it
    binding: bool  # a provision behind one of them binds now
    since: date | None  # from when; None where no day is known, or no provision is behind it
    provision: str  # empty where no law asks for it by the signed scope
    waits_for: str  # the rule whose evidence has to be there before; empty where nothing has to
    opens: bool = False  # until it is taken nobody knows which law asks for the others

    @property
    def effort(self) -> str:
        """Say what it takes."""
        return WORDS[self.way] if self.way else "work outside of here"


def ahead(board: Board, producers: Mapping[PredicateName, Producer], most: int = MOST) -> list[Ahead]:
    """Return the next steps of a board, the first one first."""
    steps: dict[str, Ahead] = {}
    met = _met(board)
    unknown = any(duty.standing is Standing.UNDETERMINED for duty in board.duties)
    for result in board.controls:
        if result.verdict.state in OPEN:
            for part in result.requirements:
                if part.verdict.state in OPEN:
                    step = _step(result, part, producers, met)
                    step = replace(step, opens=unknown and part.requirement.evidence == SCOPE)
                    steps[step.command] = _joined(steps[step.command], step) if step.command in steps else step
    return sorted(steps.values(), key=_order)[:most]


def _met(board: Board) -> frozenset[str]:
    """Return the requirements for which there is any evidence that counts."""
    return frozenset(part.requirement.id for one in board.controls for part in one.requirements if part.rests_on)


def _step(
    result: ControlResult, part: RequirementResult, producers: Mapping[PredicateName, Producer], met: frozenset[str]
) -> Ahead:
    duty = _first(result.duties)
    before = [link for link in part.requirement.links if link not in met]
    return Ahead(
        command=part.next_step,
        asks=part.requirement.asks,
        way=_way(part, producers),
        controls=(result.control.id,),
        binding=duty is not None and duty.standing is Standing.BINDING,
        since=duty.applies_from if duty else None,
        provision=f"{duty.obligation.act} {duty.obligation.provision}" if duty else "",
        waits_for=before[0] if before else "",
    )


def _way(part: RequirementResult, producers: Mapping[PredicateName, Producer]) -> Way | None:
    """Return what the step of a rule takes: its evidence may be observed, and the step be to mend what is seen."""
    producer = producers.get(part.requirement.evidence)
    if producer is not None and part.next_step == producer.command:
        return producer.way
    return Way.VERB if part.next_step.startswith("ringfence ") else None


def _first(duties: Iterable[Duty]) -> Duty | None:
    """Return the provision that asks first: one that binds, else the next upcoming one; None where no law asks."""
    asking = [duty for duty in duties if duty.standing in {Standing.BINDING, Standing.UPCOMING}]
    return min(asking, key=lambda duty: _when(duty.standing is Standing.BINDING, duty.applies_from), default=None)


def _when(binding: bool, since: date | None) -> tuple[bool, date]:  # noqa: FBT001 - half of a key
    return (not binding, since or (date.min if binding else date.max))


def _joined(one: Ahead, other: Ahead) -> Ahead:
    """Return a step that several controls wait for, with the law that asks first."""
    first = min(one, other, key=_legal)
    controls = tuple(sorted({*one.controls, *other.controls}))
    return Ahead(
        command=one.command,
        asks=first.asks,
        way=one.way,
        controls=controls,
        binding=first.binding,
        since=first.since,
        provision=first.provision,
        waits_for=one.waits_for and other.waits_for,
        opens=one.opens or other.opens,
    )


def _legal(step: Ahead) -> tuple[bool, bool, date]:
    return (not step.provision, *_when(step.binding, step.since))


def _order(step: Ahead) -> tuple[object, ...]:
    effort = EFFORT[step.way] if step.way else _HARDEST
    return (not step.opens, *_legal(step), bool(step.waits_for), effort, -len(step.controls), step.command)
