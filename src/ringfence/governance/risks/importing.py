"""An existing register from CSV: all of its rows, or none. Pure."""

import csv
import io
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ringfence.governance import reading
from ringfence.governance.risks.model import STEPS, Plan, Rating, RiskId, Row, Treatment
from ringfence.governance.risks.statements import MAX_ROWS, Known
from ringfence.kernel.errors import MalformedInput

MAX_BYTES = 2**20
REQUIRED = ("title", "likelihood", "impact", "review_on")
OPTIONAL = (
    "text", "owner", "owner_id", "threats", "controls", "treatment", "plan", "residual_likelihood", "residual_impact",
    "due_on", "done",
)  # fmt: skip
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}


def parse(data: bytes, known: Known, draw: Callable[[], str], *, source: str = "register.csv") -> tuple[Row, ...]:
    """Read a register.

    Args:
        data: the file, UTF-8, its first line the names of the columns.
        known: the controls and threats that a row can name.
        draw: makes twelve hexadecimal digits, for the id of each risk.
        source: how to call the file.

    Raises:
        MalformedInput: a row cannot be read; line and column are named, and nothing is imported.
    """
    if len(data) > MAX_BYTES:
        raise MalformedInput(f"has more than {MAX_BYTES} bytes", source=source)
    try:
        lines = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        _check_columns(lines.fieldnames or (), source)
        found = [_row(record, lines.line_num, known, draw, source) for record in lines]
    except UnicodeDecodeError as error:
        raise MalformedInput("is not UTF-8", source=source) from error
    except csv.Error as error:
        raise MalformedInput(f"is not CSV: {error}", source=source) from error
    if not 1 <= len(found) <= MAX_ROWS:
        raise MalformedInput(f"has 1 to {MAX_ROWS} rows, not {len(found)}", source=source)
    return tuple(found)


def _check_columns(given: Collection[str], source: str) -> None:
    columns = [*REQUIRED, *OPTIONAL]
    missing = [name for name in REQUIRED if name not in given]
    unknown = [str(name) for name in given if name not in columns]
    if missing or unknown or len(set(given)) != len(given):
        said = f"no column {missing[0]}" if missing else f"a column {(unknown or list(given))[0][:40]!r} too many"
        raise MalformedInput(f"has {said}; columns are {', '.join(columns)}", source=source, line=1)


def _row(record: Mapping[Any, Any], line: int, known: Known, draw: Callable[[], str], source: str) -> Row:
    if None in record or None in record.values():
        raise MalformedInput("has another number of columns than the first line", source=source, line=line)
    cells = {name: text.strip() for name, text in record.items()}
    try:
        return _parsed(cells, known, RiskId(f"risk-{draw()}"))
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source, line=line) from error


def _parsed(cells: Mapping[str, str], known: Known, name: RiskId) -> Row:
    owner = reading.person(cells.get("owner_id", ""), "owner_id")
    words = cells.get("owner", "")
    return Row(
        name,
        _rating(cells, "likelihood", "impact"),
        owner,
        bool(owner or words),
        _names(cells, "threats", known.threats),
        _names(cells, "controls", known.controls),
        reading.day(cells["review_on"], "review_on"),
        reading.line(cells["title"], "title"),
        reading.text(cells["text"], "text") if cells.get("text") else "",
        reading.line(words, "owner") if words else "",
        _plan(cells, known),
    )


def _plan(cells: Mapping[str, str], known: Known) -> Plan | None:
    kind, due, done = cells.get("treatment", ""), cells.get("due_on", ""), cells.get("done", "").lower()
    if not kind:
        if filled := [one for one in ("plan", "residual_likelihood", "residual_impact", "due_on") if cells.get(one)]:
            raise MalformedInput("belongs to a treatment, and the row names none", source=filled[0])
        return None
    if kind not in set(Treatment):
        raise MalformedInput(f"is one of {', '.join(Treatment)}", source="treatment")
    if done not in _YES:
        raise MalformedInput("is yes or no", source="done")
    if not due and not _YES[done] and kind != Treatment.ACCEPT:
        raise MalformedInput("a treatment that is not done yet has a date", source="due_on")
    return Plan(
        Treatment(kind),
        _rating(cells, "residual_likelihood", "residual_impact"),
        _names(cells, "controls", known.controls),
        reading.day(due, "due_on") if due else None,
        _YES[done],
        reading.text(cells["plan"], "plan") if cells.get("plan") else "",
    )


def _rating(cells: Mapping[str, str], likelihood: str, impact: str) -> Rating:
    return Rating(*(_step(cells.get(name, ""), name) for name in (likelihood, impact)))


def _step(text: str, what: str) -> int:
    if len(text) != 1 or text not in "12345"[:STEPS]:
        raise MalformedInput(f"is a whole number from 1 to {STEPS}", source=what)
    return int(text)


def _names(cells: Mapping[str, str], what: str, known: Collection[str]) -> tuple[str, ...]:
    return reading.names(cells.get(what, "").split(), what, known)
