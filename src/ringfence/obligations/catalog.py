"""Load controls, obligations and rules from the package, strictly; the digest of all of it is the rules' version."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import reading
from ringfence.obligations.model import (
    NATIONAL,
    Catalog,
    Condition,
    Contradiction,
    Control,
    Obligation,
    Op,
    Population,
    Requirement,
    Selection,
    Who,
)
from ringfence.obligations.reading import Document
from ringfence.obligations.scope import rules
from ringfence.obligations.scope.rules import Rules

FILES = ("controls.yaml", "obligations.yaml", "requirements.yaml")


@cache
def load() -> Catalog:
    """Load the catalogue of the package, once."""
    return assemble({name: reading.read(name) for name in FILES}, rules.load())


def assemble(documents: Mapping[str, Document], law: Rules) -> Catalog:
    """Build a catalogue from validated documents, one for each of `FILES`, and the legal data of the scope.

    Raises:
        MalformedInput: with file, line and column of a name that stands twice, of a reference to nothing, of a
            control without a rule, and of a date that is none.
    """
    controls, obligations, requirements = (documents[name] for name in FILES)
    catalog = Catalog(
        digest=digest_of(documents, law),
        controls=tuple(_control(entry) for entry in controls.value["controls"]),
        obligations=_by_id(obligations, "obligations", _obligation),
        requirements=_by_id(requirements, "requirements", _requirement),
        national=law.member_states,
    )
    _by_id(controls, "controls", lambda document, path: document.value["controls"][path[1]]["id"])
    _check_controls(controls, catalog)
    _check_requirements(requirements, catalog)
    return catalog


def digest_of(documents: Mapping[str, Document], law: Rules) -> Digest:
    """Return the version of a rule set: a digest over its files, names and exact bytes, and over the legal data."""
    parts = [Digest.of(name.encode()).value + Digest.of(documents[name].data).value for name in FILES]
    return Digest.of(b"".join(parts) + law.digest.value)


def _by_id(document: Document, group: str, build: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for index, entry in enumerate(document.value[group]):
        if entry["id"] in result:
            raise document.error((group, index, "id"), f"{entry['id']!r} stands twice")
        result[entry["id"]] = build(document, (group, index))
    return result


def _control(entry: Any) -> Control:
    return Control(
        **{name: entry[name] for name in ("id", "domain", "tier", "title", "requirement", "freshness_days", "trigger")},
        **{name: entry[name] for name in ("period_basis", "period_note", "next_step")},
        obligations=tuple(entry["obligations"]),
        maps={name: tuple(codes) for name, codes in entry["maps"].items()},
        does_not_prove=tuple(entry["does_not_prove"]),
    )


def _obligation(document: Document, path: tuple[str, int]) -> Obligation:
    entry = document.value[path[0]][path[1]]
    return Obligation(
        **{name: entry[name] for name in ("id", "act", "provision", "kind", "paraphrase", "source")},
        applies_from=_applies_from(document, (*path, "applies_from"), entry["applies_from"]),
        who=Who(entry["applies_to"]["who"]),
        among=tuple(entry["applies_to"].get("among", ())),
        verified_on=_date(document, (*path, "verified_on"), entry["verified_on"]),
    )


def _applies_from(document: Document, path: tuple[str | int, ...], value: Any) -> Any:
    match value:
        case None | "national":
            return NATIONAL if value else None
        case dict():
            return {name: _date(document, (*path, name), text) for name, text in value.items()}
        case _:
            return _date(document, path, value)


def _date(document: Document, path: tuple[str | int, ...], text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise document.error(path, f"{text!r} is not a date") from error


def _requirement(document: Document, path: tuple[str, int]) -> Requirement:
    entry = document.value[path[0]][path[1]]
    days, taken_back = entry["freshness_days"], entry.get("contradicted_by")
    return Requirement(
        **{name: entry[name] for name in ("id", "control", "asks", "freshness_basis", "next_step")},
        evidence=PredicateName(entry["evidence"]),
        issuers=frozenset(KeyRole(role) for role in entry["issuers"]),
        strength=Strength.parse(entry["strength"]),
        selection=Selection(entry["selection"]),
        freshness=None if days is None else timedelta(days=days),
        conditions=tuple(_condition(item) for item in entry["conditions"]),
        grace=timedelta(hours=entry.get("grace_hours", 0)),
        for_each=Population(**entry["for_each"]) if "for_each" in entry else None,
        contradicted_by=Contradiction(taken_back["of"], _condition(taken_back["when"])) if taken_back else None,
        anchors=entry.get("anchors", False),
    )


def _condition(entry: Any) -> Condition:
    value = entry.get("value")
    return Condition(entry["path"], Op(entry["op"]), entry["because"], tuple(value) if type(value) is list else value)


def _check_controls(document: Document, catalog: Catalog) -> None:
    for index, control in enumerate(catalog.controls):
        for place, name in enumerate(control.obligations):
            if name not in catalog.obligations:
                raise document.error(("controls", index, "obligations", place), f"no obligation is called {name!r}")
        if not catalog.of(control.id):
            raise document.error(("controls", index), f"no evidence requirement belongs to {control.id}")


def _check_requirements(document: Document, catalog: Catalog) -> None:
    known = {control.id for control in catalog.controls}
    for index, requirement in enumerate(catalog.requirements.values()):
        path = ("requirements", index)
        if requirement.control not in known:
            raise document.error((*path, "control"), f"no control is called {requirement.control!r}")
        for link in ("for_each", "contradicted_by"):
            other = getattr(requirement, link)
            if other and other.of not in catalog.requirements:
                raise document.error((*path, link, "of"), f"no requirement is called {other.of!r}")
        if requirement.for_each and catalog.requirements[requirement.for_each.of].for_each:
            raise document.error((*path, "for_each", "of"), "a population cannot itself be drawn from a population")
