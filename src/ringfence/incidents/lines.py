"""Incidents in words for a terminal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def done(console: "Console", document: Mapping[str, Any], what: str) -> None:
    """Say what an act did, and which clocks follow."""
    console.print(
        f"{document['incident']} {what}: {document['state']}; the statement is {document['statement']['stage']}."
    )
    _clocks(console, document)


def _clocks(console: "Console", document: Mapping[str, Any]) -> None:
    from rich.table import Column, Table

    table = Table("clock", "state", "due until", "source", Column("note", overflow="fold"), box=None)
    for one in document["clocks"]:
        due = one["due_at"] or "-"
        table.add_row(f"{one['title']} {one['customer'] or one['ref']}", one["state"], due, one["source"], one["note"])
    console.print(table if document["clocks"] else "No clock runs.")


def shown(console: "Console", document: Mapping[str, Any]) -> None:
    """Show one incident whole."""
    console.print(f"{document['incident']}  {document['state']}  {document['title']}")
    for name, at in document["times"].items():
        console.print(f"  {name:<10}{at or 'not known at this time'}")
    _clocks(console, document)
    for one in document["criteria"]:
        mark = "proposed" if one["proposed"] else one["verdict"]
        console.print(f"  {one['code']:<9}{mark:<10}{one['threshold']}: {one['measured']}")
        for fact in one["facts"]:
            console.print(f"  {'':<19}{fact}")
    for one in document["timeline"]:
        console.print(f"  {one['at']}  {one['text']}{' by ' + one['name'] if one['name'] else ''}")
    for one in document["draft"]["fields"]:
        console.print(f"  {one['field']:<24}{one['value']} [{one['basis']}]")


def listed(console: "Console", document: Mapping[str, Any]) -> None:
    """Show the list with the nearest deadlines."""
    from rich.table import Table

    if not document["incidents"]:
        console.print("No incident is open. A finding opens one; by hand: ringfence incident declare --reason TEXT")
        return
    table = Table("incident", "state", "detected", "next deadline", "title", box=None)
    for one in document["incidents"]:
        due = f"{one['next']['due_at']} {one['next']['title']}" if one["next"] else "none"
        table.add_row(one["incident"], one["state"], one["detected_at"], due, one["title"])
    console.print(table)
