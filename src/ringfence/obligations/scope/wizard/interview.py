"""The wizard in a terminal: the same questions, one after the other; an empty line means don't know."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from ringfence.kernel.errors import UsageError
from ringfence.obligations.scope.difference import headline
from ringfence.obligations.scope.wizard import about_systems, cards, questions, turn
from ringfence.obligations.scope.wizard.model import UNKNOWN, Kind, Option, Question
from ringfence.obligations.scope.wizard.turn import Turn

_LISTED = 12  # options that are shown; of longer lists the words are taken as they are


@dataclass(slots=True)
class Interview:
    """A conversation over a terminal, or over whatever answers.

    Attributes:
        ask: puts a line and returns the answer; raises EOFError where nobody answers any more.
        tell: says a line.
        on: the day for which it is decided.
    """

    ask: Callable[[str], str]
    tell: Callable[[str], None]
    on: date
    _sheet: dict[str, list[str]] = field(default_factory=dict)
    _said: dict[str, str] = field(default_factory=dict)

    def hold(self) -> Turn:
        """Ask everything that matters, and return what it comes to."""
        self.tell("An empty line means: don't know. The answer then says what it could be, and what decides.")
        for question in questions.entity():
            self._put(question, question.name)
            if question.name == "customers":
                self._customers()
            self._so_far()
        self._further()
        self._systems()
        return turn.take(self._sheet, self.on)

    def _so_far(self) -> None:
        """Say what the last answer changed."""
        now = headline(turn.take(self._sheet, self.on).document)
        for subject, said in now.items():
            if self._said and self._said[subject] != said:
                self.tell(f"  {subject}: {said}")
        self._said = now

    def _further(self) -> None:
        """Ask what decides, until nothing new does."""
        if turn.take(self._sheet, self.on).enterprises:
            self._enterprises()
        asked: set[str] = set()
        while new := [one for one in turn.take(self._sheet, self.on).further if one.name not in asked]:
            asked.add(new[0].name)
            self._put(new[0], new[0].name)
            self._so_far()

    def _enterprises(self) -> None:
        for index in range(questions.MAX_ENTERPRISES):
            self.tell("")
            self.tell(f"Linked or partner enterprise {index + 1}")
            for question in questions.enterprise():
                self._put(question, f"e{index}.{question.name}")
            if not self._yes("Another one? [y/N] "):
                return

    def _customers(self) -> None:
        for word in turn.take(self._sheet, self.on).customers:
            if word != "consumers":
                self.tell("")
                self.tell(cards.GROUPS[word][0].capitalize())
                for question in questions.customer():
                    self._put(question, f"{word}.{question.name}")

    def _systems(self) -> None:
        self.tell("")
        answer = self._line("Do you provide or use an AI system? [y/n, empty: don't know] ").strip().lower()
        if answer in ("n", "no"):
            self._sheet["runs"] = ["no"]
        if answer not in ("y", "yes"):
            return
        for index in range(questions.MAX_SYSTEMS):
            self._sheet["systems"] = [str(index + 1)]
            self._system(f"s{index}")
            if not self._yes("Another AI system? [y/N] "):
                return

    def _system(self, place: str) -> None:
        for question in about_systems.system():
            self._put(question, f"{place}.{question.name}")
        asked: set[str] = set()
        while new := [one for one in self._open(place) if one.name not in asked]:
            asked.add(new[0].name)
            self._put(new[0], f"{place}.{new[0].name}")

    def _open(self, place: str) -> Iterable[Question]:
        card = next(card for card in turn.take(self._sheet, self.on).cards if card.place == place)
        return (*card.deeper, *card.product)

    def _put(self, question: Question, name: str) -> None:
        self.tell("")
        self.tell(f"{question.number}. {question.title}" if question.number else question.title)
        self.tell(f"  {question.why}")
        shown = [one for one in question.options if one.value != UNKNOWN]
        for number, option in enumerate(shown[:_LISTED], 1):
            self.tell(f"  {number} {option.label}")
        if len(shown) > _LISTED:
            self.tell(f"  … or a word: {', '.join(option.value for option in shown[_LISTED:])}")
        while True:
            self._sheet[name] = self._values(question, shown)
            wrong = turn.take(self._sheet, self.on).wrong.get(name)
            if wrong is None:
                return
            self.tell(f"  {wrong}")

    def _values(self, question: Question, shown: Sequence[Option]) -> list[str]:
        while True:
            text = self._line("several, with commas > " if question.kind is Kind.TICKS else "> ").strip()
            if not text:
                return [] if question.usual == UNKNOWN or not question.options else [question.usual]
            if not question.options:
                return [text]
            words = [word.strip() for word in text.split(",")] if question.kind is Kind.TICKS else [text]
            found = [_picked(word, shown) for word in words]
            if None not in found:
                return [value for value in found if value is not None]
            self.tell("  take a number of the list, a word of it, or an empty line")

    def _yes(self, prompt: str) -> bool:
        return self._line(prompt).strip().lower() in ("y", "yes")

    def _line(self, prompt: str) -> str:
        try:
            return self.ask(prompt)
        except EOFError as error:
            raise UsageError("the questions were left before their end; nothing was written") from error


def _picked(word: str, shown: Sequence[Option]) -> str | None:
    """Return the option that a number of the list, a value or a label names."""
    if word.isascii() and word.isdecimal() and 0 < int(word[:4]) <= min(len(shown), _LISTED):
        return shown[int(word) - 1].value
    low = word.lower()
    return next((one.value for one in shown if low in (one.value.lower(), one.label.lower())), None)
