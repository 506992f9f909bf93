"""A small declarative schema of rows: our own form, or the part of Table Schema that means the same.

docs/specs/dataset-check.md, section 4.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ringfence.artifacts.checks.cells import number_of
from ringfence.artifacts.checks.masking import masked, quoted
from ringfence.artifacts.checks.model import Check, Finding, Findings, Result, Row, Value
from ringfence.artifacts.checks.shingles import fingerprint
from ringfence.artifacts.checks.tally import Repeats
from ringfence.kernel.errors import MalformedInput

TYPES = ("string", "integer", "number", "boolean", "date", "datetime")
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_OURS = frozenset({"type", "required", "unique", "minimum", "maximum", "enum", "min_length", "max_length"})
_TABLE = {"required", "unique", "minimum", "maximum", "enum", "minLength", "maxLength"}


@dataclass(frozen=True, slots=True)
class Column:
    """What a column may hold."""

    name: str
    type: str = "string"
    required: bool = False
    unique: bool = False
    minimum: float | None = None
    maximum: float | None = None
    enum: frozenset[str] | None = None
    min_length: int = 0
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a dataset; others are refused unless `extra` allows them."""

    columns: tuple[Column, ...]
    extra: bool = False


def parse(document: Any, source: str = "") -> Schema:
    """Parse a schema; raise `MalformedInput` where anything in it is not understood: nothing is checked in part."""
    match document:
        case {"columns": dict() as columns, **rest} if rest.keys() <= {"extra", "version"} and columns:
            if rest.get("version", 1) != 1 or rest.get("extra", "refuse") not in {"allow", "refuse"}:
                raise MalformedInput("version is 1, and extra is allow or refuse", source=source)
            parsed = [_column(str(name), given or {}, source) for name, given in columns.items()]
            return Schema(tuple(parsed), rest.get("extra", "refuse") == "allow")
        case {"fields": list() as fields, **rest} if fields and rest.keys() <= {
            "$schema",
            "missingValues",
            "primaryKey",
        }:
            if rest.get("missingValues", [""]) != [""] or "primaryKey" in rest:
                raise MalformedInput("missingValues other than [''] and primaryKey are not understood", source=source)
            return Schema(tuple(_field(field, source) for field in fields))
        case _:
            raise MalformedInput("a schema has columns (and extra), or it is a Table Schema with fields", source=source)


def _field(field: Any, source: str) -> Column:
    match field:
        case {"name": str() as name, **rest} if rest.keys() <= {"type", "constraints", "title", "description"}:
            constraints = rest.get("constraints", {})
            if not isinstance(constraints, dict) or not constraints.keys() <= _TABLE:
                raise MalformedInput(f"the constraints of {name[:80]!r} are not all understood", source=source)
            renamed = {"minLength": "min_length", "maxLength": "max_length"}
            given = {renamed.get(key, key): value for key, value in constraints.items()}
            return _column(name, given | {"type": rest.get("type", "string")}, source)
        case _:
            raise MalformedInput(
                "a field has name, type and constraints, and no more that is understood", source=source
            )


def _column(name: str, given: Any, source: str) -> Column:
    if not isinstance(given, dict) or not given.keys() <= _OURS:
        raise MalformedInput(f"column {name[:80]!r} may have {', '.join(sorted(_OURS))}", source=source)
    if given.get("type", "string") not in TYPES:
        raise MalformedInput(f"column {name[:80]!r} has a type that is none of {', '.join(TYPES)}", source=source)
    for key in ("required", "unique"):
        if not isinstance(given.get(key, False), bool):
            raise MalformedInput(f"{key} of column {name[:80]!r} is true or false", source=source)
    for key in ("minimum", "maximum", "min_length", "max_length"):
        if not _is_number(given.get(key, 0)):
            raise MalformedInput(f"{key} of column {name[:80]!r} is a number", source=source)
    enum = given.get("enum")
    if enum is not None and not (isinstance(enum, list) and enum):
        raise MalformedInput(f"enum of column {name[:80]!r} is a list of values", source=source)
    allowed = None if enum is None else frozenset(_spelled(value) for value in enum)
    return Column(name, **{**given, "enum": allowed} if enum is not None else given)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class SchemaCheck:
    """Hold every row against a schema."""

    def __init__(self, schema: Schema, seed: int) -> None:
        self._schema = schema
        self._named = {column.name for column in schema.columns}
        self._found, self._rows, self._seed = Findings(), 0, seed
        self._unique = {column.name: Repeats() for column in schema.columns if column.unique}
        self._extra: set[str] = set()

    def see(self, row: Row) -> None:
        """Look at the next row."""
        self._rows += 1
        for column in self._schema.columns:
            value = row.cells.get(column.name)
            problem = _problem(column, value)
            if problem:
                self._add(problem, row, column.name)
            elif value is not None and column.unique:
                self._unique[column.name].add(fingerprint(_spelled(value), self._seed))
        if not self._schema.extra:
            for name in row.cells.keys() - self._named - self._extra:
                if len(self._extra) < 1000:
                    self._extra.add(name)
                self._add("the schema does not know this column", row, name)

    def _add(self, problem: str, row: Row, column: str) -> None:
        self._found.add(
            Finding("schema/violation", f"Column {quoted(column)}: {problem}", row.file, row.number, column)
        )

    def result(self) -> Result:
        """Return what was found."""
        repeated = {name: seen.repeated() for name, seen in self._unique.items()}
        for name, count in repeated.items():
            if count:
                self._found.add(
                    Finding("schema/not-unique", f"Column {quoted(name)}: {count} values are there again", column=name)
                )
        total = self._found.total
        reason = f"{total} cells are not as the schema says" if total else ""
        return self._found.result(Check.SCHEMA, reason, {"rows": self._rows, "violations": total})


def _problem(column: Column, value: Value) -> str:
    if value is None:
        return "a value is required" if column.required else ""
    text = _spelled(value)
    if column.enum is not None and text not in column.enum:
        return f"{masked(text)} is none of the {len(column.enum)} values"
    if not column.min_length <= len(text) <= (column.max_length if column.max_length is not None else len(text)):
        return f"it has {len(text)} characters"
    if not _TYPED[column.type](value):
        return f"{masked(text)} is not of type {column.type}"
    if column.minimum is None and column.maximum is None:
        return ""
    number = number_of(value)
    if number is None or number < (column.minimum if column.minimum is not None else number):
        return "it is below the minimum"
    return "it is above the maximum" if number > (column.maximum if column.maximum is not None else number) else ""


def _is_integer(value: Value) -> bool:
    if isinstance(value, str):
        return bool(_INTEGER.fullmatch(value))
    return isinstance(value, int) and not isinstance(value, bool)


def _is_time(kind: type[date], value: Value) -> bool:
    try:
        kind.fromisoformat(str(value))
    except ValueError:
        return False
    return True


_TYPED: Mapping[str, Any] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "number": lambda value: number_of(value) is not None,
    "boolean": lambda value: isinstance(value, bool) or str(value).lower() in {"true", "false"},
    "date": lambda value: len(str(value)) <= 10 and _is_time(date, value),
    "datetime": lambda value: _is_time(datetime, value),
}
