"""Frameworks in words for a terminal."""

from collections.abc import Iterator
from typing import Any

from ringfence.obligations.lines import SHAPES


def overview(document: dict[str, Any]) -> Iterator[str]:
    """Say how many codes of each framework a control points at."""
    yield document["limit"]
    width = max(len(one["id"]) for one in document["frameworks"])
    for one in document["frameworks"]:
        mapped = f"{one['mapped']:>3} of {one['codes']:>3} codes with a control"
        yield f"  {one['id']:<{width}}  {mapped}, {one['states']['satisfied']:>3} satisfied  {_named(one)}"


def coverage(document: dict[str, Any]) -> Iterator[str]:
    """Say where each code of one framework stands."""
    of = document["framework"]
    yield f"{_named(of)}: {of['mapped']} of {of['codes']} codes with a control of ours"
    yield document["limit"]
    if against := document.get("against"):
        yield f"Only what no control of ours answers in {_named(against)} too:"
    for row in document["codes"]:
        yield _row(row)
    if not document["codes"]:
        yield "  nothing"


def _named(one: dict[str, Any]) -> str:
    return str(one["title"])


def _row(row: dict[str, Any]) -> str:
    name = " ".join(filter(None, (row["code"], row["title"])))
    if row["state"] is None:
        return f"  ·  {name}: no control of ours points at it"
    controls = " ".join(one["id"] for one in row["controls"])
    counted = f"{row['satisfied']} of {row['counted']} controls satisfied"
    return f"  {SHAPES[row['state']]}  {name}: {counted} ({controls})"
