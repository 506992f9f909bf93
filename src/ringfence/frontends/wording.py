"""How pages word times, digests and numbers: the same everywhere, so that two pages can be compared by eye."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ringfence.kernel.clock import to_text

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_DAYS_FROM = 2 * 86_400  # up to two days, hours say more than days
_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}")
_KEPT = 8  # digits on either side of a shortened digest: enough to compare two by eye


def utc(at: datetime) -> str:
    """Print an instant for reading, in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def field(at: datetime) -> str:
    """Print an instant in the form that a `datetime-local` field takes, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def kept_at(at: datetime | None) -> str:
    """Return the part of an address that keeps a page at a time; nothing for now."""
    return f"?as_of={quote(to_text(at))}" if at else ""


def span(seconds: float) -> str:
    """Print a length of time in its largest sensible unit, rounded down."""
    whole = int(abs(seconds))
    for unit, size in _UNITS:
        if whole >= (_DAYS_FROM if unit == "d" else size):
            return f"{whole // size} {unit}"
    return "0 s"


def age(at: datetime, now: datetime) -> str:
    """Say how far `at` lies from `now`: `3 d ago`, `in 4 h`, `just now`."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return "just now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(seconds)}"


def middle(text: object) -> str:
    """Shorten a digest or key id in its middle; whatever is short already stays."""
    digits = str(text).removeprefix("sha256:")
    return digits if len(digits) <= 2 * _KEPT + 1 else f"{digits[:_KEPT]}…{digits[-_KEPT:]}"


def is_digest(value: object) -> bool:
    """Tell whether a claim is a digest or a key id, which is read by its ends and copied whole."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def number(value: int) -> str:
    """Print a count with its thousands apart."""
    return f"{value:,}"


def words(name: str) -> str:
    """Print a camelCase field name as words: `chunkSize` becomes `chunk size`."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


def claim(value: Any) -> str:
    """Print the value of a claim: lists by commas, truth as yes and no, mappings as pairs."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return number(value)
        case list() | tuple():
            return ", ".join(claim(item) for item in value) or "none"
        case dict():
            return ", ".join(f"{name}: {claim(item)}" for name, item in value.items()) or "none"
        case None:
            return "none"
        case _:
            return str(value)


def plural(count: int, one: str, many: str = "") -> str:
    """Print a count with its noun: `1 entry`, `2 entries`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def points(values: list[float], width: int = 96, height: int = 24) -> str:
    """Return the points of a sparkline through `values`, for an SVG polyline of that size."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    scale = (height - 4) / ((high - low) or 1)
    step = (width - 2) / (len(values) - 1)
    return " ".join(f"{1 + i * step:.1f},{height - 2 - (v - low) * scale:.1f}" for i, v in enumerate(values))
