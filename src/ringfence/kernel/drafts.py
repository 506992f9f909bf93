"""Drafts as they wait for their signature, and as a terminal sends them: strict and bounded."""

from typing import Any

from ringfence.kernel import digest, identifier
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import Draft, Strength, Subject

MAX_DRAFT = 128 * 2**10  # bytes
_FIELDS = {"predicate", "subjects", "claims", "strength", "details", "idempotencyKey"}
_MAX_SUBJECTS = 64


def to_json(draft: Draft) -> dict[str, Any]:
    """Return the form in which a draft travels."""
    return {
        "predicate": draft.predicate,
        "subjects": [[subject.name, subject.digest.hex] for subject in draft.subjects],
        "claims": dict(draft.claims),
        "strength": draft.strength.text,
        "details": dict(draft.details),
        "idempotencyKey": draft.idempotency_key,
    }


def to_bytes(draft: Draft) -> bytes:
    """Print a draft; raise `MalformedInput` where it is too long, or could not be read back."""
    data = digest.dumps(to_json(draft))
    parse(data)
    return data


def parse(data: bytes) -> Draft:
    """Read a draft, or raise `MalformedInput`."""
    return from_json(digest.loads(data, source="draft", limit=MAX_DRAFT))


def from_json(document: Any) -> Draft:
    """Take a draft apart, or raise `MalformedInput`."""
    match document:
        case {
            "predicate": str() as predicate,
            "subjects": list() as subjects,
            "claims": dict() as claims,
            "strength": str() as strength,
            "details": dict() as details,
            "idempotencyKey": str() as key,
        } if document.keys() == _FIELDS and 1 <= len(subjects) <= _MAX_SUBJECTS and len(key) <= 128:
            return Draft(
                identifier.predicate_name(predicate),
                tuple(_subject(subject) for subject in subjects),
                claims,
                Strength.parse(strength),
                details,
                key,
            )
        case _:
            raise MalformedInput("a draft has " + ", ".join(sorted(_FIELDS)), source="draft")


def _subject(value: Any) -> Subject:
    match value:
        case [str() as name, str() as digits] if 1 <= len(name) <= 256 and name.isascii() and name.isprintable():
            return Subject(name, Digest.parse(digits))
        case _:
            raise MalformedInput("a subject of a draft is its name and its digest", source="draft")
