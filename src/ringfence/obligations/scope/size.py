"""The size class of Recommendation 2003/361/EC, as NIS2 2(1) uses it.

A figure falls into one of four brackets, and the class is `max(staff, min(turnover, balance))`: staff alone lifts an
enterprise, a financial ceiling only together with the other one. Unknown figures leave a range of brackets.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from itertools import pairwise

from ringfence.obligations.scope.model import Earlier, Enterprise, Figures, Relation, Size

STAFF_FROM = (10, 50, 250)  # Annex Art 2: a class begins at this many annual work units
TURNOVER_UP_TO = (2_000_000, 10_000_000, 50_000_000)  # … and ends above this turnover
BALANCE_UP_TO = (2_000_000, 10_000_000, 43_000_000)  # … or this balance sheet total
PARTNER_FROM = 25  # per cent of capital or votes, Annex Art 3(2)
EXEMPT_UP_TO = 50  # per cent, Annex Art 3(2): what an exempt investor may hold without being a partner
LINKED_ABOVE = 50  # per cent of votes, Annex Art 3(3)


class SizeClass(IntEnum):
    """The classes in order; each one is reached by exceeding the one before."""

    MICRO = 0
    SMALL = 1
    MEDIUM = 2
    LARGE = 3

    @property
    def text(self) -> str:
        """Return the name as it is printed."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Range:
    """A figure between two bounds; no upper bound where something unknown is added."""

    low: Fraction
    high: Fraction | None
    unknown: tuple[str, ...] = ()  # the inputs that keep the bounds apart

    def plus(self, other: "Range") -> "Range":
        """Add two figures."""
        high = None if self.high is None or other.high is None else self.high + other.high
        return Range(self.low + other.low, high, self.unknown + other.unknown)


def size_class(staff: int, turnover: int, balance: int) -> SizeClass:
    """Return the class of three brackets, each from 0 to 3."""
    return SizeClass(max(staff, min(turnover, balance)))


def staff_bracket(staff: Fraction) -> int:
    """Return the bracket of a number of annual work units."""
    return sum(staff >= bound for bound in STAFF_FROM)


def money_bracket(amount: Fraction, ceilings: Sequence[int]) -> int:
    """Return the bracket of an amount; a ceiling itself still belongs below."""
    return bisect_left(ceilings, amount)


def settled(periods: Sequence[SizeClass], before: SizeClass) -> SizeClass:
    """Return the status after `periods`, oldest first, when it was `before` them (Annex Art 4(2)).

    Each threshold is lost or gained only when two consecutive periods lie on the same side of it.
    """
    status = 0
    for threshold in (SizeClass.SMALL, SizeClass.MEDIUM, SizeClass.LARGE):
        reached = before >= threshold
        for older, newer in pairwise(periods):
            if (older >= threshold) == (newer >= threshold):
                reached = newer >= threshold
        status += reached
    return SizeClass(status)


def dimensions(size: Size) -> dict[str, tuple[int, ...]]:
    """Return the brackets and earlier classes that the description leaves open, by input."""
    staff, turnover, balance = totals(size)
    return {
        "size.staff": _brackets(staff, staff_bracket),
        "size.turnover": _brackets(turnover, lambda value: money_bracket(value, TURNOVER_UP_TO)),
        "size.balance": _brackets(balance, lambda value: money_bracket(value, BALANCE_UP_TO)),
        **_earlier(size.earlier),
    }


def decide(staff: int, turnover: int, balance: int, *earlier: int) -> SizeClass:
    """Return the class of one completion of `dimensions`."""
    current = size_class(staff, turnover, balance)
    if not earlier:
        return current
    before, *older = earlier
    periods = [SizeClass(rank) for rank in reversed(older)]
    return settled([*periods, current], SizeClass(before)) if periods else SizeClass(before)


