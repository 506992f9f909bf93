"""Frameworks as JSON documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.obligations.frameworks.coverage import LIMIT, Coverage, Row
from ringfence.obligations.frameworks.crosswalk import Framework
from ringfence.obligations.results import Board, State


def overview(coverages: Sequence[Coverage], board: Board) -> dict[str, Any]:
    """Return every framework with its counts."""
    return _head(board) | {"frameworks": [_framework(one.framework) | _counts(one) for one in coverages]}


def one(found: Coverage, board: Board, *, missing: bool, against: tuple[Framework, Sequence[Row]] | None) -> Any:
    """Return one framework with its codes: all, those that nothing of ours points at, or what another does not ask."""
    rows: Sequence[Row] = found.missing if missing else found.rows
    document = _head(board) | {"framework": _framework(found.framework) | _counts(found)}
    if against is not None:
        other, rows = against
        document["against"] = _framework(other)
    return document | {"codes": [row_of(row) for row in rows]}


def row_of(row: Row) -> Mapping[str, Any]:
    """Return one code."""
    return {
        "code": row.code,
        "title": row.title,
        "state": row.state.value if row.state else None,
        "satisfied": row.satisfied,
        "counted": row.counted,
        "controls": [{"id": one.control.id, "state": one.verdict.state.value} for one in row.controls],
        "threats": list(row.threats),
    }


def _head(board: Board) -> dict[str, Any]:
    return {"as_of": to_text(board.as_of), "rules": str(board.rules), "demo": board.demo, "limit": LIMIT}


def _framework(framework: Framework) -> dict[str, Any]:
    names = ("id", "title", "name", "edition", "status", "source", "verified_on", "note")
    return {name: getattr(framework, name) for name in names}


def _counts(found: Coverage) -> dict[str, Any]:
    states = {state.value: found.count(state) for state in State}
    return {"codes": len(found.rows), "mapped": len(found.mapped), "unmapped": len(found.missing), "states": states}
