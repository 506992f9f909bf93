"""Customers from a file: YAML or CSV, strict and bounded; what is wrong is named with its place. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.customers import tables
from ringfence.customers.model import Occasion, Regime, ThingKind, Wanted, check
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import reading

MAX_CUSTOMERS = 500
_LISTS = {kind: f"{kind}s" for kind in ThingKind}
_FIELDS = frozenset({"name", "country", "reference", "regimes", "clauses", "hours", *_LISTS.values()})
_HOURS = {f"{occasion}_hours": occasion for occasion in Occasion}
_COLUMNS = (_FIELDS - {"hours"}) | frozenset(_HOURS)


def read(data: bytes, *, source: str) -> tuple[Wanted, ...]:
    """Read `customers: [{name: …, …}]`, or a table where the file's name ends in .csv; raise `MalformedInput`."""
    if source.casefold().endswith(".csv"):
        return _of_csv(data, source)
    document = reading.parse(data[: tables.MAX_FILE + 1], source=source)
    if len(data) > tables.MAX_FILE or not isinstance(document.value, dict) or document.value.keys() != {"customers"}:
        raise document.error((), f"the file has customers, nothing else, in at most {tables.MAX_FILE} bytes")
    rows = document.value["customers"]
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_CUSTOMERS:
        raise document.error(("customers",), f"customers is a list of 1 to {MAX_CUSTOMERS}")
    found = []
    for at, row in enumerate(rows):
        try:
            found.append(wanted_of(row))
        except MalformedInput as error:
            raise document.error(("customers", at), str(error)) from error
    return _distinct(found, source)


def wanted_of(row: Any) -> Wanted:
    """Return an entry from its JSON form, or raise `MalformedInput`."""
    if not isinstance(row, Mapping) or not row.keys() <= _FIELDS:
        raise MalformedInput(f"a customer has {', '.join(sorted(_FIELDS))}, nothing else")
    hours = row.get("hours") or {}
    if not isinstance(hours, Mapping) or not hours.keys() <= set(Occasion) or not all(map(_whole, hours.values())):
        raise MalformedInput(f"hours are whole numbers for {', '.join(Occasion)}")
    made = Wanted(
        name=_text(row, "name"),
        regimes=tuple(_regime(name) for name in _texts(row, "regimes")) or (Regime.UNKNOWN,),
        country=_text(row, "country"),
        hours={Occasion(name): value for name, value in hours.items()},
        clauses=_texts(row, "clauses"),
        things={kind: _texts(row, name) for kind, name in _LISTS.items() if row.get(name)},
        reference=_text(row, "reference"),
    )
    check(made)
    return made


def _of_csv(data: bytes, source: str) -> tuple[Wanted, ...]:
    header, *rows = tables.read_csv(data, source=source)
    names = [cell.strip().casefold() for cell in header]
    if len(set(names)) != len(names) or not {"name"} <= set(names) <= _COLUMNS:
        known = ", ".join(sorted(_COLUMNS))
        raise MalformedInput(f"the header names name, and any of {known}, each once", source=source, line=1)
    if len(rows) > MAX_CUSTOMERS:
        raise MalformedInput(f"at most {MAX_CUSTOMERS} customers are taken at once", source=source)
    found = []
    for line, row in enumerate(rows, start=2):
        try:
            found.append(wanted_of(_document(dict(zip(names, row, strict=True)))))
        except MalformedInput as error:
            raise MalformedInput(str(error), source=source, line=line) from error
    return _distinct(found, source)


def _document(row: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON form of a row; several of a kind stand in one cell with semicolons between them."""
    found: dict[str, Any] = {name: row.get(name, "").strip() for name in ("name", "country", "reference")}
    for name in ("regimes", "clauses", *_LISTS.values()):
        found[name] = [part.strip() for part in row.get(name, "").split(";") if part.strip()]
    hours = {occasion: row.get(name, "").strip() for name, occasion in _HOURS.items()}
    found["hours"] = {str(occasion): hours_of(text) for occasion, text in hours.items() if text}
    return found


def _distinct(found: Sequence[Wanted], source: str) -> tuple[Wanted, ...]:
    names = [one.name.casefold() for one in found]
    for name in names:
        if names.count(name) > 1:
            raise MalformedInput(f"two customers are called {name[:60]}", source=source)
    return tuple(found)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedInput(f"{name} is a text; quote it")
    return value


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) and 0 < len(one) <= 128 for one in value):
        raise MalformedInput(f"{name} is a list of short texts")
    if len(set(value)) != len(value):
        raise MalformedInput(f"{name} names something twice")
    return tuple(value)


def _regime(name: str) -> Regime:
    if name not in set(Regime):
        raise MalformedInput(f"{name[:40]!r} is no regime; there are {', '.join(Regime)}")
    return Regime(name)


def _whole(value: object) -> bool:
    return type(value) is int


def hours_of(text: str) -> int:
    """Return the hours that somebody filled in, or raise `MalformedInput`."""
    if not (text.isascii() and text.isdecimal() and len(text) < 8):
        raise MalformedInput(f"{text[:20]!r} is no whole number of hours")
    return int(text)


def document_of(wanted: Wanted) -> dict[str, Any]:
    """Return the JSON form of an entry."""
    return {
        "name": wanted.name,
        "reference": wanted.reference,
        "country": wanted.country,
        "regimes": [str(name) for name in wanted.regimes],
        "clauses": list(wanted.clauses),
        "hours": {str(occasion): hours for occasion, hours in wanted.hours.items()},
        **{name: list(wanted.things.get(kind, ())) for kind, name in _LISTS.items()},
    }
