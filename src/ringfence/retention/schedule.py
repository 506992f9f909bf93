"""Read the classes and a team's own periods; refuse what undercuts a minimum or goes beyond a maximum."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import yaml

from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.retention.model import Basis, Class, ClassName, Elsewhere, Minimum, Schedule

FILE = "retention.yaml"
MAX_FILE = 2**18
_REQUIRED = frozenset({"name", "title", "holds", "purpose", "days", "maximum", "starts", "destroys"})
_OPTIONAL = frozenset({"families", "minimum"})


@cache
def shipped() -> Schedule:
    """Return the classes that ship with Ringfence."""
    file = resources.files("ringfence.retention").joinpath("data", FILE)
    return parse(file.read_bytes(), source=FILE)


def parse(data: bytes, *, source: str) -> Schedule:
    """Parse a file of classes; raise `MalformedInput` with the first place that is wrong."""
    match _yaml(data, source):
        case {"meta": dict(), "classes": list() as classes, "elsewhere": list() as others, **more} if not more:
            found = tuple(_class(each, source) for each in classes)
            rest = tuple(_elsewhere(each, source) for each in others)
        case _:
            raise MalformedInput("a file of classes has meta, classes and elsewhere", source=source)
    if len({each.name for each in found}) != len(found):
        raise MalformedInput("a class stands twice", source=source)
    return Schedule(found, rest, Digest.of(data))


def overridden(schedule: Schedule, data: bytes, *, source: str) -> Schedule:
    """Return the schedule with a team's own periods.

    Raises:
        MalformedInput: it is no such file.
        Refused: a period is below a minimum or above a maximum.
    """
    match _yaml(data, source):
        case {"days": dict() as days, **more} if not more:
            own = {_name(name, source): _days(value, f"days.{name}", source) for name, value in days.items()}
        case _:
            raise MalformedInput("your own periods have the form `days: {class: days}`", source=source)
    if unknown := own.keys() - {each.name for each in schedule.classes}:
        raise MalformedInput(f"there is no class {', '.join(sorted(unknown))}", source=source)
    classes = tuple(_with(each, own[each.name], source) if each.name in own else each for each in schedule.classes)
    return replace(schedule, classes=classes, digest=Digest.of(schedule.digest.value + data))


def defaulted(schedule: Schedule, days: Mapping[str, int]) -> Schedule:
    """Return the schedule with a profile's defaults, each within the limits of its class."""
    classes = tuple(_by_default(each, days[each.name]) if each.name in days else each for each in schedule.classes)
    chosen = {each.name: each.days for each in classes if each.profile}
    if not chosen:
        return schedule
    return replace(schedule, classes=classes, digest=Digest.of(schedule.digest.value + dumps(chosen)))


def _by_default(one: Class, days: int) -> Class:
    within = min(max(days, one.floor), one.maximum)
    return one if within == one.days else replace(one, days=within, profile=True)


def _with(one: Class, days: int, source: str) -> Class:
    if days < one.floor:
        minimum = max(one.minima, key=lambda each: each.days)
        raise Refused(
            f"{source}: {one.name} cannot be kept for {days} days: at least {minimum.days} ({minimum.provision})"
        )
    if days > one.maximum:
        raise Refused(f"{source}: {one.name} cannot be kept for {days} days: at most {one.maximum}")
    return replace(one, days=days, overridden=True, profile=False)


def _yaml(data: bytes, source: str) -> Any:
    if len(data) > MAX_FILE:
        raise MalformedInput(f"a file of periods has at most {MAX_FILE} bytes", source=source)
    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MalformedInput(f"not YAML: {str(error)[:200]}", source=source) from error


def _class(value: Any, source: str) -> Class:
    if not isinstance(value, dict) or not _REQUIRED <= value.keys() <= _REQUIRED | _OPTIONAL:
        raise MalformedInput(f"a class has {', '.join(sorted(_REQUIRED))}, and families and minimum", source=source)
    text = {name: _text(value[name], name, source) for name in sorted(_REQUIRED - {"days", "maximum"})}
    families, minima = value.get("families", []), value.get("minimum", [])
    if not isinstance(families, list) or not isinstance(minima, list):
        raise MalformedInput(f"{text['name']}: families and minimum are lists", source=source)
    made = Class(
        name=ClassName(text["name"]),
        title=text["title"],
        holds=text["holds"],
        purpose=text["purpose"],
        families=tuple(_text(each, "families", source) for each in families),
        days=_days(value["days"], "days", source),
        minima=tuple(_minimum(each, source) for each in minima),
        maximum=_days(value["maximum"], "maximum", source),
        starts=text["starts"],
        destroys=text["destroys"],
    )
    if not made.floor <= made.days <= made.maximum:
        raise MalformedInput(f"{made.name}: its days lie outside its own limits", source=source)
    return made


def _minimum(value: Any, source: str) -> Minimum:
    match value:
        case {"days": days, "basis": "project", "provision": str() as words, **more} if not more:
            return Minimum(_days(days, "minimum", source), Basis.PROJECT, words)
        case {
            "days": days,
            "basis": "law",
            "provision": str() as provision,
            "paraphrase": str() as paraphrase,
            "whom": str() as whom,
            "applies_from": dict() as since,
            "source": str() as mark,
            "verified_on": str() as verified,
            **more,
        } if not more:
            from_days = {str(kind): _date(day, source) for kind, day in since.items()}
            length = _days(days, "minimum", source)
            return Minimum(length, Basis.LAW, provision, paraphrase, whom, from_days, mark, verified)
        case _:
            raise MalformedInput("a minimum of law names provision, applies_from, source, verified_on", source=source)


def _elsewhere(value: Any, source: str) -> Elsewhere:
    match value:
        case {"title": str() as title, "period": str() as period, "because": str() as because, **more} if not more:
            return Elsewhere(title, period, because)
        case _:
            raise MalformedInput("what is kept elsewhere has title, period and because", source=source)


def _days(value: object, name: str, source: str) -> int:
    if type(value) is not int or not 1 <= value <= 36_525:
        raise MalformedInput(f"{name} is a number of days from 1 to 36525", source=source)
    return value


def _date(value: object, source: str) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise MalformedInput(f"{str(value)[:20]!r} is not a date", source=source) from error


def _name(value: object, source: str) -> ClassName:
    return ClassName(_text(value, "class", source))


def _text(value: object, name: str, source: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 400:
        raise MalformedInput(f"{name} is a text", source=source)
    return value
