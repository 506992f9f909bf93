"""The numbers that a page states, and where the JSON of its line for the terminal holds the same ones.

A page marks each number with the macro `parts.count`; `data-count` is a path such as

counts.satisfied                          a number
frameworks[id=atlas].mapped               of the one that has this value
statements#                               how many there are
controls[id^=DAT-][state=pending]#        how many of them
classes.due                               of all of them together
sources[key=f00d]*.statements             of these together, if there are any

or several of these with ` + ` and ` - ` between them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from jinja2 import Environment, meta, nodes

_STEP = re.compile(r"(?P<name>[^.\[\]#*]*)(?P<chosen>(?:\[[^\]]*\])*)(?P<many>[#*]?)(?:\.|$)")
_CHOICE = re.compile(r"\[([^=^\]]+)(\^?=)([^\]]*)\]")
_TERM = re.compile(r" ([+-]) ")
_PRINTS = re.compile(r"\|\s*(number|plural|length|sum|count)\b")
_MARK = re.compile(r"<data [^>]*>([\d,]*)</data>")
_MARKED = re.compile(r"\b(parts\.(count|stat)|count)\(")
_WORD = re.compile(r'"[^"]*" if ')  # a verb in one of its forms
_ALONE = re.compile(r"\d[\d,]*( of \d[\d,]*)?")
_PATH_OF = {"count": 0, "stat": 1}  # which argument of the macro is the path
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "use", "col", "polyline"})


@dataclass(frozen=True, slots=True)
class Stated:
    """A marked number: where the JSON has it, and of which line where that is not the page's own."""

    path: str
    value: int
    line: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says: its line for the terminal, its marked numbers, and numbers that stand alone without a mark."""

    terminal: str
    stated: tuple[Stated, ...]
    bare: tuple[str, ...]


@dataclass
class _Reader(HTMLParser):
    """Walk through a page; elements that are open stand in `around` with their classes."""

    around: list[tuple[str, str]] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        given = {name: value or "" for name, value in attrs}
        if "data-count" in given:
            self.stated.append(Stated(given["data-count"], int(given["value"]), given.get("data-line", "")))
        if tag not in _VOID:
            self.around.append((tag, given.get("class", "")))

    def handle_endtag(self, tag: str) -> None:
        """Close it, and what was left open in it."""
        while self.around and self.around.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Look at a text."""
        tags = {name for name, _ in self.around}
        if "code" in tags and any("foot" in classes for _, classes in self.around):
            self.codes.append(data)
        elif _ALONE.fullmatch(data.strip()) and not tags & {"data", "a", "time", "code", "pre", "option", "button"}:
            self.bare.append(data.strip())


def read(page: str) -> Page:
    """Return what a page says."""
    reader = _Reader()
    reader.feed(page)
    return Page(reader.codes[0] if reader.codes else "", tuple(reader.stated), tuple(reader.bare))


def plain(page: str) -> str:
    """Return a page without the marks around its numbers, so that a sentence can be looked for in it."""
    return _MARK.sub(r"\1", page)


def at(document: Any, path: str) -> int:
    """Return the number to which a path leads; raise `LookupError` where it leads to none."""
    first, *rest = _TERM.split(path)
    total = _term(document, first)
    for sign, term in zip(rest[::2], rest[1::2], strict=True):
        total += _term(document, term) if sign == "+" else -_term(document, term)
    return total


def _term(document: Any, term: str) -> int:
    if term.isdecimal():
        return int(term)
    found, place = document, 0
    while place < len(term):
        step = _STEP.match(term, place)
        if step is None:
            raise LookupError(f"{term!r} is no path")
        found = _taken(found, step)
        place = step.end()
    if isinstance(found, list) and all(type(one) is int for one in found):
        return sum(found)
    if type(found) is not int:
        raise LookupError(f"{term!r} leads to {found!r:.60}")
    return found


def _taken(found: Any, step: "re.Match[str]") -> Any:
    if step["name"]:
        found = [one[step["name"]] for one in found] if isinstance(found, list) else found[step["name"]]
    choices = _CHOICE.findall(step["chosen"])
    if choices:
        found = [one for one in found if all(_fits(one, *choice) for choice in choices)]
    if step["many"] == "#":
        return len(found)
    if step["many"] == "*" or not choices:
        return found
    if len(found) != 1:
        raise LookupError(f"{step[0]!r} chooses {len(found)}")
    return found[0]


def _fits(one: Any, name: str, how: str, value: str) -> bool:
    for part in name.split("."):
        one = None if one is None else one[part]
    said = "null" if one is None else str(one).lower() if isinstance(one, bool) else str(one)
    return said.startswith(value) if how == "^=" else said == value


def unmarked(environment: Environment, template: str) -> list[tuple[int, str]]:
    """Return the line and text of each expression of a template that prints a number and does not mark it."""
    assert environment.loader is not None
    source = environment.loader.get_source(environment, template)[0]
    found, begun, words = [], 0, ""
    for line, kind, text in environment.lex(source):
        if kind == "variable_begin":
            begun, words = line, ""
        elif kind == "variable_end":
            printed = words.strip()
            if _PRINTS.search(printed) and not _MARKED.search(printed) and not _WORD.match(printed):
                found.append((begun, printed))
        else:
            words += text
    return found


def marked(environment: Environment, template: str) -> list[tuple[int, str]]:
    """Return the line of each mark of a template, and a pattern of the paths that it can give."""
    calls = ((call, _called(call.node)) for call in _tree(environment, template).find_all(nodes.Call))
    return [(call.lineno, _pattern(call.args[_PATH_OF[name]])) for call, name in calls if name in _PATH_OF]


def with_parts(environment: Environment, templates: Iterable[str]) -> set[str]:
    """Return templates, and all that these extend, include or import."""
    waiting, found = set(templates), set[str]()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= {one for one in meta.find_referenced_templates(_tree(environment, name)) if one} - found
    return found


def _tree(environment: Environment, template: str) -> nodes.Template:
    assert environment.loader is not None
    return environment.parse(environment.loader.get_source(environment, template)[0])


def _called(node: nodes.Node) -> str:
    match node:
        case nodes.Name(name=name) | nodes.Getattr(node=nodes.Name(name="parts"), attr=name):
            return str(name)
        case _:
            return ""


def _pattern(path: nodes.Node) -> str:
    match path:
        case nodes.Const():
            return re.escape(str(path.value))
        case nodes.Concat():
            return "".join(map(_pattern, path.nodes))
        case nodes.CondExpr():
            return f"(?:{_pattern(path.expr1)}|{_pattern(path.expr2) if path.expr2 else ''})"
        case _:
            return ".*"
