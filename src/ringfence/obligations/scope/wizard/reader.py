"""Read the typed fields of a sheet; what is wrong with them is kept beside their names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.obligations.scope.wizard.model import Sheet, one
from ringfence.obligations.scope.writing import Bare

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")
_MONEY = re.compile(r"[0-9]{1,15}")
_PERCENT = re.compile(r"(100|[0-9]{1,2})(\.[0-9]{1,4})?")
_SPACES = re.compile(r"[\s_']")
MAX_NAME = 180  # the format takes 200, and a card may put some words behind a name


@dataclass(slots=True)
class Reader:
    """Reads the typed fields of a sheet, and keeps what is wrong with them beside their names."""

    sheet: Sheet
    wrong: dict[str, str] = field(default_factory=dict)

    def number(self, name: str) -> Bare | None:
        """Return a number such as 60 or 49.5."""
        return self._typed(name, _NUMBER, "a number such as 60 or 49.5 is expected")

    def money(self, name: str) -> Bare | None:
        """Return whole euros."""
        return self._typed(name, _MONEY, "whole euros are expected, such as 9 000 000")

    def percent(self, name: str) -> Bare | None:
        """Return a share."""
        found = self._typed(name, _PERCENT, "a share from 0 to 100 is expected")
        if found is None or float(found) <= 100:
            return found
        self.wrong[name] = "a share from 0 to 100 is expected"
        return None

    def text(self, name: str, instead: str) -> str:
        """Return a name, or what stands instead of one that nobody gave or that cannot be one."""
        value = one(self.sheet, name)
        if value is None:
            return instead
        if len(value) > MAX_NAME or not value.isprintable():
            self.wrong[name] = f"a name of at most {MAX_NAME} printable characters is expected"
            return instead
        return value

    def choice(self, name: str, allowed: Mapping[str, Any] | tuple[str, ...]) -> str | None:
        """Return one of the words that are offered; what a page did not offer counts as unknown."""
        value = one(self.sheet, name)
        return value if value in allowed else None

    def _typed(self, name: str, pattern: re.Pattern[str], expected: str) -> Bare | None:
        value = one(self.sheet, name)
        if value is None:
            return None
        plain = _SPACES.sub("", value)
        if pattern.fullmatch(plain) and plain.isascii():
            return Bare(plain)
        self.wrong[name] = expected
        return None
