"""Whether answers fit their form: its JSON Schema first, then what a schema cannot say. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Statement, Strength, Subject
from ringfence.obligations.forms.model import Form, Kind, Known, Problem, Question, Share, Span

MAX_DETAIL = 2000  # characters; what is longer is a document to attach
FILES = "files"  # the detail that holds the salts of attached documents
_HANDLE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_LONGEST = 63


def problems(form: Form, claims: Mapping[str, Any], day: date) -> tuple[Problem, ...]:
    """Return what is wrong with the claims of a form that is signed on `day`, each question at most once."""
    found: dict[str, str] = {}
    for problem in (*_by_schema(form, claims), *_beyond(form, claims, day)):
        found.setdefault(problem.field, problem.message)
    return tuple(Problem(name, message) for name, message in found.items())


def check_stated(form: Form, statement: Statement, day: date) -> None:
    """Return where a statement says what its form lets a person say.

    Raises:
        MalformedInput: an answer does not fit.
        Refused: it claims to be more than a person's word, or is about something else.
    """
    if statement.issuance.strength > Strength.DOCUMENTED:
        raise Refused(
            f"{form.type} is what a person says: it is documented at most, not {statement.issuance.strength.text}"
        )
    refuse(form, problems(form, statement.claims, day))
    if len(statement.subjects) != 1:
        raise Refused(f"{form.type} is about one thing, not {len(statement.subjects)}")
    subject, kind = statement.subjects[0], form.about.kind
    name = subject.name.removeprefix(f"{kind}/")
    expected = subject_of(form, statement.claims, name, statement.issuance.tenant)
    if subject.name != expected.name or (form.about.of is None and subject.digest != expected.digest):
        raise Refused(f"{form.type} with these answers is about {expected.name}, and its digest says so")


def refuse(form: Form, found: tuple[Problem, ...]) -> None:
    """Raise `MalformedInput` where something is wrong, and name all of it."""
    if found:
        words = "; ".join(f"{problem.field} {problem.message}" for problem in found[:8])
        raise MalformedInput(words + ("; …" if len(found) > 8 else ""), source=form.type)


def subject_of(
    form: Form, claims: Mapping[str, Any], name: str, tenant: Tenant, known: tuple[Known, ...] = ()
) -> Subject:
    """Return what a statement is about.

    Args:
        form: the form.
        claims: its answers, of which one may name the subject.
        name: what the person called it, where no answer does.
        tenant: whose organisation it is.
        known: what statements of the type that the form points to named, with its versions.

    Raises:
        MalformedInput: there is no such thing, or no short name.
    """
    about = form.about
    if about.kind == "organisation":
        return _named(f"organisation/{tenant}")
    short = str(claims.get(about.claim, "")) if about.claim else name.removeprefix(f"{about.kind}/")
    if not 0 < len(short) <= _LONGEST or not _HANDLE.issuperset(short) or short.startswith("-"):
        raise MalformedInput(
            f"say which {about.kind} it is about, by a short name of lower-case letters, digits and hyphens",
            source="subject",
        )
    full = f"{about.kind}/{short}"
    if about.digest:
        return Subject(full, Digest.parse(claims.get(about.digest)))
    if about.of is None or not known:
        return _named(full)
    for one in known:
        if one.name == full:
            return Subject(one.name, one.digest)
    raise MalformedInput(f"no {about.of} that counts is about {full}", source="subject")


def _named(name: str) -> Subject:
    """Return a thing without bytes of its own: its name is all that a digest can be of."""
    return Subject(name, Digest.of(name.encode()))


def check_details(form: Form, details: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Return where the side record holds what the form lets it hold, and a salt for each attached document."""
    if extra := details.keys() - form.details.keys() - {FILES}:
        raise MalformedInput(f"the form has no room for {', '.join(sorted(extra))[:80]}", source="details")
    for name in form.details.keys() & details.keys():
        if said := detail_problem(details[name]):
            raise MalformedInput(f"{name} {said}", source="details")
    wanted = {one.name for one in form.of_kind(Kind.FILE) if one.name in claims}
    files = details.get(FILES, {})
    if not isinstance(files, dict) or files.keys() != wanted or not all(_is_attached(one) for one in files.values()):
        raise MalformedInput("each attached document has its name and the salt of its digest there", source="details")


