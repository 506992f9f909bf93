"""Tell sentences from what was left where a sentence has to stand: placeholders, prompts, random letters.

Bounded on both sides: what a person writes in a European language passes, what nobody meant as a statement does not.
`tests/unit/obligations/test_placeholders.py` measures both on corpora. It reads letters, not meaning: a false sentence
passes.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_TEXT = 4000
_LEAST_WORDS = 3
_LEAST_LETTERS = 12  # below that the share of vowels says nothing
_LEAST_VOWELS = 26  # per cent; uniformly random letters have 23, the poorest European languages in our corpus 31

_MARKERS = re.compile(
    r"\b(todo|tbd|tba|tbc|fixme|lorem|ipsum|foobar|blah|xx+|changeme"
    r"|to be (?:determined|defined|completed|decided|filled in|written|announced)"
    r"|(?:your|our) (?:company|organisation|organization)(?:'s)? name(?: here)?"
    r"|(?:insert|enter|write|add|put) (?:\w+ ){0,4}here)\b",
    re.IGNORECASE,
)
_GAPS = (
    (
        re.compile(r"\[(?=[^\]]{0,242}\])(?:\s*|[^\]\n]{0,120}[A-Za-z…?][^\]\n]{0,120}|\.{2,})\](?![(\[:])"),
        "a gap in brackets",
    ),
    (re.compile(r"\{\{.{0,120}?\}\}|\$\{[^}\n]{0,80}\}|%[A-Z_]{3,40}%"), "a variable that nobody filled"),
    (re.compile(r"<[A-Za-z][^<>\n]{0,60}>"), "a gap in angle brackets"),
    (re.compile(r"_{3,}|\.{4,}|-{4,}|\?{2,}|…{2,}|\*{3,}"), "a line to write on"),
)
_CODE = re.compile(r"`[^`\n]{1,200}`|(?:[a-z]{2,8}:)[0-9a-f]{16,128}\b")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_REPEATED = re.compile(r"(.)\1{3,}|^(.)\2{2,}$|^(..?.?)\3{2,}$")
_WALKS = re.compile(
    r"qwert|werty|rtyui|tyuio|yuiop|asdf|sdfg|dfgh|fghj|ghjk|hjkl|zxcv|xcvb|cvbn|vbnm|azerty|^(?:sdf|dfg|fgh|asd|jkl|qwe|zxc)$"
)
# No word of a European language that we write down has these pairs; compounds of German and Dutch were spared.
_IMPOSSIBLE = re.compile(r"[bcdfghjkmpqstvwz]x|x[dgjkqrvz]|[bdfghjklmptvwxyz]q|q[b-hj-tv-z]|v[bfgjw]|wv|jj|[vwz]j|zx")
_VOWELS = frozenset("aeiouy\u00e6\u0153\u00f8\u0131")
_SHORT = frozenset(  # names that are written small; others stand in backticks
    re.findall(
        "[a-z]+",
        "nft ssh sshd tls tcp dns vms vpn gpu cpu sql css xml html http https httpx llhttp pdf png svg csv cfr btw bzw "
        "mwh kwh krk prst smrt trh hrd ctrl snp tpm npm pty cgi grp shm cpp tmpfs pkcs libpq postgresql tmp cmd src "
        "dst msg str nbr",
    )
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a text, and where."""

    line: int
    field: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """Return it as front ends show it."""
        return {"line": self.line, "field": self.field, "message": self.message}


def problem(text: str, *, least_words: int = _LEAST_WORDS) -> str:
    """Say why a text is no sentence that somebody meant, or nothing."""
    plain = _CODE.sub(" it ", text)
    if not plain.strip():
        return "is empty"
    if len(text) > MAX_TEXT:
        return f"has more than {MAX_TEXT} characters"
    if found := _MARKERS.search(plain):
        return f"holds a placeholder, {found[0][:40]!r}"
    for pattern, what in _GAPS:
        if found := pattern.search(plain):
            return f"holds {what}, {found[0][:40]!r}"
    words = _WORD.findall(plain)
    if odd := next(_odd(words), None):
        return f"holds letters that are no word, {odd[:40]!r}"
    if len(words) < least_words:
        return f"is no sentence: it has fewer than {least_words} words"
    return _vowels(words)


def _odd(words: list[str]) -> Iterator[str]:
    for word in words:
        for part in re.split(r"['\u2019-]", word):
            if _is_odd(part):
                yield word


def _is_odd(part: str) -> bool:
    letters = _bare(part)
    if len(letters) < _LEAST_WORDS or part.isupper() or not letters.isascii():  # acronyms; Greek, Cyrillic
        return False
    low = letters.lower()
    if _REPEATED.search(low) or _WALKS.search(low):
        return True
    if any(c.isupper() for c in part[1:]):  # a name such as NetworkPolicy
        return False
    return low not in _SHORT and (not _VOWELS & set(low) or bool(_IMPOSSIBLE.search(low)))


def _vowels(words: list[str]) -> str:
    letters = [c for word in words if not word.isupper() for c in _bare(word).lower() if c.isalpha()]
    if len(letters) < _LEAST_LETTERS or not all(c.isascii() or c in _VOWELS for c in letters):
        return ""
    share = 100 * sum(c in _VOWELS for c in letters) // len(letters)
    return "is a row of letters, no words" if share < _LEAST_VOWELS else ""


def _bare(text: str) -> str:
    """Return letters without their accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
