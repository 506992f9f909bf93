"""Cells as numbers, strictly."""

import re

from ringfence.artifacts.checks.model import Value

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_MOST = 1e300


def number_of(value: Value) -> float | None:
    """Return a cell as a finite number; None where it is none (also for `nan`, `inf` and `1_000`)."""
    if isinstance(value, str):
        value = float(value) if len(value) < 90 and _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or value is None:
        return None
    return float(value) if abs(value) < _MOST else None
