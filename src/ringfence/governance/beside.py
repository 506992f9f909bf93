"""What stands beside the computed status of controls, and never in its place: opinions, exceptions, risks. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from ringfence.governance.exceptions.model import ControlException
from ringfence.governance.opinions.model import Opinion, Verdict
from ringfence.governance.risks.model import Risk
from ringfence.governance.risks.shelf import controls_of
from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import PersonId

_VERBS = {Verdict.AGREES: "agrees with", Verdict.DISAGREES: "disagrees with", Verdict.QUALIFIED: "qualifies"}


class Kind(StrEnum):
    """What stands there."""

    OPINION = "opinion"
    EXCEPTION = "exception"
    RISK = "risk"


@dataclass(frozen=True, slots=True)
class Beside:
    """Something that a person signed about a control; it changes nothing that is computed."""

    kind: Kind
    id: str
    control: str
    state: str  # in a word; `in force`, `expired`, `waiting` …
    words: str  # what it says, in a sentence without what people wrote
    said: str  # what a person wrote: a reason, a sentence, a title; empty where that was erased
    by: PersonId
    at: datetime
    last_day: date | None
    entry: int  # where it was signed
    link: str  # of the page that shows it
    status_then: str = ""  # of an opinion: the computed status at that time

    @property
    def in_force(self) -> bool:
        """Tell whether it stands now."""
        return self.state in ("in force", "open")

    @property
    def text(self) -> str:
        """Return all of it in one line: where it stands, what it says, what a person wrote."""
        return f"{self.state}. {self.words}" + (f": {self.said}" if self.said else "")

    @property
    def until(self) -> datetime | None:
        """Return the first instant at which it is over."""
        if self.last_day is None:
            return None
        return datetime.combine(self.last_day, time(), UTC) + timedelta(days=1)


def beside(
    opinions: Iterable[Opinion], exceptions: Iterable[ControlException], risks: Iterable[Risk], at: datetime
) -> Mapping[str, tuple[Beside, ...]]:
    """Return what stands beside each control at a time: opinions first, then exceptions, then risks it treats."""
    found: dict[str, list[Beside]] = {}
    for one in (*_opinions(opinions, at), *_exceptions(exceptions, at), *_risks(risks, at)):
        found.setdefault(one.control, []).append(one)
    return {control: tuple(several) for control, several in sorted(found.items())}


def _opinions(opinions: Iterable[Opinion], at: datetime) -> Iterator[Beside]:
    for one in opinions:
        given = one.given
        seen = f"{len(given.basis)} {'entry' if len(given.basis) == 1 else 'entries'}"
        yield Beside(
            Kind.OPINION,
            one.id,
            given.control,
            one.state(at).value,
            f"An auditor {_VERBS[given.verdict]} “{given.status.replace('-', ' ')}” ({given.method.value}, {seen})",
            given.sentence,
            one.by,
            one.at,
            given.until,
            one.entry,
            f"/exceptions#{one.id}",
            given.status,
        )


def _exceptions(exceptions: Iterable[ControlException], at: datetime) -> Iterator[Beside]:
    for one in exceptions:
        instead = f"; in its place: {', '.join(one.wanted.compensating)}" if one.wanted.compensating else ""
        who = f"approved by {one.approval.by}" if one.approval else "approved by nobody"
        yield Beside(
            Kind.EXCEPTION,
            one.id,
            one.wanted.control,
            one.state(at).value,
            f"Exception asked for by {one.asked_by}, {who}{instead}",
            one.wanted.reason,
            one.asked_by,
            one.asked_at,
            one.wanted.until,
            one.entries[0],
            f"/exceptions#{one.id}",
        )


def _risks(risks: Iterable[Risk], at: datetime) -> Iterator[Beside]:
    for risk in risks:
        plan, today = risk.row.plan, at.date()
        accepted = "accepted" if risk.accepted(today) else "not accepted"
        treated = f"; {plan.kind.value}, what is left is {plan.residual.level.value} and {accepted}" if plan else ""
        common = Beside(
            Kind.RISK,
            risk.id,
            "",
            "open" if risk.open else "closed",
            f"Risk rated {risk.row.rating.level.value} ({risk.row.rating.score}){treated}",
            risk.row.title,
            risk.registered_by,
            risk.registered_at,
            risk.acceptance.until if risk.acceptance else None,
            risk.entries[-1],
            f"/risks/{risk.id}",
        )
        for control in controls_of(risk):
            yield replace(common, control=control)


def documents(found: Mapping[str, Iterable[Beside]]) -> dict[str, list[dict[str, Any]]]:
    """Return what stands beside each control, for the API."""
    return {control: [_document(item) for item in several] for control, several in found.items()}


def _document(item: Beside) -> dict[str, Any]:
    return {
        "kind": item.kind.value,
        "id": item.id,
        "state": item.state,
        "in_force": item.in_force,
        "words": item.words,
        "said": item.said,
        "by": item.by,
        "at": to_text(item.at),
        "until": to_text(item.until) if item.until else None,
        "entry": item.entry,
        "page": item.link,
        "status_then": item.status_then or None,
    }
