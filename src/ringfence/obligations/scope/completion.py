"""Decide in the face of unknown inputs: run the decision over every completion of them.

Where all completions agree, the answer is determined although an input is not; where they differ, the answer is the
set of what is possible, and exactly those inputs are named that can change it.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Generic, TypeVar

from ringfence.kernel.errors import InternalError

R = TypeVar("R", bound=Hashable)

MAX_COMPLETIONS = 400_000  # some seconds of work; the bounded formats above stay far below


@dataclass(frozen=True, slots=True)
class Resolution(Generic[R]):
    """What is possible, and the inputs on which it depends."""

    outcomes: frozenset[R]
    deciding: tuple[str, ...]

    @property
    def only(self) -> R | None:
        """Return the one possible outcome, or None where there are several."""
        return next(iter(self.outcomes)) if len(self.outcomes) == 1 else None


def options(value: bool | None) -> tuple[bool, ...]:  # noqa: FBT001 - three-valued
    """Return the truths that an answer leaves open."""
    return (True, False) if value is None else (value,)


def resolve(inputs: Mapping[str, Sequence[Any]], decide: Callable[..., R]) -> Resolution[R]:
    """Run `decide`, which takes the inputs in order, over every completion."""
    return views(inputs, decide, lambda outcome: outcome)[0]


def views(
    inputs: Mapping[str, Sequence[Any]], decide: Callable[..., R], *looks: Callable[[R], Any]
) -> list[Resolution[Any]]:
    """Run `decide` over every completion once, and resolve what each look sees of the outcomes."""
    sizes = [len(choices) for choices in inputs.values()]
    total = 1
    for size in sizes:
        total *= size
    if not 0 < total <= MAX_COMPLETIONS:
        raise InternalError(f"{total} completions of the unknown inputs are more than can be tried")
    outcomes = [decide(*values) for values in product(*inputs.values())]
    return [_resolution(inputs, sizes, outcomes, look) for look in looks]


def _resolution(
    inputs: Mapping[str, Sequence[Any]], sizes: Sequence[int], outcomes: Sequence[R], look: Callable[[R], Any]
) -> Resolution[Any]:
    seen: dict[Any, int] = {}
    ranks = {outcome: seen.setdefault(look(outcome), len(seen)) for outcome in frozenset(outcomes)}
    # Whether two outcomes differ is asked a million times: small numbers answer faster than the outcomes themselves.
    numbers = [ranks[outcome] for outcome in outcomes]
    deciding = tuple(name for name, differs in zip(inputs, _differences(numbers, sizes), strict=True) if differs)
    return Resolution(frozenset(seen), deciding)


def _differences(outcomes: Sequence[Hashable], sizes: Sequence[int]) -> Iterator[bool]:
    """Say for each input whether two completions that differ in it alone differ in their outcome."""
    stride = len(outcomes)
    for size in sizes:
        block, stride = stride, stride // size
        yield any(
            outcomes[start + offset] != outcomes[start + offset + step * stride]
            for start in range(0, len(outcomes), block)
            for offset in range(stride)
            for step in range(1, size)
        )