def detail_problem(value: object) -> str:
    """Say what is wrong with a free text, or nothing."""
    if not isinstance(value, str) or not value.strip():
        return "is empty; leave it out"
    if len(value) > MAX_DETAIL:
        return f"has more than {MAX_DETAIL} characters; attach a document instead"
    return "" if all(c.isprintable() or c in "\r\n\t" for c in value) else "holds a control character"


def _is_attached(value: object) -> bool:
    match value:
        case {"name": str() as name, "salt": str() as salt, **more} if not more:
            return 0 < len(name) <= 255 and name.isprintable() and len(salt) == 64 and _HEX.issuperset(salt)
    return False


_HEX = frozenset("0123456789abcdef")


def _by_schema(form: Form, claims: Mapping[str, Any]) -> Iterator[Problem]:
    import jsonschema

    for name in claims.keys() - {one.name for one in form.questions}:
        yield Problem(name[:80], "is not asked here")
    for name in form.schema["required"]:
        if name not in claims:
            yield Problem(name, _open(form.question(name), claims))
    for error in jsonschema.Draft202012Validator(form.schema).iter_errors(dict(claims)):
        if error.absolute_path:
            name = str(error.absolute_path[0])
            yield Problem(name, _sentence(error, form.question(name)))


def _open(question: Question | None, claims: Mapping[str, Any]) -> str:
    """Say what is missing: an answer, or in what follows from others, answers that go together."""
    computed = question.computed if question else None
    if computed is None or computed.of(claims) is not None or not computed.parts <= claims.keys():
        return "is not answered"
    return f"cannot be computed from {_of(computed)}"


def _sentence(error: Any, question: Question | None) -> str:
    value = error.validator_value
    match error.validator:
        case "type":
            return "is " + {"integer": "a whole number", "boolean": "yes or no", "array": "a list"}.get(value, "text")
        case "enum":
            return f"is one of {', '.join(str(one) for one in value)}"
        case "minimum" | "minItems" | "minLength":
            return f"is at least {value}"
        case "maximum" | "maxItems" | "maxLength":
            return f"is at most {value}"
        case "uniqueItems":
            return "names something twice"
        case "pattern":
            return _form_of(question, value)
        case _:
            return "does not go with the other answers"


def _form_of(question: Question | None, pattern: str) -> str:
    match question.kind if question else None:
        case Kind.DATE:
            return "is a day such as 2026-11-22"
        case Kind.FILE:
            return "is the digest of an attached document"
        case _:
            hint = f": {question.description}" if question and question.description else ""
            return f"has another form than {pattern}{hint}"


def _beyond(form: Form, claims: Mapping[str, Any], day: date) -> Iterator[Problem]:
    for question in form.questions:
        value = claims.get(question.name)
        said = "" if value is None else _impure(value) or _wrong(question, value, claims, day)
        if said:
            yield Problem(question.name, said)


def _impure(value: object) -> str:
    """Say that a text holds what `$` of a pattern lets through at its end, or what no claim holds."""
    texts = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
    clean = all(text.isascii() and text.isprintable() for text in texts)
    return "" if clean else "holds a line break or a letter beyond ASCII"


def _wrong(question: Question, value: Any, claims: Mapping[str, Any], day: date) -> str:
    if question.kind is Kind.DATE:
        return _wrong_day(question, value, day)
    if question.computed is not None:
        right = question.computed.of(claims)
        if right is None:
            return f"cannot be computed from {_of(question.computed)}"
        return "" if value == right else f"is {right}, by {_of(question.computed)}"
    other = claims.get(question.within) if question.within else None
    if question.within and isinstance(value, list) and isinstance(other, list):
        beyond = sorted(str(one) for one in value if one not in other)
        return f"names {', '.join(beyond[:3])}, which {question.within} does not" if beyond else ""
    return ""


def _of(computed: Share | Span) -> str:
    match computed:
        case Share(part, whole):
            return f"{part} of {whole}"
        case Span(start, end):
            return f"the days from {start} to {end}"


def _wrong_day(question: Question, value: Any, day: date) -> str:
    try:
        given = date.fromisoformat(value)
    except (TypeError, ValueError):
        return "is a day such as 2026-11-22"
    if question.days is None:
        return ""
    try:
        first, last = (day + timedelta(days=offset) for offset in question.days)
    except OverflowError:
        return "cannot be compared with the day of signing"
    return "" if first <= given <= last else f"lies between {first} and {last} for what is signed on {day}"
