"""The forms that ship with Ringfence: `data/forms/TYPE.schema.json`, read strictly."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.kernel.identifier import PredicateName
from ringfence.obligations.forms.model import About, Form, Kind, Question, Share, Span

_END = ".schema.json"
_MAX_FORM = 64 * 2**10
_TOP = frozenset({"$schema", "$id", "title", "type", "additionalProperties", "required", "properties", "x-ringfence"})
_PART = frozenset({"subject", "details", "shows", "doesNotShow", "retention"})
_ABOUT = frozenset({"kind", "title", "claim", "digest", "of"})
_COMMON = frozenset({"type", "title", "description"})
_ALLOWED: Mapping[str, frozenset[str]] = {
    "string": _COMMON | {"enum", "pattern", "maxLength", "format", "x-file", "x-days", "x-counted"},
    "integer": _COMMON | {"minimum", "maximum", "x-permille", "x-days-between", "x-counted"},
    "boolean": _COMMON,
    "array": _COMMON | {"items", "uniqueItems", "maxItems", "minItems", "x-subset-of"},
}


@cache
def types() -> frozenset[PredicateName]:
    """Return the evidence types that have a form."""
    names = (file.name for file in _folder().iterdir())
    return frozenset(PredicateName(name.removesuffix(_END)) for name in names if name.endswith(_END))


@cache
def form(name: str) -> Form:
    """Return the form of an evidence type; raise `NotFound` where it has none."""
    if name not in types():
        raise NotFound(f"no form states {name[:80]!r}; see `ringfence record --list`")
    return parse(source(name), source=name + _END)


def source(name: str) -> bytes:
    """Return the file of a form that is there."""
    data: bytes = _folder().joinpath(name + _END).read_bytes()
    return data


def _folder() -> Any:
    return resources.files("ringfence.obligations").joinpath("data", "forms")


def parse(data: bytes, *, source: str) -> Form:
    """Read a form.

    Raises:
        MalformedInput: it is none, or asks in a way that no front end knows how to ask.
    """
    match digest.loads(data, source=source, limit=_MAX_FORM):
        case {
            "title": str() as title,
            "additionalProperties": False,
            "required": list() as required,
            "properties": dict() as properties,
            "x-ringfence": {
                "subject": dict() as subject,
                "details": dict() as details,
                "shows": str() as shows,
                "doesNotShow": str() as does_not_show,
            } as part,
            **more,
        } as schema if more.keys() <= _TOP | {"allOf"} and part.keys() <= _PART:
            asked = tuple(_question(name, entry, source) for name, entry in properties.items())
            made = Form(
                PredicateName(source.removesuffix(_END)),
                title,
                asked,
                _about(subject, source),
                details,
                shows,
                does_not_show,
                schema,
            )
            _check(made, set(required), source)
            return made
        case _:
            raise MalformedInput("not a form: see docs/how-to/record-evidence.md", source=source)


def _question(name: str, entry: Any, source: str) -> Question:
    match entry:
        case {"type": "string" | "integer" | "boolean" | "array" as kind, "title": str() as title} if (
            entry.keys() <= _ALLOWED[kind]
        ):
            days = entry.get("x-days")
            return Question(
                name,
                title,
                _kind(kind, entry),
                entry.get("description", ""),
                tuple(entry.get("enum") or entry.get("items", {}).get("enum", ())),
                (days[0], days[1]) if days else None,
                _computed(entry),
                entry.get("x-subset-of", ""),
                entry.get("x-counted") is True,
            )
        case _:
            raise MalformedInput(f"{name} is asked in a way that no front end knows", source=source)


def _computed(entry: Mapping[str, Any]) -> Share | Span | None:
    match entry:
        case {"x-permille": {"part": str() as part, "of": str() as whole}}:
            return Share(part, whole)
        case {"x-days-between": {"from": str() as start, "to": str() as end}}:
            return Span(start, end)
        case _:
            return None


def _kind(kind: str, entry: Mapping[str, Any]) -> Kind:
    if entry.get("x-counted") is True:
        return Kind.COMPUTED
    match kind:
        case "integer":
            return Kind.COUNT if _computed(entry) is None else Kind.COMPUTED
        case "boolean":
            return Kind.YESNO
        case "array":
            return Kind.PARTS if "enum" in entry.get("items", {}) else Kind.NAMES
        case _:
            return _kind_of_text(entry)


def _kind_of_text(entry: Mapping[str, Any]) -> Kind:
    if "enum" in entry:
        return Kind.CHOICE
    if "x-file" in entry:
        return Kind.FILE
    return Kind.DATE if entry.get("format") == "date" else Kind.TEXT


def _about(entry: Mapping[str, Any], source: str) -> About:
    if not entry.get("kind") or not entry.keys() <= _ABOUT:
        raise MalformedInput("a form says what its statement is about", source=source)
    of = PredicateName(entry["of"]) if "of" in entry else None
    return About(entry["kind"], entry.get("title", ""), entry.get("claim", ""), entry.get("digest", ""), of)


def _check(made: Form, required: set[str], source: str) -> None:
    names = {one.name for one in made.questions}
    links = {one.within for one in made.questions} | {made.about.claim, made.about.digest}
    for question in made.questions:
        match question.computed:
            case Share(one, other) | Span(one, other):
                links |= {one, other}
            case None:
                pass
    if missing := (required | links - {""}) - names:
        raise MalformedInput(f"it speaks of {', '.join(sorted(missing))}, which it does not ask", source=source)
    if names & {"subject"} or made.details.keys() & {"files"}:
        raise MalformedInput("no claim is called subject, and no detail files", source=source)
