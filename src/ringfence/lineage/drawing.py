"""Where boxes and lines of a graph go; a page draws them as SVG without a script. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 176, 44  # of a box
ACROSS, DOWN = 56, 12  # between boxes
EDGE = 2  # so that strokes are not cut
MAX_BOXES = 60  # beyond it the table says more than a drawing


@dataclass(frozen=True, slots=True)
class Box:
    """One thing on the drawing."""

    thing: str
    kind: str
    label: str
    x: int
    y: int
    state: str  # `gap`, `behind`, or nothing for what became of it


@dataclass(frozen=True, slots=True)
class Line:
    """A link on the drawing, as an SVG path."""

    path: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A whole drawing."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def drawn(document: Mapping[str, Any]) -> Drawing | None:
    """Return the drawing of a document of `sheet.shown`; None where it has too many things to be read."""
    things = document["things"]
    if not 1 < len(things) <= MAX_BOXES:
        return None
    gaps = {gap["about"] for gap in document["gaps"]}
    columns: dict[int, list[Mapping[str, Any]]] = {}
    for thing in things:
        columns.setdefault(thing["column"], []).append(thing)
    most = max(map(len, columns.values()))
    height = most * (HEIGHT + DOWN) - DOWN
    boxes: dict[str, Box] = {}
    for at, column in enumerate(sorted(columns)):
        rows = columns[column]
        top = (height - (len(rows) * (HEIGHT + DOWN) - DOWN)) // 2
        for row, thing in enumerate(_sorted(rows, document["links"], boxes)):
            state = "gap" if thing["thing"] in gaps else "behind" if thing["behind"] else ""
            x, y = EDGE + at * (WIDTH + ACROSS), EDGE + top + row * (HEIGHT + DOWN)
            boxes[thing["thing"]] = Box(thing["thing"], thing["kind"], _short(thing["label"]), x, y, state)
    lines = tuple(_line(boxes[link["source"]], boxes[link["target"]], link) for link in document["links"])
    width = len(columns) * (WIDTH + ACROSS) - ACROSS
    return Drawing(width + 2 * EDGE, height + 2 * EDGE, tuple(boxes.values()), lines)


def _sorted(
    rows: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]], placed: Mapping[str, Box]
) -> list[Mapping[str, Any]]:
    """Put things beside what they come from, so that few lines cross."""

    def middle(thing: Mapping[str, Any]) -> float:
        beside = [
            placed[link["source"]].y for link in links if link["target"] == thing["thing"] and link["source"] in placed
        ]
        return sum(beside) / len(beside) if beside else 0.0

    return sorted(rows, key=middle)


def _line(source: Box, target: Box, link: Mapping[str, Any]) -> Line:
    x, y = source.x + WIDTH, source.y + HEIGHT // 2
    to_x, to_y = target.x, target.y + HEIGHT // 2
    bend = ACROSS // 2 if to_x > x else ACROSS  # back around a circle
    return Line(f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}", bool(link["statement"]["counts"]))


def _short(label: str) -> str:
    return label if len(label) <= 21 else f"{label[:10]}…{label[-9:]}"
