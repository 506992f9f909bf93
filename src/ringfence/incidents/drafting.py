"""The draft of a report: each field is evidenced, or a named person's word, or not known at this time.

Fields: `field_model` of clocks.yaml. Text that others wrote is quoted by its digest and never read for meaning; facts
that contradict each other are shown side by side.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ringfence.incidents import significance, versions
from ringfence.incidents.model import Answer, FactKind, Incident, IncidentId, Triage
from ringfence.incidents.significance import NOT_KNOWN, QUANTITIES
from ringfence.incidents.terms import Clockwork, FormField
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId

MAX_QUOTED = 20
EARLY_WARNING = "EW"


class Basis(StrEnum):
    """What a field of a draft rests on."""

    EVIDENCE = "evidence"
    PERSON = "person"
    NONE = "not known at this time"


@dataclass(frozen=True, slots=True)
class DraftField:
    """One field of a draft."""

    name: str
    meaning: str
    value: str
    basis: Basis
    evidence: tuple[str, ...] = ()
    person: str = ""
    contradicted_by: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A report that nobody has filed yet."""

    incident: IncidentId
    stage: str
    made_at: datetime
    due_at: datetime | None
    demo: bool
    fields: tuple[DraftField, ...]
    quoted: tuple[tuple[str, str], ...] = ()  # (digest, raw line): quoted, never interpreted
    contradictions: tuple[str, ...] = ()


