r"""A draft as a document: JSON, and the data of a fixed template; text of others is data in both, never code.

Characters that a terminal, a browser or a type case would act upon or could not show are written as `\u{…}`, so that
nothing hides and the PDF says the same as the JSON.
"""

import json
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from ringfence.incidents.drafting import Basis, Draft, DraftField
from ringfence.incidents.significance import NOT_KNOWN
from ringfence.kernel.clock import from_text, to_text

Named = Callable[[str], str]  # a person's name by id
MAX_DOCUMENT = 1 * 2**20
FORMAT = "ringfence.early-warning/1"
# What the embedded typeface can show: Latin, Greek, Cyrillic, and plain punctuation.
_SHOWN = ((0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x17F), (0x391, 0x3A1), (0x3A3, 0x3C9), (0x410, 0x44F))
_ALSO = frozenset("\u2013\u2014\u2018\u2019\u201c\u201d\u201e\u2026\u20ac")  # dashes, quotation marks, ellipsis, euro
NOTICE = (
    "Draft. Nobody has filed it: a person checks it, completes it and files it with the CSIRT or the competent "
    "authority. A field that neither evidence nor a named person fills says so."
)


def visible(text: str) -> str:
    r"""Return text in which every character can be seen; the others are written as `\u{…}`."""
    return "".join(c if _is_shown(c) else f"\\u{{{ord(c):x}}}" for c in text)


def _is_shown(character: str) -> bool:
    code = ord(character)
    return character in _ALSO or any(low <= code <= high for low, high in _SHOWN)


def to_json(draft: Draft, name: Named) -> dict[str, Any]:
    """Return a draft as the document that is handed over, with names of the persons."""
    return {
        "format": FORMAT,
        "notice": NOTICE,
        "incident": draft.incident,
        "stage": draft.stage,
        "made_at": to_text(draft.made_at),
        "due_at": draft.due_at and to_text(draft.due_at),
        "demo": draft.demo,
        "fields": [_field(field, name) for field in draft.fields],
        "contradictions": [visible(text) for text in draft.contradictions],
        "quoted": [{"digest": digest, "line": visible(line)} for digest, line in draft.quoted],
    }


def _field(field: DraftField, name: Named) -> dict[str, Any]:
    return {
        "field": field.name,
        "meaning": field.meaning,
        "value": visible(field.value),
        "basis": field.basis.value,
        "evidence": list(field.evidence),
        "person": {"id": field.person, "name": visible(name(field.person))} if field.person else None,
        "contradicted_by": visible(field.contradicted_by),
    }


def unknown(document: Mapping[str, Any]) -> list[str]:
    """Return the fields that are not known."""
    return [field["field"] for field in document["fields"] if field["basis"] == Basis.NONE.value]


def template() -> bytes:
    """Return the fixed template."""
    return resources.files("ringfence.incidents").joinpath("data", "early_warning.typ").read_bytes()


def template_data(document: Mapping[str, Any]) -> str:
    """Return what the template reads: the document, shaped into lines of plain text."""
    made = from_text(document["made_at"])
    shaped = {
        "title": f"Early warning {document['incident']}",
        "notice": document["notice"],
        "demo": bool(document["demo"]),
        "date": [made.year, made.month, made.day],
        "made": document["made_at"],
        "due": document["due_at"] or NOT_KNOWN,
        "fields": [_shaped(field) for field in document["fields"]],
        "contradictions": document["contradictions"],
        "quoted": document["quoted"],
    }
    return json.dumps(shaped, ensure_ascii=True)


def _shaped(field: Mapping[str, Any]) -> dict[str, Any]:
    person = field["person"]
    basis = field["basis"] + (f": {person['name']} ({person['id']})" if person else "")
    return {
        "name": field["field"].replace("_", " "),
        "meaning": field["meaning"],
        "value": field["value"],
        "known": field["basis"] != Basis.NONE.value,
        "basis": basis,
        "evidence": field["evidence"],
        "contradicted": field["contradicted_by"],
    }
