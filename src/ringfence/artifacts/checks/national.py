"""National identity numbers that carry a check: how each is written, and whether its check holds.

Published rules of Belgium, Finland, France, Germany (tax number), Italy, the Netherlands, Poland, Spain and Sweden.
Numbers of states without a check digit cannot be told from others and are not looked for.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

_ODD = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True))
_ODD |= dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)
_LETTERS_ES = "TRWAGMYFPDXBNJZSQVHLCKE"
_LETTERS_FI = "0123456789ABCDEFHJKLMNPRSTUVWXY"


@dataclass(frozen=True, slots=True)
class Number:
    """One kind of number: how it is written, its check, and how often a random string of that form passes."""

    kind: str
    form: re.Pattern[str]
    holds: Callable[[str], bool]
    chance: float
    context: str = ""  # a word that must stand beside a number that is otherwise too ordinary


def luhn(digits: str) -> bool:
    """Check the formula of Luhn (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _digits(text: str) -> str:
    return "".join(c for c in text if c in "0123456789")


def belgian(text: str) -> bool:
    """Check a national register number: two digits modulo 97, before and since 2000."""
    digits = _digits(text)
    year, month, day, check = int(digits[:2]), int(digits[2:4]), int(digits[4:6]), int(digits[9:])
    old = check == 97 - int(digits[:9]) % 97 and _is_date(1900 + year, month, day)
    return old or (check == 97 - int("2" + digits[:9]) % 97 and _is_date(2000 + year, month, day))


def finnish(text: str) -> bool:
    """Check a personal identity code: a character modulo 31."""
    return text[10] == _LETTERS_FI[int(text[:6] + text[7:10]) % 31] and _is_date(2000, int(text[2:4]), int(text[:2]))


def french(text: str) -> bool:
    """Check a registration number: a key of two digits modulo 97; Corsica counts as 19 and 18."""
    plain = text.replace(" ", "").replace("2A", "19").replace("2B", "18")
    month = int(plain[3:5])
    return int(plain[13:]) == 97 - int(plain[:13]) % 97 and (1 <= month <= 12 or 20 <= month <= 42)


def german(text: str) -> bool:
    """Check a tax identification number: ISO 7064 MOD 11,10, and one digit that is there two or three times."""
    counts = sorted((text[:10].count(digit) for digit in set(text[:10])), reverse=True)
    if counts[0] not in {2, 3} or counts[1] != 1:
        return False
    product = 10
    for digit in text[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(text[10])


def italian(text: str) -> bool:
    """Check a codice fiscale: a letter from odd and even places."""
    total = sum(_ODD[c] for c in text[:15:2])
    total += sum(int(c) if c.isdigit() else ord(c) - 65 for c in text[1:15:2])
    return text[15] == chr(65 + total % 26)


def dutch(text: str) -> bool:
    """Check a BSN: the test of eleven."""
    return sum(int(c) * weight for c, weight in zip(text, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True)) % 11 == 0


def polish(text: str) -> bool:
    """Check a PESEL: weights 1, 3, 7, 9, and a date whose month carries the century."""
    total = sum(int(c) * (1, 3, 7, 9)[place % 4] for place, c in enumerate(text[:10]))
    century, month = divmod(int(text[2:4]), 20)
    year = {4: 1800, 0: 1900, 1: 2000, 2: 2100, 3: 2200}.get(century, 0) + int(text[:2])
    return (10 - total % 10) % 10 == int(text[10]) and _is_date(year, month, int(text[4:6]))


def spanish(text: str) -> bool:
    """Check a DNI or NIE: a letter modulo 23."""
    number = int({"X": "0", "Y": "1", "Z": "2"}.get(text[0], text[0]) + text[1:8])
    return text[-1] == _LETTERS_ES[number % 23]


def swedish(text: str) -> bool:
    """Check a personnummer: Luhn over ten digits, and a date; coordination numbers have 60 more days."""
    digits = _digits(text)[-10:]
    day = int(digits[4:6])
    return luhn(digits) and _is_date(2000, int(digits[2:4]), day - 60 if day > 60 else day)


def _form(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-])(?:{text})(?![\w-]|\.\d)", re.ASCII)


# By chance: measured on a million random strings of each form, rounded up (tests hold them).
NUMBERS = (
    Number("be-national-number", _form(r"\d{11}|\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"), belgian, 0.001),
    Number("de-tax-number", _form(r"[1-9]\d{10}"), german, 0.02),
    Number("es-dni", _form(r"\d{8}[A-HJ-NP-TV-Z]|[XYZ]\d{7}[A-HJ-NP-TV-Z]"), spanish, 0.05),
    Number("fi-identity-code", _form(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]"), finnish, 0.005),
    Number("fr-registration-number", _form(r"[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"), french, 0.005),
    Number("it-codice-fiscale", _form(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]"), italian, 0.05),
    Number("nl-bsn", _form(r"\d{9}"), dutch, 0.1, context="bsn"),
    Number("pl-pesel", _form(r"\d{11}"), polish, 0.025),
    Number("se-personnummer", _form(r"(?:19|20)?\d{6}[-+]\d{4}"), swedish, 0.01),
)
