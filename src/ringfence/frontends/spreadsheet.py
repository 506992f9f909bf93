"""Tables for spreadsheets, of which none takes a cell for a formula: the one guard that every export uses. Pure."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

Cell = str | int  # a number stays one, a negative one too; text never becomes one

# What makes a cell a formula, or a command of an old one, in some program; and what such programs fold into these.
_BEGINS = frozenset("=+-@|%\t\r\n\u2212")
_QUOTES = frozenset("'\"`\u2018\u2019\u201c\u201d\uff07\uff02")
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # blanks, controls, and what has no width


def inert(cell: Cell) -> str:
    """Return a cell that a spreadsheet shows and does not work out: an apostrophe stands before a formula."""
    if isinstance(cell, int):
        return str(cell)
    return f"'{cell}" if _begins(cell) else cell


def to_csv(rows: Iterable[Sequence[Cell]]) -> str:
    """Print rows as RFC 4180 asks, every cell in quotes: a program that splits at semicolons finds no cell within."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return out.getvalue()


def _begins(text: str) -> bool:
    """Tell whether a text begins a formula, whatever blanks and quotes stand before it."""
    for letter in text:
        if letter in _BEGINS or unicodedata.normalize("NFKC", letter)[0] in _BEGINS:
            return True
        if letter not in _QUOTES and unicodedata.category(letter) not in _UNSEEN:
            return False
    return False
