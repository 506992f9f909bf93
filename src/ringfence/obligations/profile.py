"""Industry profiles: read the shipped ones, find the one that a person signed, put it over the rules. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ringfence.kernel.identifier import PredicateName
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.choices import NO_PROFILE, NONE, Period, Profile, Selected
from ringfence.obligations.model import Catalog, Selection
from ringfence.obligations.reading import Document
from ringfence.obligations.records import Records
from ringfence.obligations.sieve import signed

FILE = "profiles.yaml"
SELECTED = PredicateName("profile.selected")
_IDENTITY = frozenset({"id", "workloads", "data_classes"})  # what a profile is for: nothing to enforce
_DEPTH = 2  # a part is named as section.name


def parse(document: Document) -> Mapping[str, Profile]:
    """Read the shipped profiles, from values that fit their schema."""
    enforced = document.value["enforced"]
    return {value["id"]: _profile(value, enforced) for value in document.value["profiles"]}


def check(document: Document, catalog: Catalog) -> None:
    """Raise `MalformedInput`, with its place, where a profile names a control or a rule that there is none of."""
    controls = {control.id for control in catalog.controls}
    for number, value in enumerate(document.value["profiles"]):
        for place, name in enumerate(value["controls_required"]):
            if name not in controls:
                raise document.error(("profiles", number, "controls_required", place), f"no control is called {name!r}")
    for number, row in enumerate(document.value["enforced"]["freshness"]):
        for place, name in enumerate(row["rules"]):
            if name not in catalog.requirements:
                where = ("enforced", "freshness", number, "rules", place)
                raise document.error(where, f"no requirement is called {name!r}")
            if catalog.requirements[name].selection is Selection.EVERY:
                where = ("enforced", "freshness", number, "rules", place)
                raise document.error(where, f"{name} counts everything within its period: a shorter one would ask less")


def history(catalog: Catalog, records: Records, at: datetime) -> tuple[Selected, ...]:
    """Return what statements that count have put in force by `at`, the oldest first, the empty profile too."""
    return tuple(reversed([_selected(catalog, logged) for logged in signed(records, SELECTED, at)]))


def _selected(catalog: Catalog, logged: LoggedStatement) -> Selected:
    """Return what a statement puts in force; of a profile that this release does not know, nothing."""
    statement = logged.envelope.statement
    found = catalog.profiles.get(str(statement.claims.get("profile")), NONE)
    outdated = found is not NONE and statement.subjects[0].digest != found.digest
    return Selected(found, logged.entry, logged.recorded_at, outdated)


def in_force(catalog: Catalog, records: Records, at: datetime) -> Selected | None:
    """Return the profile that the newest statement which counts has put in force by `at`."""
    for logged in signed(records, SELECTED, at):
        found = _selected(catalog, logged)
        return None if found.profile is NONE else found
    return None


def asking(chosen: Selected | None, control: str) -> str | None:
    """Return the profile that asks for a control, where one is in force that does."""
    return chosen.profile.id if chosen is not None and control in chosen.profile.required else None


def named(catalog: Catalog, name: str) -> Profile | None:
    """Return a profile; the one called none asks for nothing."""
    return NONE if name == NO_PROFILE else catalog.profiles.get(name)


def applied(catalog: Catalog, profile: Profile) -> Catalog:
    """Return the rules with the periods of a profile where those are shorter."""
    changed = {
        name: replace(rule, freshness=period)
        for name, period in profile.freshness.items()
        if name in catalog.requirements  # rules that were narrowed to one control
        if (rule := catalog.requirements[name]).freshness is None or period < rule.freshness
    }
    return replace(catalog, requirements={**catalog.requirements, **changed}) if changed else catalog


def _profile(value: Mapping[str, Any], enforced: Mapping[str, Any]) -> Profile:
    freshness: dict[str, timedelta] = {}
    for row in enforced["freshness"]:
        found = value_at(value, row["part"])
        if found is not None:
            freshness |= dict.fromkeys(row["rules"], timedelta(**{row["unit"]: found}))
    retention = {
        row["class"]: _period(found, row["unit"])
        for row in enforced["retention"]
        if (found := value_at(value, row["part"])) is not None
    }
    notice = value_at(value, enforced["notice"])
    parts = {enforced["required"], enforced["notice"]}
    parts |= {row["part"] for group in ("freshness", "retention") for row in enforced[group]}
    rest = {name: part for name, part in value.items() if name not in _IDENTITY}
    return Profile(
        id=value["id"],
        data=value,
        required=frozenset(value[enforced["required"]]),
        freshness=freshness,
        retention=retention,
        notice={kind: int(Decimal(str(hours)) * 60) for kind, hours in notice.items()},
        not_enforced=tuple(sorted(_left(rest, "", parts))),  # in whatever order a copy of the values came
    )


def value_at(value: Any, path: str) -> Any:
    """Return the value of a part by its name, or None where a profile does not speak of it."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _period(value: Mapping[str, Any], unit: str) -> Period:
    since = value.get("from")
    minimum = days(value["min"], unit) if "min" in value else 0
    return Period(
        days=days(value["default"], unit) if "default" in value else minimum,
        basis=value.get("basis", "project"),
        minimum=minimum,
        since=date.fromisoformat(since) if since else None,
        ref=value.get("ref", ""),
    )


def days(count: int, unit: str) -> int:
    """Return a number of days or of years in days, leap days counted."""
    return (count * 1461 + 2) // 4 if unit == "years" else count


def _left(value: Mapping[str, Any], prefix: str, enforced: set[str]) -> Iterator[str]:
    """Yield the names of the parts that no code enforces: section and name, deeper where a neighbour is enforced."""
    for name, part in value.items():
        path = f"{prefix}{name}"
        if path in enforced:
            continue
        deeper = any(other.startswith(f"{path}.") for other in enforced)
        if isinstance(part, dict) and (deeper or path.count(".") + 1 < _DEPTH):
            yield from _left(part, f"{path}.", enforced)
        else:
            yield path
