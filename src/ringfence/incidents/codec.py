"""Facts of an incident as JSON and back: what rows of the timeline hold."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from ringfence.incidents.model import (
    Answer,
    Awareness,
    Fact,
    FactKind,
    Filed,
    FindingFacts,
    Incident,
    Triage,
)
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PersonId

MAX_LISTED = 32  # digests and raw lines per finding
MAX_LINE = 500  # characters of a raw line that are kept


def plain(value: Any) -> Any:
    """Return a fact as JSON: times as text, tuples as lists."""
    match value:
        case datetime():
            return to_text(value)
        case StrEnum():
            return value.value
        case tuple() | list():
            return [plain(item) for item in value]
        case Mapping():
            return {str(name): plain(item) for name, item in value.items()}
        case FindingFacts() | Fact() | Triage() | Awareness() | Filed():
            return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
        case _:
            return value


def bounded(finding: FindingFacts) -> FindingFacts:
    """Return a finding whose lists and texts fit into a row; raw lines lose what cannot be encoded."""
    values = {one.name: getattr(finding, one.name) for one in fields(finding)}
    for name in ("evidence", "excerpts", "technique"):
        values[name] = tuple(clean(str(item)) for item in values[name][:MAX_LISTED])
    for name in ("rule", "subject", "source", "title", "severity", "envelope"):
        values[name] = clean(str(values[name]))
    return FindingFacts(**values)


def clean(text: str) -> str:
    """Return text of bounded length that is valid Unicode; undecodable bytes of a log become visible."""
    return text[:MAX_LINE].encode("utf-8", "backslashreplace").decode()


def part(incident: Incident) -> dict[str, Any]:
    """Return what another incident takes over in a merger, or a part in a split."""
    return {
        "incident": incident.id,
        "detected_at": to_text(incident.detected_at),
        "findings": plain(incident.findings),
        "facts": plain(incident.facts),
        "triages": plain(incident.triages),
        "awareness": plain(incident.awareness),
        "filed": plain(incident.filed),
        "untriaged_since": incident.untriaged_since and to_text(incident.untriaged_since),
    }


def finding(value: Mapping[str, Any]) -> FindingFacts:
    """Read a finding back."""
    given = _times(value, "first_seen", "last_seen", "detected_at")
    return FindingFacts(**_tuples(given, "technique", "evidence", "excerpts"))


def fact(value: Mapping[str, Any]) -> Fact:
    """Read a fact back."""
    given = _tuples(_times(value, "at"), "evidence")
    return Fact(**{**given, "kind": FactKind(given["kind"])})


def triage(value: Mapping[str, Any]) -> Triage:
    """Read a triage back."""
    value = {"personal_data": Answer.UNKNOWN.value, "breached": (), **value}  # rows from before this was asked
    given = _times(value, "decided_at", "aware_at", "detected_at", "occurred_at")
    given = _tuples(given, "criteria", "customers", "breached")
    answers = {name: Answer(given[name]) for name in ("malicious", "cross_border", "personal_data")}
    return Triage(**{**given, **answers, "by": PersonId(given["by"])})


def awareness(value: Mapping[str, Any]) -> Awareness:
    """Read a version of an awareness back."""
    return Awareness(**_times(value, "value", "since"))


def filed(value: Mapping[str, Any]) -> Filed:
    """Read a filed report back."""
    return Filed(**_times(value, "at", "recorded_at"))


def _times(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    try:
        return dict(value) | {name: value[name] and from_text(value[name]) for name in names}
    except KeyError as error:
        raise MalformedInput(f"a row of a timeline lacks {error}") from error


def _tuples(value: dict[str, Any], *names: str) -> dict[str, Any]:
    return value | {name: tuple(value[name]) for name in names}