def totals(size: Size) -> tuple[Range, Range, Range]:
    """Return staff, turnover and balance with linked enterprises in full and partners pro rata (Annex Art 6)."""
    found = []
    for name in ("staff", "turnover", "balance"):
        total = _figure(getattr(size.figures, name), f"size.{name}")
        for part in _parts(size.enterprises, name):
            total = total.plus(part)
        found.append(total)
    return found[0], found[1], found[2]


def unknown_inputs(size: Size) -> Mapping[str, tuple[str, ...]]:
    """Return for each figure the inputs that keep it open."""
    staff, turnover, balance = totals(size)
    return {"size.staff": staff.unknown, "size.turnover": turnover.unknown, "size.balance": balance.unknown}


def _figure(value: Fraction | int | None, path: str) -> Range:
    return Range(Fraction(0), None, (path,)) if value is None else Range(Fraction(value), Fraction(value))


def _parts(enterprises: tuple[Enterprise, ...] | None, name: str) -> Iterable[Range]:
    if enterprises is None:
        yield Range(Fraction(0), None, ("size.group",))
        return
    for index, enterprise in enumerate(enterprises):
        path = f"size.group[{index}]"
        low, high, missing = weight(enterprise)
        figure = _figure(getattr(enterprise.figures, name), f"{path}.{name}")
        if high > 0:
            unknown = figure.unknown + tuple(f"{path}.{key}" for key in missing)
            yield Range(figure.low * low, None if figure.high is None else figure.high * high, unknown)


def weight(enterprise: Enterprise) -> tuple[Fraction, Fraction, tuple[str, ...]]:
    """Return the least and the greatest share of its figures that counts, and the inputs that keep them apart."""
    match _relation(enterprise):
        case Relation.LINKED:
            return Fraction(1), Fraction(1), ()
        case Relation.AUTONOMOUS:
            return Fraction(0), Fraction(0), ()
        case Relation.PARTNER:
            return _partner(enterprise)
        case None:
            return Fraction(0), Fraction(1), ("relation",)


def _relation(enterprise: Enterprise) -> Relation | None:
    if enterprise.votes_percent is not None and enterprise.votes_percent > LINKED_ABOVE:
        return Relation.LINKED
    return enterprise.relation


def _partner(enterprise: Enterprise) -> tuple[Fraction, Fraction, tuple[str, ...]]:
    shares = {"capital_percent": enterprise.capital_percent, "votes_percent": enterprise.votes_percent}
    missing = tuple(name for name, share in shares.items() if share is None)
    known = max((share for share in shares.values() if share is not None), default=Fraction(0))
    low = max(known, Fraction(PARTNER_FROM)) / 100
    high = Fraction(1) if missing else low
    if known > EXEMPT_UP_TO or enterprise.exempt_investor is False:
        return low, high, missing
    if enterprise.exempt_investor is None:
        return Fraction(0), high, (*missing, "exempt_investor")
    # An exempt investor that holds 25 to 50 % is no partner; one whose share is open may hold more.
    return Fraction(0), high if missing else Fraction(0), missing


def _brackets(figure: Range, bracket: Callable[[Fraction], int]) -> tuple[int, ...]:
    return tuple(range(bracket(figure.low), (3 if figure.high is None else bracket(figure.high)) + 1))


_ALL = (0, 1, 2, 3)


def _earlier(earlier: Earlier | tuple[Figures, ...] | None) -> dict[str, tuple[int, ...]]:
    match earlier:
        case Earlier():
            return {}  # the present figures decide: confirmed, estimated in good faith, or a change at once
        case None:
            return {"size.earlier_periods": _ALL}
        case periods:
            named = {f"size.earlier_periods[{i}]": _possible(period) for i, period in enumerate(periods)}
            return {"size.earlier_periods": _ALL, **named}


def _possible(period: Figures) -> tuple[int, ...]:
    alone = Size(period, Earlier.SAME_CLASS, (), None)
    staff, turnover, balance = dimensions(alone).values()
    return tuple(sorted({size_class(s, t, b) for s in staff for t in turnover for b in balance}))
