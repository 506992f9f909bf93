"""The Record pages: which evidence there is and where it comes from; a form to fill, on its way to its signature."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Pages, Prepare, View
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.forms import answering, shelf, template
from ringfence.obligations.forms.model import Attached, Filling, Form, Kind, Problem, Question
from ringfence.obligations.forms.service import Forms
from ringfence.obligations.producers import Way

Reader = Annotated[Person, Depends(require("status.read"))]
Signer = Annotated[Person, Depends(require("act.sign"))]  # what is signed asks for an action of its own
Name = Annotated[str, Path(max_length=80)]
PAGE = "/record"
MAX_FIELDS = 500
NONE = "none"
_ATTACHED = re.compile(r"([0-9a-f]{64}) (sha256:[0-9a-f]{64}) (.{1,255})")


async def fields_of(request: Request) -> dict[str, list[str]]:
    """Return every field of a form with all its values."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qs(body, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise MalformedInput(f"a form has at most {MAX_FIELDS} fields") from error


Fields = Annotated[dict[str, list[str]], Depends(fields_of)]


@dataclass(frozen=True, slots=True)
class Sent:
    """What came back from the page: the answers as far as they are any, and what is wrong with the others."""

    filling: Filling
    texts: Mapping[str, Sequence[str]]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class FormPages:
    """The pages over the use cases."""

    forms: Forms
    pages: Pages
    prepare: Prepare

    def listed(self, request: Request, caller: Person) -> Response:
        """Return every evidence type."""
        view = View("Which evidence is there, and who states it?", "ringfence record --list", caller)
        kinds = self.forms.kinds(caller.tenant)
        return self.pages.respond(request, "forms.html", view, kinds=kinds, form=Way.FORM)

    def shown(self, request: Request, caller: Person, form: Form, sent: Sent | None = None) -> Response:
        """Return one form, empty or as it came back."""
        wrong: dict[str, str] = {}
        for problem in sent.problems if sent else ():
            wrong.setdefault(problem.field, problem.message)
        view = View(f"{form.title}: can you say so?", f"ringfence record {form.type}", caller)
        facts: dict[str, Any] = {
            "form": form,
            "asked": [one for one in form.questions if one.kind is not Kind.COMPUTED],
            "how": template.how,
            "about": self.forms.known(caller.tenant, form),
            "asks_subject": template.asks_subject(form),
            "kind": self.forms.kind(caller.tenant, form),
            "counted": self.forms.counted(caller.tenant, form),
            "texts": sent.texts if sent else {},
            "wrong": wrong,
        }
        return self.pages.respond(request, "form.html", view, status=422 if wrong else 200, **facts)

    def filled(self, request: Request, caller: Person, form: Form, fields: Mapping[str, list[str]]) -> Response:
        """Lead to the page on which it is signed, or back with what is wrong beside each question."""
        sent = read(form, fields)
        named = {problem.field for problem in sent.problems}
        found = self.forms.wrong(caller.tenant, form, sent.filling)
        problems = (*sent.problems, *(problem for problem in found if problem.field not in named))
        if problems:
            return self.shown(request, caller, form, Sent(sent.filling, sent.texts, problems))
        draft = self.forms.draft(caller.tenant, form, sent.filling)
        return RedirectResponse(self.prepare(caller, draft, form.type), status_code=303)


def read(form: Form, fields: Mapping[str, list[str]]) -> Sent:
    """Take the fields of a page apart."""
    claims: dict[str, Any] = {}
    files: dict[str, Attached] = {}
    problems = []
    for question in form.questions:
        values = fields.get(question.name, [])
        try:
            if question.kind is Kind.FILE:
                files |= _attached(question, values)
            elif question.kind is not Kind.COMPUTED and values:
                claims[question.name] = _answer(question, values)
        except MalformedInput as error:
            problems.append(Problem(question.name, str(error).removeprefix(f"{question.name}: ")))
    texts = {name: _last(fields, f"details.{name}") for name in form.details}
    details = {name: text for name, text in texts.items() if text.strip()}
    subject = _last(fields, "subject").strip()
    return Sent(Filling(claims, subject, details, files), fields, tuple(problems))


def _answer(question: Question, values: list[str]) -> Any:
    """Return an answer; that a list is empty is an answer which somebody gives in words."""
    text = " ".join(values).strip()
    if question.kind in (Kind.PARTS, Kind.NAMES):
        if not text:
            raise MalformedInput(f"is not answered; {NONE} is an answer", source=question.name)
        return [] if text == NONE else answering.value_of(question, text)
    return answering.value_of(question, text)


def _attached(question: Question, values: list[str]) -> dict[str, Attached]:
    """Read what the page's script wrote of a document: salt, digest and name; the document never left the browser."""
    text = values[-1] if values else ""
    if not text:
        return {}
    match = _ATTACHED.fullmatch(text)
    if match is None:
        raise MalformedInput("is the digest of an attached document")
    return {question.name: Attached(match[3], bytes.fromhex(match[1]), Digest.parse(match[2]))}


def _last(fields: Mapping[str, list[str]], name: str) -> str:
    return (fields.get(name) or [""])[-1]


def router(forms: Forms, pages: Pages, prepare: Prepare) -> APIRouter:
    """Return the Record pages."""
    routes = APIRouter(include_in_schema=False)
    shelves = FormPages(forms, pages, prepare)

    @routes.get(PAGE)
    def listed(request: Request, caller: Reader) -> Response:
        """Show every evidence type."""
        return shelves.listed(request, caller)

    @routes.get(PAGE + "/{form}")
    def one(request: Request, form: Name, caller: Reader) -> Response:
        """Show a form."""
        return shelves.shown(request, caller, shelf.form(form))

    @routes.post(PAGE + "/{form}")
    def fill(request: Request, form: Name, caller: Signer, fields: Fields) -> Response:
        """Take the answers, and prepare what the person signs."""
        return shelves.filled(request, caller, shelf.form(form), fields)

    return routes
