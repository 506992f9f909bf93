"""Whatever text goes into a cell: no spreadsheet takes it for a formula, and it can be read back."""

import csv
import io
import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringfence.frontends.spreadsheet import inert, to_csv

BEGINS = "=+-@|%\t\r\n"
# Every character that compatibility folding makes one of them, and the minus sign that it does not fold.
KIN = "".join(map(chr, (c for c in range(0x80, 0x10000) if unicodedata.normalize("NFKC", chr(c)) in set("=+-@|%"))))
BEFORE = st.text(st.sampled_from(" \u00a0\u3000\ufeff\u200b'\"\u201c\u2019\uff02\x0b\x00"), max_size=4)
REST = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(BEFORE, st.sampled_from(BEGINS + KIN + "\u2212"), REST)
@settings(max_examples=300)
def test_every_known_beginning_is_guarded(before, begins, rest):
    text = before + begins + rest
    assert inert(text) == f"'{text}"


@given(st.lists(st.lists(REST | st.integers(-(10**9), 10**9), min_size=1, max_size=4), min_size=1, max_size=4))
@example([["a;=1", -1], ["\r", "'=1"]])
def test_a_table_is_read_back_cell_by_cell(rows):
    found = list(csv.reader(io.StringIO(to_csv(rows), newline=""), strict=True))
    assert found == [[inert(cell) for cell in row] for row in rows]
    for row, given_row in zip(found, rows, strict=True):
        for cell, was in zip(row, given_row, strict=True):
            assert cell in (str(was), f"'{was}")
            assert isinstance(was, int) or not cell.lstrip(' \u3000\u00a0"').startswith(tuple(BEGINS + KIN))
