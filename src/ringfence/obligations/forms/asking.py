"""Ask a person the questions of a form, one after the other. What they do not know ends it: nothing is assumed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.obligations.forms import answering, template
from ringfence.obligations.forms.checking import detail_problem
from ringfence.obligations.forms.model import Attached, Filling, Form, Kind, Question


@dataclass(slots=True)
class Interview:
    """A conversation over a terminal, or over whatever answers.

    Attributes:
        ask: puts a line and returns the answer; raises EOFError where nobody answers any more.
        tell: says a line.
        attach: reads a document by its path.
    """

    ask: Callable[[str], str]
    tell: Callable[[str], None]
    attach: Callable[[str], Attached]
    _claims: dict[str, Any] = field(default_factory=dict)
    _files: dict[str, Attached] = field(default_factory=dict)

    def hold(self, form: Form, subject: str = "") -> Filling:
        """Ask everything; raise `UsageError` where the person does not know, or stops."""
        for line in (f"{form.type}: {form.title}", f"Shows: {form.shows}", f"Does not show: {form.does_not_show}"):
            self.tell(line)
        self.tell("Answer ? where you do not know: it ends here then, and nothing is signed.")
        if template.asks_subject(form) and not subject:
            subject = self._answer(form, form.about.title, "", str.strip)
        for question in form.questions:
            if question.kind is not Kind.COMPUTED:
                self._put(form, question)
        return Filling(self._claims, subject, dict(self._details(form)), self._files)

    def _put(self, form: Form, question: Question) -> None:
        how = ". ".join(filter(None, (question.description.rstrip("."), template.how(question))))
        if question.kind is Kind.FILE:
            self._files[question.name] = self._answer(form, question.title, "path of the document", self.attach)
            return

        def taken(text: str) -> Any:
            value = answering.value_of(question, "" if text.strip() in ("[]", "none") else text)
            if question.kind is Kind.CHOICE and value not in question.choices:
                raise MalformedInput("take one of the words")
            return value

        self._claims[question.name] = self._answer(form, question.title, how, taken)

    def _answer(self, form: Form, title: str, how: str, taken: Callable[[str], Any]) -> Any:
        self.tell("")
        self.tell(title)
        if how:
            self.tell(f"  {how}")
        while True:
            text = self._line(form, "> ")
            if answering.is_unknown(text):
                raise UsageError(
                    f"you do not know an answer of {form.type}: {title!r}; find out first; nothing was signed"
                )
            if not text.strip():
                self.tell("  (an answer is needed; for an empty list write none)")
                continue
            try:
                return taken(text)
            except UsageError as error:
                self.tell(f"  {error}")

    def _details(self, form: Form) -> Iterator[tuple[str, str]]:
        if form.details:
            self.tell("")
            self.tell("Free text, kept in an erasable side record; an empty line leaves it out.")
        for name, title in form.details.items():
            self.tell(title)
            while text := self._line(form, "> ").strip():
                said = detail_problem(text)
                if not said:
                    yield name, text
                    break
                self.tell(f"  {said}")

    def _line(self, form: Form, prompt: str) -> str:
        try:
            return self.ask(prompt)
        except EOFError as error:
            raise UsageError(f"{form.type} was left before its end; nothing was signed") from error
