"""Personal data by their form: addresses, telephone and account numbers, identity numbers whose check holds.

Where a check digit passes by chance, as Luhn's does for one in ten, a column of plain numbers would be full of "cards".
So candidates are counted beside hits: with twenty or more of them, hits that are no more than chance explains are not
reported.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import NamedTuple

from ringfence.artifacts.checks.masking import masked, quoted
from ringfence.artifacts.checks.model import Check, Finding, Findings, Result, Row
from ringfence.artifacts.checks.national import NUMBERS, luhn
from ringfence.artifacts.checks.significance import binomial_tail

MAX_SCANNED = 2**20  # characters of a cell
_ENOUGH = 20
_UNLIKELY = 1e-3
_EMAIL = re.compile(
    r"(?<![\w.%+-])[A-Za-z0-9._%+-]{1,64}@((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w-])", re.ASCII
)
_PHONE = re.compile(r"(?<![\w+])(?<!\d[ -])(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){7,14}(?!\w)", re.ASCII)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)", re.ASCII)
_CARD = re.compile(r"(?<![\w.-])(?<!\d[ -])[2-6](?:[ -]?\d){12,18}(?![\w-]|\.\d)", re.ASCII)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])", re.ASCII)
_DIGITS = re.compile(r"(?:[0-9][^0-9]{0,2}){7}")
_RESERVED = ("example", "test", "invalid", "localhost", "example.com", "example.org", "example.net")  # RFC 2606
_IBAN_LENGTHS = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "UA": 29, "VA": 22,
}  # fmt: skip
_CHANCES = {"card": 0.1, **{number.kind: number.chance for number in NUMBERS}}
KINDS = ("e-mail", "phone", "iban", "card", "ip-address", *(number.kind for number in NUMBERS))


class Candidate(NamedTuple):
    """Something of the form of personal data, and whether its check holds."""

    kind: str
    value: str
    holds: bool


def candidates(text: str, column: str = "") -> Iterator[Candidate]:
    """Yield what has the form of personal data."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Candidate("e-mail", match[0], not _reserved(match[1].lower()))
    if text.count(":") > 1:
        yield from (Candidate("ip-address", m[0], _is_public(m[0])) for m in _IPV6.finditer(text) if _is_public(m[0]))
    if text.count(".") > 2:
        yield from (Candidate("ip-address", m[0], _is_public(m[0])) for m in _IPV4.finditer(text) if _is_public(m[0]))
    if _DIGITS.search(text):
        yield from _of_digits(text, column)


def _of_digits(text: str, column: str) -> Iterator[Candidate]:
    yield from (Candidate("phone", match[0], holds=True) for match in _PHONE.finditer(text))
    for match in _IBAN.finditer(text):
        yield Candidate("iban", match[0], is_iban(match[0]))
    for match in _CARD.finditer(text):
        yield Candidate("card", match[0], is_card(match[0]))
    for number in NUMBERS:
        if number.context and number.context not in text.lower() and number.context not in column.lower():
            continue
        for match in number.form.finditer(text):
            yield Candidate(number.kind, match[0], number.holds(match[0]))


def _reserved(domain: str) -> bool:
    return any(domain == name or domain.endswith("." + name) for name in _RESERVED)


def _is_public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def is_iban(text: str) -> bool:
    """Check length and the remainder modulo 97 (ISO 13616)."""
    plain = text.replace(" ", "")
    if _IBAN_LENGTHS.get(plain[:2]) != len(plain):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def is_card(text: str) -> bool:
    """Check issuer range, length and Luhn."""
    digits = text.replace(" ", "").replace("-", "")
    issued = digits[0] in "3456" or "2221" <= digits[:4] <= "2720"
    return issued and 13 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn(digits)


def looks_personal(text: str) -> bool:
    """Tell whether a text holds anything whose check holds."""
    return any(found.holds for found in candidates(text))


class PersonalCheck:
    """Look through every cell."""

    def __init__(self, share: float, allowed: frozenset[str]) -> None:
        self._share, self._allowed = share, allowed
        self._tried: dict[tuple[str, str], list[int]] = {}
        self._found: dict[tuple[str, str], Findings] = {}
        self._rows = 0

    def see(self, row: Row) -> None:
        """Look at the next row."""
        self._rows += 1
        for column, value in row.cells.items():
            if isinstance(value, str):
                text = value
            elif isinstance(value, int) and value > 10**7:
                text = str(value)
            else:
                continue
            if len(text) > 6:
                self._look(column, text, row)

    def _look(self, column: str, text: str, row: Row) -> None:
        for kind, value, holds in candidates(text[:MAX_SCANNED], column):
            if kind in self._allowed:
                continue
            key = (column, kind)
            counts = self._tried.setdefault(key, [0, 0])
            counts[0] += 1
            if holds:
                counts[1] += 1
                shown = f"Column {quoted(column)} holds what looks like personal data ({kind}): {masked(value)}"
                finding = Finding(f"personal-data/{kind}", shown, row.file, row.number, column)
                self._found.setdefault(key, Findings()).add(finding)

    def result(self) -> Result:
        """Return what was found, without what chance explains."""
        findings, chance = Findings(), 0
        for (column, kind), (tried, hits) in sorted(self._tried.items()):
            if hits and tried >= _ENOUGH and binomial_tail(hits, tried, _CHANCES.get(kind, 0.0)) > _UNLIKELY:
                chance += hits
                continue
            for finding in self._found[column, kind].kept if hits else ():
                findings.add(finding)
            findings.total += max(0, hits - len(self._found[column, kind].kept)) if hits else 0
        part = findings.total / (self._rows or 1)
        reason = f"{findings.total} values look like personal data" if part > self._share else ""
        measures = {"rows": self._rows, "found": findings.total, "by-chance": chance}
        return findings.result(Check.PERSONAL, reason, measures)
