"""From what a person typed to answers: texts of a command line or a web form, or a whole file. Strict and bounded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import reading
from ringfence.obligations.forms.checking import detail_problem
from ringfence.obligations.forms.model import Form, Kind, Question
from ringfence.obligations.reading import Document

MAX_ANSWER = 64 * 2**10  # five hundred short names of the longest kind fit
_PARTS = frozenset({"subject", "claims", "files", "details"})
_YES, _NO = frozenset({"true", "yes"}), frozenset({"false", "no"})
_UNKNOWN = frozenset({"?", "don't know", "dont know", "do not know"})


@dataclass(frozen=True, slots=True)
class Written:
    """A filled file, as far as it stands in the text: attached documents are still paths."""

    claims: Mapping[str, Any]
    subject: str
    details: Mapping[str, str]
    files: Mapping[str, str]


def is_unknown(text: str) -> bool:
    """Return whether somebody says that they do not know."""
    return text.strip().lower() in _UNKNOWN


def value_of(question: Question, text: str) -> Any:
    """Return the answer that `text` is; whether it is a fitting one is for `checking` to say.

    Raises:
        MalformedInput: it is no answer to this question at all.
    """
    given = text.strip()
    if not given and question.kind not in (Kind.PARTS, Kind.NAMES):
        raise MalformedInput("is not answered", source=question.name)
    if len(given) > MAX_ANSWER:
        raise MalformedInput("is too long", source=question.name)
    match question.kind:
        case Kind.COUNT | Kind.COMPUTED:
            return _whole(question, given)
        case Kind.YESNO:
            return _yes_or_no(question, given)
        case Kind.PARTS | Kind.NAMES:
            return given.replace(",", " ").split()
        case _:
            return given


def _whole(question: Question, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise MalformedInput("is a whole number", source=question.name)
    return int(text)


def _yes_or_no(question: Question, text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise MalformedInput("is yes or no", source=question.name)
    return text.lower() in _YES


def pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """Take `name=value` apart; raise `MalformedInput` for what is none, or stands twice."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise MalformedInput(f"{option} takes name=value, not {text[:60]!r}")
        if name in found:
            raise MalformedInput(f"{option} names {name[:60]} twice")
        found[name] = value
    return found


def claims_of(form: Form, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers among `texts`; raise `MalformedInput` for one that nobody asked for."""
    found = {}
    for name, text in texts.items():
        question = form.question(name)
        if question is None or question.kind is Kind.FILE:
            hint = "it is a document: --attach" if question else "see --template for its questions"
            raise MalformedInput(f"{form.type} does not ask {name[:60]!r} so; {hint}")
        found[name] = value_of(question, text)
    return found


def parse(form: Form, data: bytes, *, source: str) -> Written:
    """Read a filled template.

    Raises:
        MalformedInput: with source, line and column; also for an answer that was left open.
    """
    document = reading.parse(data, source=source)
    if not isinstance(document.value, dict) or not document.value.keys() <= _PARTS:
        raise document.error((), f"a filled form has {', '.join(sorted(_PARTS))}; start from --template")
    subject = document.value.get("subject") or ""
    if not isinstance(subject, str):
        raise document.error(("subject",), "the subject is a short name")
    return Written(_claims(form, document), subject, details_of(form, document), _texts(document, "files"))


def read(data: bytes, *, source: str) -> Document:
    """Read a file of free texts; raise `MalformedInput` where it is no list of names with their texts."""
    document = reading.parse(data, source=source)
    if not isinstance(document.value, dict):
        raise document.error((), "a file of free texts has a text for each name")
    return document


def texts_of(form: Form, texts: Mapping[str, str]) -> dict[str, str]:
    """Return free texts of a command line; raise `MalformedInput` for one that the form has no room for."""
    for name, text in texts.items():
        said = "has no room in this form" if name not in form.details else detail_problem(text)
        if said:
            raise MalformedInput(f"--detail {name[:60]} {said}")
    return dict(texts)


def check_documents(form: Form, names: Iterable[str]) -> None:
    """Return where each name asks for a document; raise `MalformedInput` otherwise."""
    wanted = {question.name for question in form.of_kind(Kind.FILE)}
    for name in names:
        if name not in wanted:
            raise MalformedInput(
                f"{form.type} asks for no document {name[:60]!r}; it asks for {', '.join(sorted(wanted)) or 'none'}"
            )


def details_of(form: Form, document: Document, part: str = "details") -> dict[str, str]:
    """Return the free texts of a file; those that were left open are left out."""
    found = _texts(document, part)
    place = (part,) if part else ()
    for name, text in found.items():
        if name not in form.details:
            raise document.error((*place, name), f"the form has no room for {name[:60]}")
        if said := detail_problem(text):
            raise document.error((*place, name), f"{name} {said}")
    return found


def _claims(form: Form, document: Document) -> dict[str, Any]:
    claims = _part(document, "claims")
    for name, value in claims.items():
        question = form.question(name)
        if question is None or question.kind is Kind.FILE:
            raise document.error(("claims", name), f"the form does not ask {name[:60]} here")
        if value is None:
            raise document.error(("claims", name), f"{name} is not answered")
    return claims


def _texts(document: Document, part: str) -> dict[str, str]:
    found = {name: value for name, value in _part(document, part).items() if value is not None}
    for name, value in found.items():
        if not isinstance(value, str):
            raise document.error((part, name) if part else (name,), f"{name[:60]} is a text; quote it")
    return found


def _part(document: Document, part: str) -> dict[str, Any]:
    value = document.value.get(part) if part else document.value
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise document.error((part,) if part else (), f"{part or 'the file'} is a list of names with their values")
    return dict(value)
