"""Lineage in the language of Graphviz, for people who draw it themselves. Pure.

Source: graphviz.org/doc/info/lang.html; every text is quoted, with quotation marks and backslashes escaped.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_SHAPES = {
    "dataset": "cylinder", "run": "box", "model": "component", "evaluation": "note", "decision": "diamond",
    "deployment": "house",
}  # fmt: skip


def written(document: Mapping[str, Any]) -> str:
    """Return a document of `sheet.shown` as a directed graph."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    gaps = {gap["about"] for gap in document["gaps"]}
    yield "digraph lineage {"
    yield "  rankdir=LR;"
    for thing in document["things"]:
        words = f"{thing['kind']}\n{thing['label']}\n{thing['digest'][7:19]}"
        missing = ', color="red"' if thing["thing"] in gaps else ""
        yield f"  {_quoted(thing['thing'])} [shape={_SHAPES[thing['kind']]}, label={_quoted(words)}{missing}];"
    for link in document["links"]:
        style = "" if link["statement"]["counts"] else ", style=dashed"
        words = f"{link['relation']}, entry {link['statement']['entry']}"
        yield f"  {_quoted(link['source'])} -> {_quoted(link['target'])} [label={_quoted(words)}{style}];"
    yield "}"


def _quoted(text: str) -> str:
    plain = "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
