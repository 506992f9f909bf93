"""A form as a commented YAML file to fill in. Every answer is left open: nothing is assumed of anybody."""

import textwrap
from collections.abc import Iterator

from ringfence.obligations.forms.model import Form, Kind, Question

_WIDTH = 100
_HOW = {
    Kind.COUNT: "a whole number",
    Kind.DATE: "a day, such as 2026-11-22",
    Kind.YESNO: "true or false",
    Kind.TEXT: "",
    Kind.NAMES: "a list of short names, such as [first, second]; [] for none",
}


def template(form: Form) -> str:
    """Return the file."""
    return "\n".join(_lines(form)) + "\n"


def _lines(form: Form) -> Iterator[str]:
    yield from _comment(f"{form.type}: {form.title}.")
    yield from _comment(f"Shows: {form.shows}")
    yield from _comment(f"Does not show: {form.does_not_show}")
    yield from _comment(
        f"Fill it in, then: ringfence record {form.type} --file FILE. Whoever signs stands for every answer. If you do "
        "not know one, find out first: a form with an open answer is refused, and nothing is filled in for you."
    )
    if asks_subject(form):
        yield ""
        yield from _comment(f"{form.about.title} (short name: lower-case letters, digits, hyphens)")
        yield "subject:"
    yield ""
    yield "claims:"
    for question in form.questions:
        if question.kind not in (Kind.FILE, Kind.COMPUTED):
            yield from _asked(question)
    yield from _rest(form)


def asks_subject(form: Form) -> bool:
    """Return whether a person has to say what it is about."""
    return form.about.kind != "organisation" and not form.about.claim


def how(question: Question) -> str:
    """Say how a question is answered."""
    match question.kind:
        case Kind.CHOICE:
            return f"one of: {', '.join(question.choices)}"
        case Kind.PARTS:
            return f"a list of some of: {', '.join(question.choices)}; [] for none"
        case _:
            return _HOW.get(question.kind, "")


def _asked(question: Question) -> Iterator[str]:
    for text in (question.title, question.description, how(question)):
        yield from _comment(text, "  ")
    yield f"  {question.name}:"


def _rest(form: Form) -> Iterator[str]:
    files = form.of_kind(Kind.FILE)
    if files:
        yield ""
        yield from _comment(
            "Documents, by their paths. They stay with you: a salted digest is signed, nothing is sent."
        )
        yield "files:"
        for question in files:
            yield from _comment(" ".join(filter(None, (question.title, question.description))), "  ")
            yield f"  {question.name}:"
    if form.details:
        yield ""
        yield from _comment("Free text and names: an erasable side record, of which the signature holds a commitment.")
        yield "details:"
        for name, title in form.details.items():
            yield from _comment(title, "  ")
            yield f"  {name}:"


def _comment(text: str, indent: str = "") -> Iterator[str]:
    start = f"{indent}# "
    yield from textwrap.wrap(text, _WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)
