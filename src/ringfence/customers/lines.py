"""Customers in words for a terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def listed(console: "Console", rows: Sequence[Mapping[str, Any]]) -> None:
    """Show the list."""
    from rich.table import Table

    table = Table("customer", "name", "under", "country", "notice", "theirs", "last pack", box=None)
    for one in rows:
        notice = one["notice_hours"]["incident"]
        hours = f"{notice['hours']} h" + ("" if notice["agreed"] else " (proposed)")
        last = one["last_pack"]["at"][:10] if one["last_pack"] else "none"
        under, country = ", ".join(one["regimes"]), one["country"] or "?"
        table.add_row(one["customer"], one["name"] or "-", under, country, hours, str(len(one["things"])), last)
    console.print(table if rows else "no customers yet: ringfence customer add NAME")


def clauses(console: "Console", document: Mapping[str, Any]) -> None:
    """Show the clauses that can be ticked."""
    for one in document["clauses"]:
        console.print(f"{one['id']:<18} {one['act']} {one['provision']}: {one['topic']}")


def shown(console: "Console", document: Mapping[str, Any]) -> None:
    """Show one customer whole."""
    console.print(f"{document['customer']}  {document['name'] or '-'}  under {', '.join(document['regimes'])}")
    for occasion, notice in document["notice_hours"].items():
        console.print(
            f"notice of {occasion}: {notice['hours']} h" + ("" if notice["agreed"] else f" ({notice['basis']})")
        )
    for one in document["clauses"]:
        console.print(f"clause {one['id']}: {one['topic'] or 'not in this edition'}")
    for one in document["things"]:
        console.print(f"theirs: {one['thing']} {one['called'] or ''}")
    for one in document["subprocessors"]:
        console.print(f"subprocessor {one['name'] or one['subprocessor']}: {_begins(one)}")
    for one in document["clocks"]:
        console.print(f"{one['incident']}: {one['title']}, {one['state']}, due {one['due_at'] or '-'}; {one['note']}")
    counts = document["inherited_counts"]
    console.print(f"{counts['controls']} controls reach them; this is our own status, unchanged:")
    for one in document["inherited"]:
        why = ", ".join(each["ground"] for each in one["why"])
        console.print(f"  {one['id']}  {one['state']}  {one['title']}  ({why})")
    for made in document["packs"]:
        console.print(f"pack {made['number']} of {made['at']}: head {made['size']}, opened: unknown")


def told(console: "Console", document: Mapping[str, Any]) -> None:
    """Show whom somebody told of a new subprocessor."""
    for one in document["told"]:
        console.print(f"{one['customer']}: {_begins(one)}; entry {one['statement']['entry']}")


def _begins(one: Mapping[str, Any]) -> str:
    said = f"announced at {one['announced_at']}"
    if one["earliest"] is None:
        return f"{said}; the contract names no hours"
    return f"{said}, may begin at {one['earliest']} ({one['hours']} h)"
