"""A team's overrides of our rules: read files strictly, refuse whatever loosens, put the rest over the rules. Pure.

Only four things can be said, and each makes more be asked, but one: that a control does not apply, which changes
nothing until a person has signed exactly that file (`asides`). A file that is refused is refused whole, and so are all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations.asides import LONGEST
from ringfence.obligations.choices import OverrideFile, Overrides, SetAside
from ringfence.obligations.model import Catalog, Control, Requirement, Selection
from ringfence.obligations.reading import Document, Path

MAX_FILE = 64 * 2**10
MAX_ROWS = 500  # in one file
MAX_FILES = 50
MAX_DAYS = 3650
MAX_SENTENCES = 10
Known = TypeVar("Known", Requirement, Control)
_TARGETS = ("requirement", "control")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "requirement": ("freshness_days", "strength"),
    "control": ("does_not_prove", "not_applicable"),
}


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, and where it stands."""

    document: Document
    place: tuple[str, int]
    value: Mapping[str, Any]
    kind: str
    target: str

    def error(self, message: str, *path: str | int) -> MalformedInput:
        return self.document.error((*self.place, *path), message)


def apply(catalog: Catalog, documents: Sequence[Document]) -> Catalog:
    """Return the rules with a team's files over them, given in any order.

    Raises:
        MalformedInput: with file, line and column, of the first row that says anything else than is allowed.
    """
    ordered = sorted(documents, key=lambda document: document.source)
    if not ordered:
        return catalog
    rows = [row for document in ordered for row in _rows(document)]
    _check_once(rows)
    changed = dict(catalog.requirements)
    controls = {control.id: control for control in catalog.controls}
    aside: dict[str, SetAside] = {}
    for row in rows:
        if row.kind == "requirement":
            changed[row.target] = _stricter(row, _known(row, catalog.requirements))
        else:
            controls[row.target] = _franker(row, _known(row, controls))
            aside |= _set_aside(row)
    made = Overrides(tuple(OverrideFile(document.source, document.value) for document in ordered), aside)
    return replace(
        catalog,
        digest=Digest.of(catalog.digest.value + made.digest.value),
        requirements=changed,
        controls=tuple(controls.values()),
        overrides=made,
    )


def check_day(document: Document, today: date) -> None:
    """Raise `MalformedInput` where a file says that it was looked at on a day to come: its ends count from there."""
    value = document.value
    reviewed = _date(document, ("meta", "reviewed_on"), value["meta"]["reviewed_on"])
    if reviewed > today:
        raise document.error(("meta", "reviewed_on"), f"{reviewed} has not come yet; it is {today}")


def of_values(files: object) -> list[Document]:
    """Return the documents that a status carries as values; raise `MalformedInput` where they are none."""
    if not isinstance(files, list) or len(files) > MAX_FILES:
        raise MalformedInput(f"the overrides of a status are a list of at most {MAX_FILES} files")
    return [_of_value(file) for file in files]


def _of_value(file: object) -> Document:
    match file:
        case {"name": str() as name, "value": dict() as value, **more} if not more:
            return Document(name[:200], b"", value, {(): (1, 1)})
    raise MalformedInput("a file of overrides in a status has a name and a value")


def _rows(document: Document) -> list[_Row]:
    match document.value:
        case {"meta": dict() as meta, "overrides": list() as rows, **more} if not more and 1 <= len(rows) <= MAX_ROWS:
            _check_meta(document, meta)
            return [_row(document, index, value) for index, value in enumerate(rows)]
    raise document.error((), f"a file of overrides has meta, and overrides with 1 to {MAX_ROWS} rows")


def _check_meta(document: Document, meta: Mapping[str, Any]) -> None:
    match meta:
        case {"version": int() as version, "owner": str() as owner, "reviewed_on": str() as day, **more} if not more:
            if version is True or version != 1:
                raise document.error(("meta", "version"), "a file of overrides has version 1")
            _check_role(document, ("meta", "owner"), owner)
            _date(document, ("meta", "reviewed_on"), day)
        case _:
            raise document.error(("meta",), "meta has version 1, owner and reviewed_on")


def _row(document: Document, index: int, value: Any) -> _Row:
    place = ("overrides", index)
    if not isinstance(value, dict) or len(kinds := [name for name in _TARGETS if name in value]) != 1:
        raise document.error(place, "a row names exactly one requirement or one control")
    kind = kinds[0]
    allowed = {kind, "because", *_FIELDS[kind]}
    if unknown := sorted(map(str, value.keys() - allowed)):
        sentence = f"{unknown[0]!r} cannot be overridden; of a {kind} there are {' and '.join(_FIELDS[kind])}"
        raise document.error((*place, unknown[0]), sentence)
    row = _Row(document, place, value, kind, _text(document, (*place, kind), value[kind], 1, 60))
    _text(document, (*place, "because"), value.get("because"), 3, 200)
    if not value.keys() & set(_FIELDS[kind]):
        raise row.error(f"a row for a {kind} says {' or '.join(_FIELDS[kind])}")
    return row


