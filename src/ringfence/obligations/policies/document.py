"""Read a policy: a header between two lines of `---`, headings, and paragraphs that each begin with a mark.

    ---
    policy: logging
    version: "1.0"
    ---
    # Logging policy

    ## What is logged {scope}

    {{declared: Head of Platform, 2026-11-22}}
    Every deployment writes one record for each answer.

    {{observed: control LOG-02}}
    The log is checked every day.

A paragraph that begins with `>` explains and claims nothing. Strict and bounded; what can be read although something
is wrong is read, so that all that is wrong is said at once.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.placeholders import Problem
from ringfence.obligations.policies.model import Broken, Declared, Observed, Passage, Policy, Section

MAX_POLICY = 256 * 2**10
KEYS = ("policy", "version", "owner", "approved-by", "approved-on", "next-review", "topic-policies")
_LINE = re.compile(r"([a-z-]{1,30}):[ \t]*(.{0,300})")
# No two parts of a pattern take the same blanks: a long row of them would be divided in every way.
_HEADING = re.compile(r"(#{1,4}) ([^{}]{1,200})(?:\{([a-z0-9 -]{1,400})\})?")
_MARK = re.compile(r"\{\{(declared|observed):([^{}\n]{1,200})\}\}(.*)", re.DOTALL)
_NAMED = re.compile(r"(?:control|rule)[ \t]+([A-Za-z]{3}-[0-9]{2}(?:\.[a-z0-9-]{1,40})?)")
_WHO = re.compile(r"([^,\n]{2,120}),[ \t]*(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines without an empty one between them; the first is line `line`."""

    line: int
    text: str


def parse(data: bytes, *, source: str) -> Policy:
    """Return the policy in `data`.

    Raises:
        MalformedInput: it is no text, or too large, or has no header.
    """
    if len(data) > MAX_POLICY:
        raise MalformedInput(f"a policy has at most {MAX_POLICY} bytes, not {len(data)}", source=source)
    try:
        lines = data.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedInput("not UTF-8 text", source=source) from error
    if not all(c.isprintable() or c == "\t" for line in lines for c in line):
        raise MalformedInput("the text holds a control character", source=source)
    if lines[0].strip() != "---" or "---" not in (line.strip() for line in lines[1:]):
        raise MalformedInput("a policy begins with a header between two lines of ---; see `policy template`", line=1)
    end = next(index for index, line in enumerate(lines[1:], 1) if line.strip() == "---")
    problems: list[Problem] = []
    header, places = _header(lines[1:end], problems)
    title, sections = _body(list(_blocks(lines, end + 1)), problems)
    return Policy(header, places, title, tuple(sections), tuple(problems))


def _header(lines: Sequence[str], problems: list[Problem]) -> tuple[dict[str, str], dict[str, int]]:
    found: dict[str, str] = {}
    places: dict[str, int] = {}
    for number, line in enumerate(lines, 2):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None or match[1] not in KEYS or match[1] in found:
            problems.append(Problem(number, "header", f"a header has each of {', '.join(KEYS)} at most once"))
            continue
        found[match[1]], places[match[1]] = match[2].strip().strip("\"'"), number
    return found, places


def _blocks(lines: Sequence[str], start: int) -> Iterator[_Block]:
    held: list[str] = []
    for number, line in enumerate((*lines[start:], ""), start + 1):
        heading = line.startswith("#")
        if held and (not line.strip() or heading):
            yield _Block(number - len(held), "\n".join(held))
            held = []
        if heading:
            yield _Block(number, line)
        elif line.strip():
            held.append(line.strip())


def _body(blocks: Sequence[_Block], problems: list[Problem]) -> tuple[str, list[Section]]:
    title, sections, held = "", list[Section](), list[Passage]()
    for block in blocks:
        if not block.text.startswith("#"):
            held += _passages(block, problems)
            continue
        match = _HEADING.fullmatch(_joined(block.text))
        if match is None:
            problems.append(Problem(block.line, "heading", "a heading is #, a title, and {parts} at most"))
            continue
        sections, held = _closed(sections, held), []
        title = title or match[2].strip()
        sections.append(Section(block.line, match[2].strip(), tuple((match[3] or "").split()), ()))
    return title, _closed(sections, held)


def _closed(sections: list[Section], held: list[Passage]) -> list[Section]:
    """Return the sections with what stood below the last heading; what stands above all gets one without a title."""
    if not held:
        return sections
    last = sections[-1] if sections else Section(held[0].line, "", (), ())
    return [*sections[:-1], Section(last.line, last.title, last.parts, tuple(held))]


def _passages(block: _Block, problems: list[Problem]) -> list[Passage]:
    if block.text.startswith((">", "<!--")):
        return []
    match = _MARK.fullmatch(block.text)
    if match is None:
        return [Passage(block.line, _joined(block.text), None)]
    try:
        mark: Declared | Observed | Broken = _mark(match[1], match[2].strip())
    except MalformedInput as error:
        problems.append(Problem(block.line, match[1], str(error)))
        mark = Broken()
    return [Passage(block.line, _joined(match[3]), mark)]


def _joined(text: str) -> str:
    return " ".join(text.split())


def _mark(kind: str, text: str) -> Declared | Observed:
    if kind == "observed":
        named = _NAMED.fullmatch(text)
        if named is None:
            raise MalformedInput("observed names a control or a rule: {{observed: control LOG-02}}")
        return Observed(named[1].lower())
    who = _WHO.fullmatch(text)
    if who is None:
        raise MalformedInput("declared names who says so and since when: {{declared: Head of Platform, 2026-11-22}}")
    try:
        return Declared(who[1].strip(), date.fromisoformat(who[2]))
    except ValueError as error:
        raise MalformedInput(f"{who[2]} is no day") from error
