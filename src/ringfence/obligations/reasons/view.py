"""Everything about one control: what the page shows, and the same as a JSON document. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.obligations import sheet
from ringfence.obligations.frameworks import crosswalk
from ringfence.obligations.frameworks.crosswalk import Framework
from ringfence.obligations.history import History
from ringfence.obligations.model import Catalog
from ringfence.obligations.ports import Remark
from ringfence.obligations.reasons import wording
from ringfence.obligations.reasons.freshness import Bar, bar
from ringfence.obligations.results import Board, ControlResult, RequirementResult
from ringfence.obligations.threats import register
from ringfence.obligations.threats.register import Threat


@dataclass(frozen=True, slots=True)
class Reasons:
    """One rule of the control, as it came out."""

    part: RequirementResult
    sentences: Sequence[str]
    bar: Bar | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One control at one time."""

    result: ControlResult
    rules: Sequence[Reasons]
    history: History
    beside: Sequence[Remark]
    threats: Sequence[Threat]
    codes: Sequence[tuple[Framework, Sequence[str]]]
    trigger: str


def detail(board: Board, catalog: Catalog, name: str, history: History, beside: Sequence[Remark]) -> Detail:
    """Gather what there is about one control; raise `NotFound`."""
    control = catalog.control(name)
    result = next(one for one in board.controls if one.control.id == name)
    return Detail(
        result,
        [
            Reasons(part, wording.sentences(part.requirement, catalog.requirements), bar(part, board.as_of))
            for part in result.requirements
        ],
        history,
        beside,
        [threat for threat in register.load().threats if name in threat.controls],
        [(one, control.maps[one.id]) for one in crosswalk.load().values() if control.maps.get(one.id)],
        wording.trigger(control, catalog.of(name)),
    )


def document(found: Detail, board: Board) -> dict[str, Any]:
    """Return the status document of one control, with its rules in words, its past, and what is beside it."""
    rules = {each.part.requirement.id: list(each.sentences) for each in found.rules}
    return sheet.document(board, control=found.result.control.id) | {
        "rule_in_words": rules,
        "history": _history(found.history),
        "beside": [_remark(one) for one in found.beside],
        "threats": [{"id": one.id, "title": one.title} for one in found.threats],
        "frameworks": {one.id: list(codes) for one, codes in found.codes},
    }


def _history(found: History) -> Mapping[str, Any]:
    return {
        "turns": [
            {
                "at": to_text(turn.at),
                "state": turn.verdict.state.value,
                "reason": turn.verdict.reason.value if turn.verdict.reason else None,
                "because": turn.verdict.because,
            }
            for turn in found.turns
        ],
        "looked": found.looked,
        "since": to_text(found.since) if found.since else None,
        "whole": found.whole,
    }


def _remark(one: Remark) -> Mapping[str, Any]:
    return {"kind": one.kind, "text": one.text, "link": one.link, "until": to_text(one.until) if one.until else None}
