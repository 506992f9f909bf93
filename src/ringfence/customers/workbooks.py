"""Tables as XLSX, by openpyxl where it is installed: bounded before anything is unpacked, and never a formula. Pure."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from ringfence.customers import tables
from ringfence.customers.tables import MAX_COLUMNS, MAX_ROWS, Row
from ringfence.frontends import spreadsheet
from ringfence.kernel.errors import MalformedInput, Unavailable

EXTRA = "questionnaires"
MAX_PARTS = 500
MAX_UNPACKED = 64 * 2**20
_MARKUP = tuple(
    f"<!{word}".encode(form) for word in ("DOCTYPE", "ENTITY") for form in ("utf-8", "utf-16-le", "utf-16-be")
)


def read(data: bytes, *, source: str) -> tuple[Row, ...]:
    """Read a table: a workbook where the file's name ends in .xlsx, otherwise CSV."""
    return read_xlsx(data, source=source) if _is_workbook(source) else tables.read_csv(data, source=source)


def write(rows: Sequence[Sequence[str]], name: str) -> bytes:
    """Print a table in the form that the file's name asks for, as `read` takes it."""
    return write_xlsx(rows) if _is_workbook(name) else spreadsheet.to_csv(rows).encode()


def _is_workbook(name: str) -> bool:
    return name.casefold().endswith(".xlsx")


def read_xlsx(data: bytes, *, source: str) -> tuple[Row, ...]:
    """Read the first sheet; of formulas the values that were kept beside them.

    Raises:
        Unavailable: openpyxl is not installed.
        MalformedInput: this is no workbook, or too large a one.
    """
    found = library()
    _check(data, source)
    try:
        book = found.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        rows = list(_rows(book, source))
    except (MalformedInput, MemoryError):
        raise
    except Exception as error:  # whatever a foreign parser raises on foreign bytes
        raise MalformedInput(f"this workbook cannot be read ({type(error).__name__})", source=source) from error
    return tables.square(rows, source=source)


def write_xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    """Print rows as a workbook of one sheet in which every cell is text."""
    book = library().Workbook(write_only=False)
    sheet = book.active
    sheet.title = "Answers"
    for line, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(line, column)
            cell.value = spreadsheet.inert(text)
            cell.data_type = "s"  # text, whatever it begins with
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def library(name: str = "openpyxl") -> Any:
    """Return the library that reads and writes workbooks; raise `Unavailable` where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        message = f"XLSX needs openpyxl: pip install 'ringfence[{EXTRA}]', or save the questions as CSV"
        raise Unavailable(message) from error


def _check(data: bytes, source: str) -> None:
    if len(data) > tables.MAX_FILE:
        raise MalformedInput(f"the file has {len(data)} bytes; at most {tables.MAX_FILE} are read", source=source)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            _check_parts(parts, source)
    except MalformedInput:
        raise
    except Exception as error:  # a damaged or encrypted archive, in one of many ways
        raise MalformedInput("this is no XLSX workbook", source=source) from error


def _check_parts(parts: zipfile.ZipFile, source: str) -> None:
    found = parts.infolist()
    # What is read of a part never exceeds the size that its directory states.
    if len(found) > MAX_PARTS or sum(part.file_size for part in found) > MAX_UNPACKED:
        message = f"the workbook unpacks to more than {MAX_PARTS} parts or {MAX_UNPACKED} bytes"
        raise MalformedInput(message, source=source)
    for part in found:
        data = parts.read(part)
        if any(mark in data for mark in _MARKUP):
            raise MalformedInput("a part of the workbook defines entities of its own", source=source)


def _rows(book: Any, source: str) -> Iterator[Row]:
    sheet = book.worksheets[0]
    seen = 0
    for line, row in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True), start=1):
        cells = ["" if value is None else str(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if not any(cell.strip() for cell in cells):
            if line > 10 * MAX_ROWS:
                raise MalformedInput("the sheet is empty over many rows", source=source)
            continue
        seen += 1
        if seen > MAX_ROWS + 1:
            raise MalformedInput(f"the table has more than {MAX_ROWS} rows", source=source)
        yield tables.checked(cells, line, source=source)