class Filled(NamedTuple):
    """A value with what it rests on."""

    value: str
    basis: Basis
    evidence: tuple[str, ...] = ()
    person: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What a draft may use beside the incident."""

    now: datetime
    due_at: datetime | None
    demo: bool = False
    profile: Mapping[str, tuple[str, PersonId]] = field(default_factory=dict)


def early_warning(incident: Incident, data: Clockwork, known: Known) -> Draft:
    """Draft the early warning of NIS2 23(4)(a)."""
    asked = [one for one in data.form if EARLY_WARNING in one.stages]
    found = contradictions(incident, known.now)
    return Draft(
        incident=incident.id,
        stage="nis2.early_warning",
        made_at=known.now,
        due_at=known.due_at,
        demo=known.demo,
        fields=tuple(_field(one, incident, known, found) for one in asked),
        quoted=_quoted(incident),
        contradictions=tuple(text for texts in found.values() for text in texts),
    )


def _field(asked: FormField, incident: Incident, known: Known, found: Mapping[str, tuple[str, ...]]) -> DraftField:
    told = incident.told.get(asked.name) or known.profile.get(asked.name)
    make = _FILLED.get(asked.name)
    filled = _by_person(*told) if told else make(incident, known) if make else None
    value, basis, evidence, person = filled or Filled(NOT_KNOWN, Basis.NONE)
    return DraftField(asked.name, asked.meaning, value, basis, evidence, person, "; ".join(found.get(asked.name, ())))


def _by_person(value: str, person: PersonId, evidence: tuple[str, ...] = ()) -> Filled:
    return Filled(value, Basis.PERSON, evidence, person)


def _id(incident: Incident, _known: Known) -> Filled | None:
    return Filled(incident.id, Basis.EVIDENCE, _of(incident.envelope))


def _of(*envelopes: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in envelopes if one))


def _type(incident: Incident, _known: Known) -> Filled | None:
    return Filled("early warning (NIS2 23(4)(a))", Basis.EVIDENCE, _of(incident.envelope))


def _reason(incident: Incident, _known: Known) -> Filled | None:
    triage = incident.triage
    if triage is None or not triage.significant:
        return None
    return _by_person("significant incident", triage.by, _of(triage.envelope))


def _detected(incident: Incident, _known: Known) -> Filled | None:
    changed = [one for one in incident.corrections if one.field == "detected-at"]
    if changed:
        return _by_person(to_text(incident.detected_at), changed[-1].by, _of(changed[-1].envelope))
    first = [one for one in incident.findings if one.detected_at == incident.detected_at]
    shown = _of(*(one.envelope for one in first)) or _of(incident.envelope)
    return Filled(to_text(incident.detected_at), Basis.EVIDENCE, shown)


def _aware(incident: Incident, _known: Known) -> Filled | None:
    now = versions.current(incident.awareness)
    if now is None or now.value is None:
        return None
    earlier = [to_text(one.value) for one in incident.awareness if one.value and not one.customer][:-1]
    words = f"{to_text(now.value)}, on the basis: {now.why}"
    if earlier:
        words += f" (recorded before: {', '.join(earlier)})"
    decided = [one.envelope for one in incident.triages]
    moved = [one.envelope for one in incident.corrections if one.field == "aware-at"]
    return _by_person(words, now.by, _of(*decided, *moved))


def _answer(pick: Callable[[Triage], Answer]) -> Callable[[Incident, Known], Filled | None]:
    def make(incident: Incident, _known: Known) -> Filled | None:
        triage = incident.triage
        if triage is None or pick(triage) is Answer.UNKNOWN:
            return None
        return _by_person(pick(triage).value, triage.by, _of(triage.envelope))

    return make


def _described(incident: Incident, _known: Known) -> Filled | None:
    """Put the findings and what was done about them into sentences; without findings nothing is said."""
    if not incident.findings:
        return None
    said = [
        f"{one.place}: {one.count} events from {one.source or 'an unknown source'}, "
        f"{to_text(one.first_seen)} to {to_text(one.last_seen)}."
        for one in incident.findings
    ]
    done = [
        f"{' '.join(filter(None, (fact.kind.value, fact.node)))} at {to_text(fact.at)}."
        for fact in incident.facts
        if fact.kind in {FactKind.ISOLATED, FactKind.RELEASED, FactKind.SOURCE_BLOCKED, FactKind.KEY_BLOCKED}
    ]
    shown = _of(
        *(one.envelope or one.id for one in incident.findings), *(e for f in incident.facts for e in f.evidence)
    )
    return Filled(" ".join((*said, *done)), Basis.EVIDENCE, shown)


def _criteria(incident: Incident, _known: Known) -> Filled | None:
    triage = incident.triage
    if triage is None or not triage.significant:
        return None
    numbers = "; ".join(f"{QUANTITIES[name]}: {value}" for name, value in sorted(triage.measured.items()))
    words = ", ".join(triage.criteria) + (f" (measured: {numbers})" if numbers else " (measured: none)")
    return _by_person(words, triage.by, _of(triage.envelope))


_FILLED: Mapping[str, Callable[[Incident, Known], Filled | None]] = {
    "incident_id": _id,
    "report_type": _type,
    "reporting_reason": _reason,
    "t_detected": _detected,
    "t_aware": _aware,
    "suspected_malicious": _answer(lambda triage: triage.malicious),
    "cross_border": _answer(lambda triage: triage.cross_border),
    "short_description": _described,
    "significance_criteria": _criteria,
}


def contradictions(incident: Incident, now: datetime) -> dict[str, tuple[str, ...]]:
    """Return, by field, what does not fit together; neither side is preferred."""
    found: dict[str, list[str]] = {}
    triage, aware = incident.triage, versions.earliest(incident.awareness)
    detected = to_text(incident.detected_at)
    if aware and aware < incident.detected_at:
        found.setdefault("t_aware", []).append(f"awareness {to_text(aware)} lies before the detection {detected}")
    if triage and triage.occurred_at and triage.occurred_at > incident.detected_at:
        words = f"the occurrence {to_text(triage.occurred_at)} lies after the detection {detected}"
        found.setdefault("t_detected", []).append(words)
    if triage and triage.malicious is Answer.NO and _guessed(incident):
        words = "a person says not malicious; a finding shows guessing followed by success"
        found.setdefault("suspected_malicious", []).append(words)
    found |= _durations(incident, triage, now)
    return {name: tuple(texts) for name, texts in found.items()}


def _guessed(incident: Incident) -> bool:
    return any(one.rule in significance.SUCCESS_RULES for one in incident.findings)


def _durations(incident: Incident, triage: Triage | None, now: datetime) -> dict[str, list[str]]:
    isolated = significance.isolation(incident, now)
    told = triage.measured.get("minutesUnavailable") if triage else None
    if isolated is None or told is None or told >= int(isolated.total_seconds() // 60):
        return {}
    minutes = int(isolated.total_seconds() // 60)
    words = f"a person says {told} min unavailable; a customer-facing node was isolated for {minutes} min"
    return {"significance_criteria": [words]}


def _quoted(incident: Incident) -> tuple[tuple[str, str], ...]:
    lines: list[tuple[str, str]] = []
    for finding in incident.findings:
        digests = (*finding.evidence, *("" for _ in finding.excerpts))
        for line, known in zip(finding.excerpts, digests, strict=False):
            lines.append((known or str(Digest.of(line.encode("utf-8", "backslashreplace"))), line))
    return tuple(lines[:MAX_QUOTED])
