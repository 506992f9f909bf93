"""Questions of others: which of our controls each is about, as its file or a map says, and never a guess. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.customers.tables import Row
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import reading
from ringfence.obligations.model import Catalog, Control

MAX_MAP = 2**20
MAX_LISTED = 64  # ids, provisions or keywords of one question
MAX_POINTED = 6000  # of one questionnaire: each is looked for in every control
MAX_QUESTION = 8000
QUESTION = "question"
COLUMNS = ("id", QUESTION, "control", "provision", "keyword")
_PARTS = frozenset({"controls", "provisions", "keywords"})


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a question is about, as somebody wrote it down."""

    controls: tuple[str, ...] = ()
    provisions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()

    def __add__(self, other: "Pointer") -> "Pointer":
        """Return both."""
        return Pointer(
            self.controls + other.controls, self.provisions + other.provisions, self.keywords + other.keywords
        )


@dataclass(frozen=True, slots=True)
class Question:
    """One row of a questionnaire."""

    id: str
    text: str
    about: Pointer


@dataclass(frozen=True, slots=True)
class Matched:
    """A control that a question is about, and how it was found."""

    control: str
    how: str


def of_table(rows: Sequence[Row], mapped: Mapping[str, Pointer], *, source: str) -> tuple[Question, ...]:
    """Return the questions of a table; the map points at questions by id, or by their place: 1, 2, 3."""
    places = _columns(rows[0], source)
    found = []
    for number, row in enumerate(rows[1:], start=1):
        given = {name: row[at].strip() for name, at in places.items()}
        name = given.get("id") or str(number)
        written = Pointer(*(_listed(given.get(column, "")) for column in ("control", "provision", "keyword")))
        found.append(Question(name[:200], given[QUESTION], written + mapped.get(name, Pointer())))
    unknown = mapped.keys() - {one.id for one in found}
    if unknown:
        raise MalformedInput(f"the map points at {min(unknown)[:40]!r}, and no question is called that")
    return tuple(found)


def read_map(data: bytes, *, source: str) -> Mapping[str, Pointer]:
    """Read `questions: {ID: {controls: […], provisions: […], keywords: […]}}`; raise `MalformedInput`."""
    if len(data) > MAX_MAP:
        raise MalformedInput(f"a map has at most {MAX_MAP} bytes", source=source)
    document = reading.parse(data, source=source)
    if not isinstance(document.value, dict) or document.value.keys() != {"questions"}:
        raise document.error((), "a map has questions, and nothing else")
    named = document.value["questions"]
    if not isinstance(named, dict):
        raise document.error(("questions",), "questions is a list of ids with what each is about")
    return {name: _pointer(document, name, value) for name, value in named.items()}


def pointed(question: Question) -> int:
    """Return at how many things a question points."""
    return len(question.about.controls) + len(question.about.provisions) + len(question.about.keywords)


def document(one: Question) -> dict[str, Any]:
    """Return a question for a program."""
    about = one.about
    return {
        "id": one.id,
        "text": one.text,
        "controls": list(about.controls),
        "provisions": list(about.provisions),
        "keywords": list(about.keywords),
    }


def match(catalog: Catalog, question: Question) -> tuple[Matched, ...]:
    """Return the controls that a question is about; none where nobody says so.

    Raises:
        MalformedInput: it names a control that there is not.
    """
    found: dict[str, list[str]] = {}
    known = {control.id for control in catalog.controls}
    for name in question.about.controls:
        if name not in known:
            raise MalformedInput(f"question {question.id[:40]!r} names the control {name[:40]!r}, which there is not")
        found.setdefault(name, []).append("named")
    for control in catalog.controls:
        for how in _of_provisions(control, question.about.provisions):
            found.setdefault(control.id, []).append(how)
        for how in _of_keywords(control, question.about.keywords):
            found.setdefault(control.id, []).append(how)
    return tuple(Matched(name, "; ".join(how)) for name, how in found.items())


def _of_provisions(control: Control, wanted: Iterable[str]) -> Iterable[str]:
    for text in wanted:
        for act, provisions in control.maps.items():
            if any(_same(f"{act} {one}", text) or _same(one, text) for one in provisions):
                yield f"provision {text} ({act})"


def _of_keywords(control: Control, wanted: Iterable[str]) -> Iterable[str]:
    for word in wanted:
        pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
        for place, text in (("title", control.title), ("requirement", control.requirement)):
            if pattern.search(text):
                yield f"keyword {word} in the {place}"
                break


def _same(one: str, other: str) -> bool:
    return one.casefold().replace(" ", "") == other.casefold().replace(" ", "")


def _columns(header: Row, source: str) -> dict[str, int]:
    names = [cell.strip().casefold() for cell in header]
    found = {name: names.index(name) for name in COLUMNS if name in names}
    if QUESTION not in found:
        raise MalformedInput(
            f"the header names a column {QUESTION}, and if you like id, control, provision, keyword", source=source
        )
    if any(names.count(name) > 1 for name in found):
        raise MalformedInput("the header names a column twice", source=source)
    return found


def _listed(text: str) -> tuple[str, ...]:
    """Take a cell of several apart, at semicolons."""
    found = tuple(part.strip() for part in text.split(";") if part.strip())
    if len(found) > MAX_LISTED:
        raise MalformedInput(f"a question points at {MAX_LISTED} things at most")
    return found


def _pointer(document: reading.Document, name: str, value: Any) -> Pointer:
    place = ("questions", name)
    if not isinstance(value, dict) or not value or not value.keys() <= _PARTS:
        raise document.error(place, f"a question points at {', '.join(sorted(_PARTS))}")
    for part, listed in value.items():
        if not isinstance(listed, list) or len(listed) > MAX_LISTED or not all(_is_word(one) for one in listed):
            raise document.error((*place, part), f"{part} is a list of at most {MAX_LISTED} texts")
    return Pointer(*(tuple(value.get(part, ())) for part in ("controls", "provisions", "keywords")))


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_QUESTION
