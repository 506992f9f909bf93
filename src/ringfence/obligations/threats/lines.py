"""The board of threats in words for a terminal."""

from collections.abc import Iterator
from typing import Any

from ringfence.obligations.lines import SHAPES

_NAMED = 3  # assets named per threat


def board(document: dict[str, Any]) -> Iterator[str]:
    """Say where each threat stands."""
    if document["demo"]:
        yield "DEMO: made-up data"
    yield document["limit"]
    for row in document["threats"]:
        counted = f"{row['satisfied']} of {row['counted']} controls satisfied"
        yield f"{SHAPES[row['state']]} {row['id']}  {row['title']}: {counted} ({_controls(row)})"
        if row["assets"]:
            yield f"{'':7}touches here: {_assets(row['assets'])}"
        for bound in row["bounds"]:
            yield f"{'':7}{bound['family']}: {bound['bound']} (entry {bound['entry']})"


def _controls(row: dict[str, Any]) -> str:
    return " ".join(one["id"] for one in row["controls"])


def _assets(assets: list[dict[str, Any]]) -> str:
    named = ", ".join(f"{one['kind']} {one['name']}" for one in assets[:_NAMED])
    return named + (f" and {len(assets) - _NAMED} more" if len(assets) > _NAMED else "")
