"""What people declare of an AI system: a YAML file in which each sentence has its author and its day.

system: 0123456789ab
form: full
window: {from: 2026-09-01, to: 2026-11-20}
uses: {dataset: [scans-2026], model: [triage-7b]}
points:
  iv-1:
  - {text: …, author: Head of Product, date: 2026-11-21, rests_on: [12]}
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ringfence.exports.annexiv.points import USES, points
from ringfence.obligations import placeholders, reading
from ringfence.obligations.placeholders import Problem
from ringfence.obligations.reading import Document, Path

MAX_DECLARATION = 256 * 2**10
FULL = "full"
SIMPLIFIED = "simplified"
_TOP = frozenset({"system", "form", "simplified_because", "window", "uses", "points"})
_SENTENCE = frozenset({"text", "author", "date", "rests_on"})
_SYSTEM = re.compile(r"[0-9a-f]{12}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MAX_SENTENCES = 500


@dataclass(frozen=True, slots=True)
class Sentence:
    """Somebody's word."""

    line: int
    text: str
    author: str
    on: date
    rests_on: tuple[int, ...]  # entries of records that it concludes from


@dataclass(frozen=True, slots=True)
class Declaration:
    """All that people say of one system; `problems` is what keeps it from leaving."""

    system: str
    form: str
    simplified_because: str
    since: date | None
    until: date | None  # the end of the window of evidence
    uses: Mapping[str, tuple[str, ...]]
    points: Mapping[str, tuple[Sentence, ...]]
    problems: tuple[Problem, ...]


def parse(data: bytes, *, source: str) -> Declaration:
    """Read a declaration: strict as to its form, and with every problem of its sentences.

    Raises:
        MalformedInput: with line and column, for what is no declaration at all.
    """
    document = reading.parse(data, source=source)
    top = _mapping(document, (), _TOP)
    system = top.get("system")
    if not isinstance(system, str) or not _SYSTEM.fullmatch(system):
        raise document.error(("system",), "a system is named by its id, twelve hexadecimal digits: `ringfence scope`")
    problems = list(_form(document, top))
    window = _mapping(document, ("window",), frozenset({"from", "to"}))
    return Declaration(
        system,
        str(top.get("form") or FULL),
        str(top.get("simplified_because") or ""),
        _day(document, ("window", "from"), window.get("from")),
        _day(document, ("window", "to"), window.get("to")),
        _uses(document),
        _points(document, problems),
        tuple(problems),
    )


def _mapping(document: Document, path: Path, known: frozenset[str]) -> dict[str, Any]:
    """Return the mapping at a place, nothing where it is left open; refuse keys that mean nothing."""
    value: Any = document.value
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return {}
    if not isinstance(value, dict) or not value.keys() <= known:
        raise document.error(path, f"here stand {', '.join(sorted(known))}, and nothing else")
    return value


def _form(document: Document, top: Mapping[str, Any]) -> Iterator[Problem]:
    form, because = top.get("form") or FULL, top.get("simplified_because")
    if form not in (FULL, SIMPLIFIED) or not isinstance(because, str | None):
        raise document.error(("form",), f"the form is {FULL} or {SIMPLIFIED}")
    if form == SIMPLIFIED and (said := placeholders.problem(because or "")):
        yield Problem(_line(document, ("simplified_because",)), "simplified_because", said)


def _line(document: Document, path: Path) -> int:
    return next(document.places[path[:n]][0] for n in range(len(path), -1, -1) if path[:n] in document.places)


def _day(document: Document, path: Path, value: object) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value) if isinstance(value, str) else _refused(document, path)
    except ValueError:
        return _refused(document, path)


def _refused(document: Document, path: Path) -> date:
    raise document.error(path, "is a day such as 2026-11-22")


def _uses(document: Document) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for kind, names in _mapping(document, ("uses",), frozenset(USES)).items():
        given = names if isinstance(names, list) else [] if names is None else [names]
        if len(given) > _MAX_SENTENCES or not all(isinstance(one, str) and _NAME.fullmatch(one) for one in given):
            raise document.error(("uses", kind), "is a list of names or ids")
        found[kind] = tuple(given)
    return found


def _points(document: Document, problems: list[Problem]) -> dict[str, tuple[Sentence, ...]]:
    found: dict[str, tuple[Sentence, ...]] = {}
    for point, rows in _mapping(document, ("points",), frozenset(one.id for one in points())).items():
        if rows is not None and (not isinstance(rows, list) or len(rows) > _MAX_SENTENCES):
            raise document.error(("points", point), "is a list of sentences, each with text, author and date")
        made = (_sentence(document, ("points", point, index), row, problems) for index, row in enumerate(rows or ()))
        found[point] = tuple(one for one in made if one is not None)
    return found


def _sentence(document: Document, path: Path, row: Any, problems: list[Problem]) -> Sentence | None:
    if not isinstance(row, dict) or not row.keys() <= _SENTENCE:
        raise document.error(path, f"a sentence has {', '.join(sorted(_SENTENCE))}")
    line = _line(document, path)
    field = f"{path[1]}[{path[2]}]"
    text, author = (row.get(name) if isinstance(row.get(name), str) else "" for name in ("text", "author"))
    if not text and not author and row.get("date") is None:
        return None  # left open in the template: the point says that nothing is stated
    rests = row.get("rests_on") or []
    if not isinstance(rests, list) or not all(type(one) is int and one >= 0 for one in rests):
        raise document.error((*path, "rests_on"), "is a list of entries of the log")
    on = _day(document, (*path, "date"), row.get("date"))
    said = {
        "text": placeholders.problem(text or ""),
        "author": placeholders.problem(author or "", least_words=1),
        "date": "" if on else "is not stated: a declared sentence has its day",
    }
    problems += [Problem(_line(document, (*path, k)), f"{field}.{k}", why) for k, why in said.items() if why]
    return Sentence(line, text or "", author or "", on or date.min, tuple(rests))


def template(system: str) -> str:
    """Return the file to fill in; what is left open is said to be missing, never filled in for anybody."""
    lines = [
        "# What people declare of one AI system. Each sentence has its author (a role) and its day; what the log's",
        "# records say is filled in by `ringfence report annex-iv`. A point without either is said to be missing.",
        "# The comments below the headings are our suggestions, not the text of the act.",
        f"system: {system}",
        f"form: {FULL}  # or {SIMPLIFIED}, for SMEs and small mid-caps; then say why",
        "simplified_because:",
        "window:  # of the evidence; no report before it closes",
        "  from:",
        "  to:",
        "uses:  # names or ids of what belongs to the system",
        *(f"  {kind}: []" for kind in USES),
        "points:",
    ]
    for point in points():
        lines += [f"  {point.id}:  # {point.heading}", *(f"  # {prompt}" for prompt in point.prompts)]
        lines += ["  - text:", "    author:", "    date:", "    rests_on: []"]
    return "\n".join(lines) + "\n"