def _check_once(rows: Sequence[_Row]) -> None:
    seen: dict[tuple[str, str], _Row] = {}
    for row in rows:
        first = seen.setdefault((row.kind, row.target), row)
        if first is not row:
            raise row.error(f"{row.target} is overridden in {first.document.source} already; once is enough", row.kind)


def _known(row: _Row, known: Mapping[str, Known]) -> Known:
    found = known.get(row.target)
    if found is None:
        raise row.error(f"no {row.kind} is called {row.target!r}", row.kind)
    return found


def _stricter(row: _Row, rule: Requirement) -> Requirement:
    changed = rule
    if "freshness_days" in row.value:
        changed = replace(changed, freshness=_shorter(row, rule))
    if "strength" in row.value:
        changed = replace(changed, strength=_stronger(row, rule), floor=rule.strength)
    return changed


def _shorter(row: _Row, rule: Requirement) -> timedelta:
    if rule.selection is Selection.EVERY:
        raise row.error(
            "it counts everything within its period: a shorter one would look back less far", "freshness_days"
        )
    days = row.value["freshness_days"]
    if type(days) is not int or not 1 <= days <= MAX_DAYS:
        raise row.error(f"a period is a number of days from 1 to {MAX_DAYS}", "freshness_days")
    period = timedelta(days=days)
    if rule.freshness is not None and period >= rule.freshness:
        ours = f"{rule.freshness.days} days" + (", by law" if rule.freshness_basis == "law" else "")
        raise row.error(f"a period can be made shorter only; ours is {ours}", "freshness_days")
    return period


def _stronger(row: _Row, rule: Requirement) -> Strength:
    try:
        wanted = Strength.parse(row.value["strength"])
    except MalformedInput as error:
        raise row.error(str(error), "strength") from error
    if wanted <= rule.strength:
        raise row.error(f"a strength can be made stronger only; ours is {rule.strength.text}", "strength")
    said = rule.issuers == {KeyRole.OPERATOR} and rule.strength <= Strength.DOCUMENTED
    if said or not any(role.may_claim(wanted) for role in rule.issuers):
        raise row.error(
            f"no evidence could ever meet it: nobody who may state this states it as {wanted.text}", "strength"
        )
    return wanted


def _franker(row: _Row, control: Control) -> Control:
    sentences = row.value.get("does_not_prove", [])
    where = (*row.place, "does_not_prove")
    if (
        not isinstance(sentences, list)
        or len(sentences) > MAX_SENTENCES
        or ("does_not_prove" in row.value) > len(sentences)
    ):
        raise row.error(f"does_not_prove is a list of 1 to {MAX_SENTENCES} sentences", "does_not_prove")
    own: list[str] = []
    for index, sentence in enumerate(sentences):
        text = _text(row.document, (*where, index), sentence, 10, 300)
        if text in control.does_not_prove or text in own:
            raise row.error("this sentence stands there already", "does_not_prove", index)
        own.append(text)
    return replace(control, does_not_prove=(*control.does_not_prove, *own))


def _set_aside(row: _Row) -> dict[str, SetAside]:
    if "not_applicable" not in row.value:
        return {}
    document, where = row.document, (*row.place, "not_applicable")
    match row.value["not_applicable"]:
        case {"reason": str() as reason, "owner": str() as owner, "expires": str() as expires, **more} if not more:
            _text(document, (*where, "reason"), reason, 10, 500)
            _check_role(document, (*where, "owner"), owner)
            end = _date(document, (*where, "expires"), expires)
        case _:
            raise row.error("not_applicable has reason, owner and expires", "not_applicable")
    if end > date.fromisoformat(document.value["meta"]["reviewed_on"]) + LONGEST:
        raise row.error(f"it ends at most {LONGEST.days} days after reviewed_on", "not_applicable", "expires")
    file = OverrideFile(document.source, document.value)
    return {row.target: SetAside(row.target, reason, owner, end, row.value["because"], file.digest)}


def _check_role(document: Document, path: Path, text: str) -> None:
    words = text.split("-")
    if not 2 <= len(text) <= 40 or not all(word.isascii() and word.isalnum() and word.islower() for word in words):
        raise document.error(path, f"an owner is a role such as security-lead, not {text[:40]!r}")


def _date(document: Document, path: Path, text: object) -> date:
    try:
        if isinstance(text, str) and len(text) == len("2026-11-22"):
            return date.fromisoformat(text)
    except ValueError as error:
        raise document.error(path, f"{text!r} is not a date") from error
    raise document.error(path, f"{str(text)[:40]!r} is not a date such as 2026-11-22")


def _text(document: Document, path: Path, value: object, least: int, most: int) -> str:
    if isinstance(value, str) and least <= len(value.strip()) and len(value) <= most and value.isprintable():
        return value
    raise document.error(path, f"{path[-1]} is a text of {least} to {most} characters")


def reasons(catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """Yield what each row of the overrides in force says: its file, what it is about, and why."""
    for file in catalog.overrides.files:
        for row in file.value["overrides"]:
            yield file.name, str(row.get("requirement") or row.get("control")), str(row["because"])
