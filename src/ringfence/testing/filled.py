"""A form with a question of every kind, and answers that fit it; answers to the forms that ship."""

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from ringfence.obligations.forms import drafting, shelf
from ringfence.obligations.forms.model import Attached, Filling, Form, Kind, Question

DAY = date(2026, 11, 22)
TYPE = "lab.filled"
HANDLE = "^[a-z0-9][a-z0-9-]{0,62}$"
DIGEST = "^sha256:[0-9a-f]{64}$"
_DAY = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 1000}
_NAMES = {"type": "array", "items": {"type": "string", "pattern": HANDLE}, "uniqueItems": True, "maxItems": 5}
_QUESTIONS: Mapping[str, Mapping[str, Any]] = {
    "outcome": {"type": "string", "title": "How did it end?", "enum": ["good", "bad"]},
    "version": {"type": "string", "title": "Which version?", "pattern": r"^[0-9]{1,4}$", "maxLength": 4},
    "heldOn": {**_DAY, "title": "When?", "x-days": [-31, 0]},
    "endedOn": {**_DAY, "title": "Until when?"},
    "lasted": {**_COUNT, "title": "How long?", "x-days-between": {"from": "heldOn", "to": "endedOn"}},
    "required": {**_COUNT, "title": "How many had to come?", "description": "All of them."},
    "completed": {**_COUNT, "title": "How many came?"},
    "coverage": {**_COUNT, "title": "Which share?", "x-permille": {"part": "completed", "of": "required"}},
    "announced": {"type": "boolean", "title": "Was it announced?"},
    "parts": {
        "type": "array",
        "title": "What did it have?",
        "items": {"type": "string", "enum": ["first", "second", "third"]},
        "uniqueItems": True,
        "maxItems": 3,
    },
    "names": {**_NAMES, "title": "Who was there?"},
    "late": {**_NAMES, "title": "Who of them came late?", "x-subset-of": "names"},
    "minutes": {"type": "string", "title": "The minutes", "pattern": DIGEST, "x-file": True},
}
ANSWERS: Mapping[str, Any] = {
    "outcome": "good",
    "version": "12",
    "heldOn": "2026-11-20",
    "endedOn": "2026-11-21",
    "lasted": 1,
    "required": 3,
    "completed": 2,
    "coverage": 666,
    "announced": True,
    "parts": ["first", "third"],
    "names": ["ada", "bob"],
    "late": ["bob"],
    "minutes": f"sha256:{'a' * 64}",
}


def schema(**subject: str) -> dict[str, Any]:
    """Return the file of the form, as a document; `subject` says what it is about."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:ringfence:{TYPE}:v1:claims",
        "title": "Something was held",
        "type": "object",
        "additionalProperties": False,
        "required": list(_QUESTIONS),
        "properties": {name: dict(entry) for name, entry in _QUESTIONS.items()},
        "x-ringfence": {
            "subject": subject or {"kind": "organisation"},
            "details": {"summary": "What was said, in your words"},
            "shows": "That somebody says so.",
            "doesNotShow": "That it is so.",
            "retention": "evidence",
        },
    }


def lab_form(**subject: str) -> Form:
    """Return the form."""
    return shelf.parse(json.dumps(schema(**subject)).encode(), source=f"{TYPE}.schema.json")


def lab_filling(subject: str = "", **changes: Any) -> Filling:
    """Return answers that fit, but for `changes`; what is None is left open."""
    files = {"minutes": document()}
    claims = {name: value for name, value in ANSWERS.items() if name not in files} | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return Filling(kept, subject, {"summary": "It went well."}, files)


def document(name: str = "minutes.pdf", data: bytes = b"who said what") -> Attached:
    """Return an attached document."""
    return drafting.attached(name, data, bytes(range(32)))


def filled(name: str, day: date = DAY) -> Filling:
    """Return answers that fit a form that ships, whatever it asks."""
    form = shelf.form(name)
    files = {one.name: document(f"{one.name}.pdf") for one in form.of_kind(Kind.FILE)}
    asked = [one for one in form.questions if one.counted or one.kind not in (Kind.FILE, Kind.COMPUTED)]
    claims = {one.name: _answer(one, form.schema["properties"][one.name], day) for one in asked}
    return Filling(claims, "lab-1", dict.fromkeys(form.details, "in words"), files)


def _answer(question: Question, entry: Mapping[str, Any], day: date) -> Any:
    match question.kind:
        case Kind.CHOICE:
            return question.choices[0]
        case Kind.DATE:
            return str(day + timedelta(days=question.days[1] if question.days else 0))
        case Kind.COUNT:
            return entry.get("minimum", 0)
        case Kind.YESNO:
            return True
        case Kind.PARTS:
            return list(question.choices[: entry.get("maxItems", len(question.choices))])
        case Kind.NAMES:
            return []
        case Kind.COMPUTED if "pattern" not in entry:  # that a register counts
            return entry["enum"][0] if "enum" in entry else entry["minimum"]
        case _:
            tries = ("1.0", "de", "DE", "scanner", "1", "0" * 32, f"sha256:{'0' * 64}", "lab-1", "0" * 40)
            return next(text for text in tries if re.search(entry["pattern"], text))
