"""Provisions as JSON documents."""

from collections.abc import Sequence
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.obligations.results import Board
from ringfence.obligations.standings.grouping import Provision, tally


def listed(found: Sequence[Provision], shown: Sequence[Provision], board: Board) -> dict[str, Any]:
    """Return the counts of all provisions, and those that were chosen."""
    counts = {act: {column.value: count for column, count in row.items()} for act, row in tally(found).items()}
    return _head(board) | {"counts": counts, "provisions": [_one(each) for each in shown]}


def single(found: Provision, board: Board) -> dict[str, Any]:
    """Return one provision."""
    return _head(board) | {"provision": _one(found)}


def _head(board: Board) -> dict[str, Any]:
    return {"as_of": to_text(board.as_of), "rules": str(board.rules), "demo": board.demo}


def _one(found: Provision) -> dict[str, Any]:
    duty, obligation = found.duty, found.duty.obligation
    return {
        "id": obligation.id,
        "act": obligation.act,
        "provision": obligation.provision,
        "kind": obligation.kind,
        "paraphrase": obligation.paraphrase,
        "source": obligation.source,
        "verified_on": obligation.verified_on.isoformat(),
        "column": found.column.value,
        "standing": duty.standing.value,
        "because": duty.because,
        "applies_from": duty.applies_from.isoformat() if duty.applies_from else None,
        "entries": list(duty.entries),
        "state": found.state.value if found.state else None,
        "satisfied": found.satisfied,
        "counted": found.counted,
        "controls": [{"id": one.control.id, "state": one.verdict.state.value} for one in found.controls],
    }
