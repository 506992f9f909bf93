"""Answers to questions: status, record ids and strength, or the words `no evidence`. Never a sentence. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.customers.questions import Matched, Question
from ringfence.kernel.digest import Digest
from ringfence.obligations.results import Board, ControlResult, State

NO_EVIDENCE = "no evidence"
COLUMNS = ("ringfence status", "ringfence records", "ringfence strength", "ringfence matched by", "ringfence as of")


@dataclass(frozen=True, slots=True)
class Answer:
    """What can be said of one question."""

    question: Question
    matched: tuple[Matched, ...]
    results: tuple[ControlResult, ...]

    @property
    def entries(self) -> tuple[int, ...]:
        """Return the statements that the answer rests on."""
        return tuple(sorted({one.entry for result in self.results for one in _supports(result)}))

    @property
    def without(self) -> bool:
        """Tell whether there is nothing to show."""
        return not self.entries


def answer(board: Board, question: Question, matched: tuple[Matched, ...]) -> Answer:
    """Return what the board says of the controls that a question is about."""
    known = {result.control.id: result for result in board.controls}
    return Answer(question, matched, tuple(known[one.control] for one in matched))


def cells(one: Answer, digests: Mapping[int, Digest], as_of: str) -> tuple[str, ...]:
    """Return the cells that are added to the question's row."""
    how = "; ".join(f"{match.control}: {match.how}" for match in one.matched) or "not matched"
    if one.without:
        return (NO_EVIDENCE, "", "", how, as_of)
    records = "; ".join(f"entry {entry} {digests[entry]}" for entry in one.entries)
    return ("; ".join(map(_state, one.results)), records, "; ".join(_strengths(one.results)), how, as_of)


def document(one: Answer, digests: Mapping[int, Digest], as_of: str) -> dict[str, Any]:
    """Return an answer for a program."""
    return {
        "id": one.question.id,
        "cells": list(cells(one, digests, as_of)),
        "controls": [
            {"id": match.control, "how": match.how, "state": result.verdict.state.value, "evidence": _shown(result)}
            for match, result in zip(one.matched, one.results, strict=True)
        ],
        "records": [{"entry": entry, "envelope": str(digests[entry])} for entry in one.entries],
        "no_evidence": one.without,
    }


def counts(answers: Sequence[Answer]) -> dict[str, int]:
    """Return how many questions there are, how many point at nothing, and how many have nothing to show."""
    return {
        "questions": len(answers),
        "unmatched": sum(not one.matched for one in answers),
        "withoutEvidence": sum(one.without for one in answers),
    }


def _supports(result: ControlResult) -> Iterable[Any]:
    return (one for part in result.requirements for one in part.rests_on)


def _shown(result: ControlResult) -> int:
    return len({one.entry for one in _supports(result)})


def _state(result: ControlResult) -> str:
    verdict = result.verdict
    if not _shown(result):
        return f"{result.control.id}: {NO_EVIDENCE}"
    reason = f" ({verdict.reason.value.replace('-', ' ')})" if verdict.reason else ""
    mark = ", pending" if verdict.state is State.PENDING else ""
    return f"{result.control.id}: {verdict.state.value.replace('-', ' ')}{reason}" + (mark if reason else "")


def _strengths(results: Iterable[ControlResult]) -> Iterable[str]:
    for result in results:
        if result.weakest is not None and _shown(result):
            yield f"{result.control.id}: {result.weakest.text}"
