"""Load controls, obligations and rules from the package, strictly; the digest of all of it is the rules' version."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.obligations import domains, profile, provisions, reading
from ringfence.obligations.model import (
    NATIONAL,
    Catalog,
    Condition,
    Contradiction,
    Control,
    Narrowing,
    Obligation,
    Op,
    Population,
    Recount,
    Requirement,
    Selection,
    Trigger,
    Who,
)
from ringfence.obligations.reading import Document
from ringfence.obligations.scope import rules
from ringfence.obligations.scope.rules import Rules

DOMAINS = tuple(domain.lower() for domain in domains.NAMES)
ACTS = tuple(provisions.PREFIXES.values())
GROUPS = {
    "controls": tuple(f"controls/{domain}.yaml" for domain in DOMAINS),
    "obligations": tuple(f"obligations/{act}.yaml" for act in ACTS),
    "requirements": tuple(f"requirements/{domain}.yaml" for domain in DOMAINS),
}
FILES = (*(name for names in GROUPS.values() for name in names), profile.FILE)


@cache
def load() -> Catalog:
    """Load the catalogue of the package, once."""
    return assemble({name: reading.shipped(name) for name in FILES}, rules.load())


def assemble(documents: Mapping[str, Document], law: Rules, version: Digest | None = None) -> Catalog:
    """Build a catalogue from validated documents, one for each of `FILES`, and the legal data of the scope.

    `version` is stated where only the values of the documents are at hand, not the bytes that it is a digest of.

    Raises:
        MalformedInput: with file, line and column of a name that stands twice, in one file or in two, of a reference
            to nothing, of a control without a rule, and of a date that is none.
    """
    controls, obligations, requirements = (_entries(documents, group) for group in GROUPS)
    known = {name: _obligation(entry) for name, entry in obligations.items()}
    catalog = Catalog(
        digest=version or digest_of(documents, law),
        controls=tuple(_control(entry.value) for entry in controls.values()),
        obligations=known,
        requirements={name: _requirement(entry) for name, entry in requirements.items()},
        national=law.member_states,
        turns=_turns(known.values(), law),
        profiles=profile.parse(documents[profile.FILE]),
    )
    _check_controls(controls, catalog)
    _check_requirements(requirements, catalog)
    profile.check(documents[profile.FILE], catalog)
    return catalog


def digest_of(documents: Mapping[str, Document], law: Rules) -> Digest:
    """Return the version of a rule set: a digest over its files, names and exact bytes, and over the legal data."""
    parts = [Digest.of(name.encode()).value + Digest.of(documents[name].data).value for name in FILES]
    return Digest.of(b"".join(parts) + law.digest.value)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a group, and where it stands."""

    document: Document
    place: tuple[str, int]

    @property
    def value(self) -> Any:
        return self.document.value[self.place[0]][self.place[1]]

    def error(self, path: Sequence[str | int], message: str) -> MalformedInput:
        return self.document.error((*self.place, *path), message)


def _entries(documents: Mapping[str, Document], group: str) -> dict[str, _Entry]:
    """Return the entries of all files of a group by their id, in the order of the files."""
    result: dict[str, _Entry] = {}
    for name in GROUPS[group]:
        for index in range(len(documents[name].value[group])):
            entry = _Entry(documents[name], (group, index))
            if entry.value["id"] in result:
                raise entry.error(("id",), f"{entry.value['id']!r} stands twice")
            result[entry.value["id"]] = entry
    return result


def _turns(obligations: Iterable[Obligation], law: Rules) -> tuple[datetime, ...]:
    dates = {state.in_force for state in law.member_states.values() if state.in_force}
    for obligation in obligations:
        match obligation.applies_from:
            case date() as start:
                dates.add(start)
            case Mapping() as starts:
                dates.update(starts.values())
            case None | "national":
                pass
    return tuple(datetime.combine(one, time(), UTC) for one in sorted(dates))


