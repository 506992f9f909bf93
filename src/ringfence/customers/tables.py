"""Tables as CSV: strict and bounded to read. Pure."""

import csv
import io
from collections.abc import Sequence

from ringfence.kernel.errors import MalformedInput

MAX_FILE = 4 * 2**20
MAX_ROWS = 2000
MAX_COLUMNS = 64
MAX_CELL = 8000

Row = tuple[str, ...]


def read_csv(data: bytes, *, source: str) -> tuple[Row, ...]:
    """Read rows of equal length; the first is the header. Commas, or semicolons where the header has those.

    Raises:
        MalformedInput: with the line that is wrong.
    """
    if len(data) > MAX_FILE:
        raise MalformedInput(f"the file has {len(data)} bytes; at most {MAX_FILE} are read", source=source)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedInput("the file is not UTF-8 text", source=source) from error
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first and "," not in first else ",")
    found: list[Row] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                found.append(checked(row, len(found) + 1, source=source))
            if len(found) > MAX_ROWS + 1:
                raise MalformedInput(f"the table has more than {MAX_ROWS} rows", source=source)
    except csv.Error as error:
        raise MalformedInput(f"this is no CSV: {error}", source=source, line=reader.line_num) from error
    return square(found, source=source)


def checked(row: Sequence[str], line: int, *, source: str) -> Row:
    """Return a row within the limits, or raise `MalformedInput`."""
    if len(row) > MAX_COLUMNS:
        raise MalformedInput(f"a row has more than {MAX_COLUMNS} cells", source=source, line=line)
    for cell in row:
        if len(cell) > MAX_CELL:
            raise MalformedInput(f"a cell has more than {MAX_CELL} characters", source=source, line=line)
        if any(ord(letter) < 32 and letter not in "\t\r\n" for letter in cell):
            raise MalformedInput("a cell holds a control character", source=source, line=line)
    return tuple(row)


def square(rows: Sequence[Row], *, source: str) -> tuple[Row, ...]:
    """Return the rows, short ones filled up; raise where there is no header, or a row is longer than it."""
    if len(rows) < 2:
        raise MalformedInput("the table has a header and rows below it", source=source)
    width = len(rows[0])
    for line, row in enumerate(rows, start=1):
        if any(cell for cell in row[width:]):
            raise MalformedInput("the row is longer than the header", source=source, line=line)
    return tuple((*row[:width], *[""] * (width - len(row))) for row in rows)
