"""Decide whether one claim is as a condition wants it; a claim that is absent never is."""

from collections.abc import Callable
from typing import Any

from ringfence.obligations.model import Claims, Condition, Op

ABSENT = object()


def claim(claims: Claims, path: str) -> Any:
    """Return the claim at a dotted path, or `ABSENT`."""
    if "." not in path:
        return claims.get(path, ABSENT)
    value: Any = claims
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return ABSENT
        value = value[name]
    return value


def broken(conditions: tuple[Condition, ...], claims: Claims) -> str | None:
    """Return the sentence of the first condition that does not hold, with what was found; None if all hold."""
    first = failing(conditions, claims)
    return complaint(first, claims) if first else None


def failing(conditions: tuple[Condition, ...], claims: Claims) -> Condition | None:
    """Return the first condition that does not hold; None if all hold."""
    return next((condition for condition in conditions if not holds(condition, claims)), None)


def complaint(condition: Condition, claims: Claims) -> str:
    """Return the sentence of a condition that does not hold, with what was found."""
    value = claim(claims, condition.path)
    return f"{condition.because} ({condition.path} {_shown(value)}, asked: {asked(condition)})"


def asked(condition: Condition) -> str:
    """Return in words how a claim has to compare, and with what."""
    wanted = condition.value
    if isinstance(wanted, tuple):
        wanted = ", ".join(wanted) or "empty"
    return f"{condition.op.value.replace('-', ' ')} {'' if wanted is None else wanted}".strip()


def holds(condition: Condition, claims: Claims) -> bool:
    """Tell whether one condition holds."""
    value, wanted = claim(claims, condition.path), condition.value
    if value is ABSENT:
        return False
    if condition.op is Op.SAME_AS:
        return _same(value, claim(claims, str(wanted)))
    return _TESTS[condition.op](value, wanted)


def _same(value: Any, wanted: Any) -> bool:
    # True == 1 in Python, and a claim that changes its type must not slip through.
    if isinstance(wanted, tuple):
        return isinstance(value, list) and value == list(wanted)
    return type(value) is type(wanted) and bool(value == wanted)


_TESTS: dict[Op, Callable[[Any, Any], bool]] = {
    Op.PRESENT: lambda value, _: value is not None and value not in ("", [], {}),
    Op.TRUE: lambda value, _: value is True,
    Op.EQUALS: _same,
    Op.ONE_OF: lambda value, wanted: any(_same(value, item) for item in wanted),
    Op.AT_LEAST: lambda value, wanted: type(value) is int and value >= wanted,
    Op.AT_MOST: lambda value, wanted: type(value) is int and value <= wanted,
    Op.INCLUDES: lambda value, wanted: isinstance(value, list) and all(item in value for item in wanted),
}


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "is absent"
    text = "empty" if value in ("", [], {}) else str(value)
    return f"is {text[:60]}"