def _control(entry: Any) -> Control:
    return Control(
        **{name: entry[name] for name in ("id", "domain", "tier", "title", "requirement", "freshness_days", "trigger")},
        **{name: entry[name] for name in ("period_basis", "period_note", "next_step")},
        obligations=provisions.served(entry["maps"]),
        maps={name: tuple(codes) for name, codes in entry["maps"].items()},
        does_not_prove=tuple(entry["does_not_prove"]),
    )


def _obligation(entry: _Entry) -> Obligation:
    value = entry.value
    return Obligation(
        **{name: value[name] for name in ("id", "act", "provision", "kind", "paraphrase", "source")},
        applies_from=_applies_from(entry, value["applies_from"]),
        who=Who(value["applies_to"]["who"]),
        among=tuple(value["applies_to"].get("among", ())),
        verified_on=_date(entry, ("verified_on",), value["verified_on"]),
    )


def _applies_from(entry: _Entry, value: Any) -> Any:
    match value:
        case None | "national":
            return NATIONAL if value else None
        case dict():
            return {name: _date(entry, ("applies_from", name), text) for name, text in value.items()}
        case _:
            return _date(entry, ("applies_from",), value)


def _date(entry: _Entry, path: tuple[str, ...], text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise entry.error(path, f"{text!r} is not a date") from error


def _requirement(entry: _Entry) -> Requirement:
    value = entry.value
    days, taken_back = value["freshness_days"], value.get("contradicted_by")
    return Requirement(
        **{name: value[name] for name in ("id", "control", "asks", "freshness_basis", "next_step")},
        evidence=PredicateName(value["evidence"]),
        issuers=frozenset(KeyRole(role) for role in value["issuers"]),
        strength=Strength.parse(value["strength"]),
        selection=Selection(value["selection"]),
        freshness=None if days is None else timedelta(days=days),
        conditions=tuple(_condition(item) for item in value["conditions"]),
        grace=timedelta(hours=value.get("grace_hours", 0)),
        about=value.get("about"),
        for_each=_population(value["for_each"]) if "for_each" in value else None,
        contradicted_by=Contradiction(taken_back["of"], _condition(taken_back["when"])) if taken_back else None,
        recount=Recount(**value["recount"]) if "recount" in value else None,
        triggers=tuple(map(_trigger, value.get("triggers", ()))),
        anchors=value.get("anchors", False),
    )


def _population(entry: Any) -> Population:
    only = entry.get("only")
    narrowing = Narrowing(only["of"], only["claim"], frozenset(only["any"])) if only else None
    return Population(**{name: value for name, value in entry.items() if name != "only"}, only=narrowing)


def _trigger(entry: Any) -> Trigger:
    when = tuple(map(_condition, entry.get("when", ())))
    return Trigger(PredicateName(entry["evidence"]), entry["because"], timedelta(days=entry["within_days"]), when)


def _condition(entry: Any) -> Condition:
    value = entry.get("value")
    value = tuple(value) if type(value) is list else value
    return Condition(entry["path"], Op(entry["op"]), entry["because"], value, entry.get("next_step", ""))


def _check_controls(entries: Mapping[str, _Entry], catalog: Catalog) -> None:
    rules = catalog.by_control
    for control in catalog.controls:
        for name in control.obligations:
            if name not in catalog.obligations:
                raise entries[control.id].error(("maps",), f"no obligation is called {name!r}")
        if control.id not in rules:
            raise entries[control.id].error((), f"no evidence requirement belongs to {control.id}")


def _check_requirements(entries: Mapping[str, _Entry], catalog: Catalog) -> None:
    known = {control.id for control in catalog.controls}
    for requirement in catalog.requirements.values():
        entry = entries[requirement.id]
        if requirement.control not in known:
            raise entry.error(("control",), f"no control is called {requirement.control!r}")
        for place, name in requirement.named.items():
            if name not in catalog.requirements:
                raise entry.error(place, f"no requirement is called {name!r}")
        if requirement.for_each and catalog.requirements[requirement.for_each.of].for_each:
            raise entry.error(("for_each", "of"), "a population cannot itself be drawn from a population")
