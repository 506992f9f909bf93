"""From statements to sentences: what each says, by which record, how strong it is, and what it does not show."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.exports.annexiv.declaration import Declaration
from ringfence.exports.annexiv.points import Telling
from ringfence.exports.model import Json
from ringfence.incidents.document import visible
from ringfence.kernel.clock import to_text
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Strength
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.forms import shelf
from ringfence.obligations.forms.model import Kind
from ringfence.obligations.records import Records

OBSERVED = "observed"
DOCUMENTED = "documented"
_GAP = re.compile(r"\{([A-Za-z]{1,40}(?:\.[A-Za-z]{1,40})?)\}")
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Found:
    """The statements about one thing of the system: the newest that counts, and newer ones that do not."""

    telling: Telling
    name: str
    counts: LoggedStatement | None
    aside: tuple[tuple[LoggedStatement, str], ...]


def found(telling: Telling, declared: Declaration, tenant: Tenant, records: Records) -> Iterator[Found]:
    """Yield the newest statement of a type about each thing that belongs to the system."""
    trail = records.trail(telling.type)
    for name in _names(telling.about, declared, tenant):
        counted = [logged for logged in trail.run if _is_about(logged, telling.about, name)]
        aside = [logged for logged in trail.set_aside if _is_about(logged, telling.about, name)]
        flaws = tuple((logged, records.flaw(logged) or "") for logged in aside)
        if counted or aside:
            yield Found(telling, name, counted[-1] if counted else None, flaws)


def _names(kind: str, declared: Declaration, tenant: Tenant) -> tuple[str, ...]:
    match kind:
        case "system":
            return (declared.system,)
        case "organisation" | "logs":
            return (str(tenant),)
        case _:
            return declared.uses.get(kind, ())


def _is_about(logged: LoggedStatement, kind: str, name: str) -> bool:
    """Return whether a statement is about the thing of this id, or of this name as its side record knows it."""
    statement = logged.envelope.statement
    if any(subject.name == f"{kind}/{name}" for subject in statement.subjects):
        return True
    details = logged.opening.details if logged.opening else {}
    return statement.claims.get(kind) == name or (kind in ("dataset", "model") and details.get("name") == name)


def told(one: Found, logged: LoggedStatement) -> Json:
    """Return one record with the sentences that it yields."""
    claims, issuance = logged.envelope.statement.claims, logged.envelope.statement.issuance
    facts = _said(one.telling, claims) if one.telling.says else _answered(one.telling, claims)
    return {
        "mark": OBSERVED if issuance.strength >= Strength.OBSERVED else DOCUMENTED,
        "record": record(logged),
        "sentences": [visible(text)[:_LONGEST] for text in facts],
        "does_not_show": one.telling.does_not_show,
        "tags": sorted(one.telling.tags),
    }


def record(logged: LoggedStatement) -> Json:
    """Return what names a record, so that anybody finds it in the log."""
    statement = logged.envelope.statement
    return {
        "entry": logged.entry,
        "digest": str(logged.envelope.digest),
        "predicate": statement.predicate,
        "subject": statement.subjects[0].name,
        "strength": statement.issuance.strength.text,
        "issuer": statement.issuance.issuer,
        "recorded_at": to_text(logged.recorded_at),
        "demo": statement.issuance.demo,
    }


def _said(telling: Telling, claims: Mapping[str, Any]) -> Iterable[str]:
    for pattern in telling.says:
        values = {name: _value(claims, name) for name in _GAP.findall(pattern)}
        if all(values.values()):
            parts = _GAP.split(pattern)  # text and name by turns
            yield "".join(values[part] if index % 2 else part for index, part in enumerate(parts))


def _value(claims: Mapping[str, Any], name: str) -> str:
    outer, _, inner = name.partition(".")
    value = claims.get(outer)
    if inner:
        value = value.get(inner) if isinstance(value, Mapping) else None
    return words(value)


def words(value: object) -> str:
    """Return a claim in words; nothing where there is none."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(filter(None, map(words, value))) or "none"
        case _:
            return str(value)


def _answered(telling: Telling, claims: Mapping[str, Any]) -> Iterable[str]:
    form = shelf.form(telling.type)
    for question in form.questions:
        if question.kind is not Kind.FILE and (value := words(claims.get(question.name))):
            yield f"{question.title} {value}"
