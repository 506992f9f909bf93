"""JSON Lines, one object at a time, strictly: no duplicate key, no NaN, no depth beyond the bound."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from ringfence.artifacts.checks.delimited import Lines
from ringfence.artifacts.checks.limits import MAX_COLUMNS, MAX_DEPTH
from ringfence.artifacts.checks.model import Record, Value
from ringfence.kernel.errors import MalformedInput


def records(stream: BinaryIO) -> Iterator[Record]:
    """Yield an object per line, nested ones with dotted names; a broken line is yielded with its problem."""
    lines = Lines(stream)
    while True:
        try:
            line = next(lines)
            if line.strip():
                yield Record(lines.number, flat(_parsed(line)))
        except StopIteration:
            return
        except MalformedInput as error:
            yield Record(lines.number, {}, str(error))


def _parsed(line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise MalformedInput(f"not JSON: {error.msg} (character {error.colno})") from error
    except RecursionError as error:
        raise MalformedInput("it is nested too deeply") from error
    except ValueError as error:  # an integer of more digits than Python reads
        raise MalformedInput("a number in it is too long") from error
    if not isinstance(value, dict):
        raise MalformedInput("the line is not a JSON object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedInput("a key stands twice in one object")
    return found


def _constant(text: str) -> Any:
    raise MalformedInput(f"{text} is not a number in JSON")


def flat(document: Mapping[str, Any]) -> dict[str, Value]:
    """Return a nested document as cells: objects become dotted columns, lists become one text.

    Raises:
        MalformedInput: it is too deep or too wide, or two columns would get one name.
    """
    cells: dict[str, Value] = {}
    _flatten(document, "", cells, MAX_DEPTH)
    return cells


def _flatten(document: Mapping[str, Any], prefix: str, cells: dict[str, Value], depth: int) -> None:
    if depth == 0:
        raise MalformedInput(f"it is nested deeper than {MAX_DEPTH} levels")
    for name, value in document.items():
        column = f"{prefix}{name}"
        if isinstance(value, dict):
            _flatten(value, column + ".", cells, depth - 1)
            continue
        if column in cells:
            raise MalformedInput("two columns would get one name")
        cells[column] = cell(value, depth)
        if len(cells) > MAX_COLUMNS:
            raise MalformedInput(f"there are more than {MAX_COLUMNS} columns")


def cell(value: Any, depth: int = MAX_DEPTH) -> Value:
    """Return any value as one cell."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return _text(value)
        case float():
            return value if math.isfinite(value) else None
        case list() | tuple():
            return _text("\n".join(_strings(value, depth)))
        case bytes():
            return value.hex()
        case _:
            return _text(str(value))


def _text(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedInput("a text holds a lone surrogate") from error
    return value


def _strings(value: Any, depth: int) -> Iterator[str]:
    if depth == 0:
        raise MalformedInput(f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for name, item in value.items():
            yield str(name)
            yield from _strings(item, depth - 1)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item, depth - 1)
    elif value is not None:
        yield str(value)
