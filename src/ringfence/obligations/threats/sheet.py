"""The board of threats as a JSON document."""

from collections.abc import Sequence
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.obligations.results import Board
from ringfence.obligations.threats.board import Row
from ringfence.obligations.threats.register import Register

LIMIT = (
    "The word of a threat is that of its controls together. It says which evidence there is; it never says that an "
    "attack cannot succeed."
)


def document(register: Register, rows: Sequence[Row], board: Board) -> dict[str, Any]:
    """Return every threat with its controls, what it touches, and what was measured."""
    return {
        "as_of": to_text(board.as_of),
        "rules": str(board.rules),
        "demo": board.demo,
        "atlas": register.atlas,
        "limit": LIMIT,
        "threats": [_row(row) for row in rows],
    }


def _row(row: Row) -> dict[str, Any]:
    threat = row.threat
    return {
        "id": threat.id,
        "title": threat.title,
        "stages": list(threat.stages),
        "touches": [one.title for one in threat.touches],
        "state": row.state.value,
        "satisfied": row.satisfied,
        "counted": len(row.counted),
        "controls": [{"id": one.control.id, "state": one.verdict.state.value} for one in row.controls],
        "would_show": threat.evidence,
        "assets": [{"kind": one.kind.value, "name": one.name} for one in row.assets],
        "bounds": [{"family": one.family, "bound": one.words, "entry": one.entry} for one in row.bounds],
        "law": [*threat.law, *threat.law_elsewhere],
        **{name: list(codes) for name, codes in threat.codes.items()},
    }
