"""Signed acts, read back strictly: whatever is not exactly of the shape that the specification has is refused."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.incidents import acts
from ringfence.incidents.acts import ADDRESSEES, TIMES, TOLD, subject
from ringfence.incidents.model import Answer, IncidentId, incident_id
from ringfence.incidents.significance import QUANTITIES
from ringfence.kernel.clock import from_text
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Statement, Strength

MAX_TEXT = 4000
MAX_LIST = 64
_CODE = re.compile(r"\d{1,2}(\(\d\))?(\([a-z]\))?")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FINDING = re.compile(r"f-[0-9a-f]{4,64}")
_DIGITS = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Act:
    """A signed act, read back."""

    predicate: PredicateName
    incident: IncidentId
    seen: int
    timeline: Digest
    claims: Mapping[str, Any]
    details: Mapping[str, str]


def read(statement: Statement, opening: Opening | None, expected: PredicateName, incident: IncidentId) -> Act:
    """Return a signed act about `incident`, or raise `MalformedInput` or `Refused`."""
    if statement.predicate != expected:
        raise MalformedInput(f"this address takes {expected}, not {statement.predicate}")
    if statement.issuance.strength is not Strength.DOCUMENTED:
        raise Refused(f"{expected} has strength documented, not {statement.issuance.strength.text}")
    claims, details = statement.claims, opening.details if opening else {}
    if claims.get("incident") != incident or statement.subjects != (subject(incident),):
        raise Refused(f"the statement is about another incident than {incident}")
    opened = expected == acts.OPENED
    needed = {"incident": incident_id, **_CLAIMS[expected], **({} if opened else _HEAD)}
    _check(claims, needed, _OPTIONAL.get(expected, {}), f"the claims of {expected}")
    _check(details, _DETAILS[expected], _MORE.get(expected, {}), f"the details of {expected}")
    head = Digest(bytes(32)) if opened else Digest.parse(claims["timeline"])
    return Act(expected, incident, 0 if opened else claims["seen"], head, claims, details)


Check = Callable[[object], object]


def _check(values: Mapping[str, Any], needed: Mapping[str, Check], optional: Mapping[str, Check], what: str) -> None:
    if not needed.keys() <= values.keys() <= needed.keys() | optional.keys():
        may = f", and may be {', '.join(optional)}" if optional else ""
        raise MalformedInput(f"{what} are {', '.join(needed)}{may}")
    known = {**needed, **optional}
    for name, value in values.items():
        try:
            known[name](value)
        except MalformedInput as error:
            raise MalformedInput(f"{name} of {what}: {error}") from error


def text(value: object) -> str:
    """Return a bounded text that a person wrote; raise `MalformedInput`."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise MalformedInput(f"it is text of 1 to {MAX_TEXT} characters")
    return value


def _one_of(allowed: frozenset[str]) -> Check:
    def check(value: object) -> object:
        if not isinstance(value, str) or value not in allowed:
            raise MalformedInput(f"it is one of {', '.join(sorted(allowed))}")
        return value

    return check


def _matching(pattern: re.Pattern[str], what: str) -> Check:
    def check(value: object) -> object:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise MalformedInput(f"it is {what}")
        return value

    return check


def _sorted(inner: Check) -> Check:
    def check(value: object) -> object:
        if not isinstance(value, list) or len(value) > MAX_LIST:
            raise MalformedInput(f"it is a list of at most {MAX_LIST}")
        if [inner(item) for item in value] != sorted(set(map(str, value))):
            raise MalformedInput("it is sorted and names nothing twice")
        return value

    return check


def _count(value: object) -> object:
    if type(value) is not int or value < 0:
        raise MalformedInput("it is a whole number of at least 0")
    return value


def _truth(value: object) -> object:
    if type(value) is not bool:
        raise MalformedInput("it is true or false")
    return value


def _nothing(value: object) -> object:
    if value != []:
        raise MalformedInput("it is empty: no finding saw what a person declares")
    return value


def _quantities(value: object) -> object:
    if not isinstance(value, dict) or not value.keys() <= QUANTITIES.keys():
        raise MalformedInput(f"what can be measured is {', '.join(QUANTITIES)}")
    return [_count(item) for item in value.values()]


_ANSWER = _one_of(frozenset(answer.value for answer in Answer))
_PLACE = _matching(NAME, "a short name of lower-case letters, digits, dots and hyphens")
_HEAD: dict[str, Check] = {
    "seen": _count,
    "timeline": _matching(_DIGITS, "64 hexadecimal digits"),
}
_NOTICE: dict[str, Check] = {"customer": _PLACE, "sentAt": from_text, "receipt": Digest.parse}
_CLAIMS: dict[PredicateName, dict[str, Check]] = {
    acts.OPENED: {"cause": _one_of(frozenset({"declared"})), "detectedAt": from_text, "findings": _nothing},
    acts.TRIAGE: {
        "significant": _truth,
        "criteria": _sorted(_matching(_CODE, "a criterion such as 3(1)(b)")),
        "malicious": _ANSWER,
        "crossBorder": _ANSWER,
        "customers": _sorted(_PLACE),
        "measured": _quantities,
        "detectedAt": from_text,
        "triagedAt": from_text,
    },
    acts.CORRECTED: {"field": _one_of(TIMES | TOLD | {"merge", "split"})},
    acts.REPORT: {"stage": _PLACE, "filedAt": from_text, "addressee": _one_of(ADDRESSEES), "receipt": Digest.parse},
    acts.NOTICE: _NOTICE,
    acts.BREACH_NOTICE: _NOTICE,
    acts.CLOSED: {"handledAt": from_text},
}
_OPTIONAL: dict[PredicateName, dict[str, Check]] = {
    acts.OPENED: {"node": _PLACE},
    acts.TRIAGE: {
        "awareAt": from_text,
        "occurredAt": from_text,
        "personalData": _ANSWER,  # since this was asked: what was signed before has neither
        "breached": _sorted(_PLACE),
    },
    acts.CORRECTED: {"value": from_text, "other": incident_id, "findings": _sorted(_matching(_FINDING, "a finding"))},
}
_REASON: dict[str, Check] = {"reason": text}
_REFERENCE: dict[str, Check] = {"reference": text, "salt": _matching(_DIGITS, "64 hexadecimal digits")}
_DETAILS: dict[PredicateName, dict[str, Check]] = {
    acts.OPENED: _REASON,
    acts.TRIAGE: _REASON,
    acts.CORRECTED: _REASON,
    acts.REPORT: _REFERENCE,
    acts.NOTICE: _REFERENCE,
    acts.BREACH_NOTICE: _REFERENCE,
    acts.CLOSED: _REASON,
}
_MORE: dict[PredicateName, dict[str, Check]] = {
    acts.CORRECTED: {"value": text},
    acts.REPORT: {"to": text},
    acts.NOTICE: {"to": text},
    acts.BREACH_NOTICE: {"to": text},
}
