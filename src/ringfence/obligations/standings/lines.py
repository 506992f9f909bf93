"""Provisions in words for a terminal."""

from collections.abc import Iterator
from typing import Any

from ringfence.obligations.lines import SHAPES


def counts(document: dict[str, Any]) -> Iterator[str]:
    """Say how many provisions of each act stand where."""
    for act, row in document["counts"].items():
        told = ", ".join(f"{count} {column.replace('-', ' ')}" for column, count in row.items() if count)
        yield f"{act}: {told}"


def listed(document: dict[str, Any]) -> Iterator[str]:
    """Say the same, and then each of those that were asked for."""
    yield from counts(document)
    for one in document["provisions"]:
        yield from _one(one)


def single(document: dict[str, Any]) -> Iterator[str]:
    """Say everything about one provision."""
    one = document["provision"]
    yield from _one(one)
    yield f"  mark {one['source']}, looked up {one['verified_on']}; a paraphrase, not legal text"
    for entry in one["entries"]:
        yield f"  known from entry {entry}"


def _one(one: dict[str, Any]) -> Iterator[str]:
    since = f" from {one['applies_from']}" if one["applies_from"] else ""
    yield f"{one['id']}  {one['act']} {one['provision']}: {one['column'].replace('-', ' ')}{since}, {one['because']}"
    if one["paraphrase"]:
        yield f"  {one['paraphrase']}"
    if one["controls"]:
        controls = " ".join(f"{SHAPES[each['state']]}{each['id']}" for each in one["controls"])
        yield f"  {one['satisfied']} of {one['counted']} controls satisfied: {controls}"
    elif one["kind"] == "duty":
        yield "  no control of ours serves it"
