"""Read what people filled in, strictly and within bounds."""

import re
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PersonId, person_id

MAX_LINE = 200
MAX_TEXT = 2000
MAX_NAMES = 50
LONGEST = 365  # days that an acceptance or an exception runs at most
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def line(value: object, what: str) -> str:
    """Return one line of text that is not empty."""
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= MAX_LINE or not value.isprintable():
        raise MalformedInput(f"is one line of 1 to {MAX_LINE} printable characters", source=what)
    return value.strip()


def text(value: object, what: str, most: int = MAX_TEXT) -> str:
    """Return a text that is not empty; it may have several lines."""
    clean = isinstance(value, str) and all(c.isprintable() or c in "\r\n\t" for c in value)
    if not isinstance(value, str) or not clean or not 1 <= len(value.strip()) <= most:
        raise MalformedInput(f"is a text of 1 to {most} characters", source=what)
    return value.strip()


def whole(value: object, what: str, low: int, high: int) -> int:
    """Return a whole number within its bounds."""
    if type(value) is not int or not low <= value <= high:
        raise MalformedInput(f"is a whole number from {low} to {high}", source=what)
    return value


def yes(value: object, what: str) -> bool:
    """Return a truth value."""
    if not isinstance(value, bool):
        raise MalformedInput("is true or false", source=what)
    return value


def day(value: object, what: str) -> date:
    """Return a day such as 2026-11-22."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise MalformedInput("is a day such as 2026-11-22", source=what)


def until(value: object, what: str, today: date, longest: int = LONGEST) -> date:
    """Return the last day of something that runs out; raise `Refused` where it lies behind us, or too far ahead."""
    last = day(value, what)
    if not runs(last, today, longest):
        raise Refused(f"{what}: ends within 1 to {longest} days, so by {today + timedelta(days=longest)}")
    return last


def runs(last: date, since: date, longest: int = LONGEST) -> bool:
    """Tell whether something may run from one day to another."""
    return 1 <= (last - since).days <= longest


def names(value: object, what: str, known: Collection[str]) -> tuple[str, ...]:
    """Return names of which each is known, sorted; no name stands twice."""
    if not isinstance(value, list) or len(value) > MAX_NAMES or not all(isinstance(one, str) for one in value):
        raise MalformedInput(f"is a list of at most {MAX_NAMES} names", source=what)
    if unknown := sorted(set(value) - set(known)):
        raise MalformedInput(f"{unknown[0][:80]!r} is not known", source=what)
    if len(set(value)) != len(value):
        raise MalformedInput("names something twice", source=what)
    return tuple(sorted(value))


def person(value: object, what: str) -> PersonId | None:
    """Return a person's id; None where nobody is named."""
    if value == "":
        return None
    try:
        return person_id(value)
    except MalformedInput as error:
        raise MalformedInput("is a person's id such as person-0123456789ab", source=what) from error


def fields(value: object, what: str, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Any]:
    """Return a record that has every required field and none beside the optional ones."""
    if not isinstance(value, dict) or not set(required) <= value.keys() <= {*required, *optional}:
        listed = ", ".join(sorted(required)) + "".join(f", {name} or not" for name in sorted(optional))
        raise MalformedInput(f"has the fields {listed}", source=what)
    return value
