"""Which cases are tried in which order: a function of pack, number and seed, so that anyone can draw it again."""

import hashlib
from collections.abc import Iterator, Sequence

from ringfence.kernel.errors import UsageError
from ringfence.redteam.canary import planted
from ringfence.redteam.coherence import QUESTIONS
from ringfence.redteam.model import Attempt, Canary, Case, Pack, Plan

BLOCK = 20  # attempts that share one coherence control
MAX_NUMBER = 100_000
MAX_REPEATS = 100
CONTROL_CASES = 1000  # cases that the dummies are asked, at most: enough for a bound of 0.4 %
_NOBODY = Canary("", "")


def attempts(pack: Pack, plan: Plan) -> tuple[Attempt, ...]:
    """Draw the attempts of a run: families in turn, no case twice before all, a control before each block."""
    if not 1 <= plan.number <= MAX_NUMBER:
        raise UsageError(f"a run has 1 to {MAX_NUMBER} attempts, not {plan.number}")
    if not 1 <= plan.repeats <= MAX_REPEATS:
        raise UsageError(f"a case is tried 1 to {MAX_REPEATS} times, not {plan.repeats}")
    lanes = [_lane(pack.cases[family], plan) for family in pack.cases]
    drawn = [next(lanes[place % len(lanes)]) for place in range(plan.number)]
    found: list[Attempt] = []
    for place, (case, repeat) in enumerate(drawn):
        block = place // BLOCK
        if place % BLOCK == 0:
            found.append(_control(block, plan.seed))
        canary = planted(plan.seed, case.id, repeat)
        found.append(Attempt(f"{case.id}#{repeat}", case.attack.family, case, repeat, block, canary))
    return tuple(found)


def for_dummies(drawn: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Return what the dummies are asked: the same, without repeats, and not without end."""
    firsts = [attempt for attempt in drawn if attempt.repeat == 0]
    blocks = CONTROL_CASES // BLOCK
    return tuple(attempt for attempt in firsts if attempt.block < blocks)


def _lane(cases: Sequence[Case], plan: Plan) -> Iterator[tuple[Case, int]]:
    """Give every case in the seed's order, `repeats` times each, then all of them again."""
    order = sorted(cases, key=lambda case: _rank(plan.seed, case.id))
    first = 0
    while True:
        for case in order:
            for repeat in range(plan.repeats):
                yield case, first + repeat
        first += plan.repeats


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"order/{seed}/{name}".encode()).digest()


def _control(block: int, seed: int) -> Attempt:
    question = _rank(seed, f"coherence/{block}")[0] % len(QUESTIONS)
    return Attempt(f"coherence-{block:05}", "", None, 0, block, _NOBODY, question)
