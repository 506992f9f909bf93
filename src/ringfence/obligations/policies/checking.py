"""Say what is wrong with a policy: placeholders, what nobody stands for, days, and parts that rules ask for."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import placeholders
from ringfence.obligations.forms import shelf
from ringfence.obligations.model import Catalog, Op
from ringfence.obligations.placeholders import Problem
from ringfence.obligations.policies.model import SIGNED, Broken, Declared, Observed, Passage, Policy

_NEEDED = ("policy", "version", "owner", "approved-by", "approved-on", "next-review")
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}")
_LONGEST_REVIEW = timedelta(days=366)


def types() -> tuple[str, ...]:
    """Return the types of policy that the form knows."""
    return _choices("policy")


def _choices(name: str) -> tuple[str, ...]:
    question = shelf.form(SIGNED).question(name)
    return question.choices if question else ()


def problems(policy: Policy, catalog: Catalog, day: date, known: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return everything that is wrong, in the order of the lines.

    Args:
        policy: the text.
        catalog: the controls and rules that it may speak of, and what they ask of it.
        day: the day on which it is checked.
        known: sentences of the template, by their text: what was left as it was is no declaration of anybody.
    """
    found = [*policy.problems, *_header(policy, day), *_parts(policy, catalog)]
    for passage in policy.passages:
        found += _passage(passage, catalog, day, known)
    found += _circles(policy, catalog)
    if not any(True for _ in policy.passages):
        found.append(Problem(1, "text", "it holds no sentence"))
    return tuple(sorted(set(found), key=lambda one: (one.line, one.field, one.message)))


def _header(policy: Policy, day: date) -> Iterator[Problem]:
    for key in _NEEDED:
        value, line = policy.header.get(key, ""), policy.lines.get(key, 1)
        if said := _value(key, value, day) if value else "is not stated":
            yield Problem(line, key, said)
    if policy.header.get("topic-policies"):
        unknown = set(topics(policy)) - set(types())
        if unknown:
            yield Problem(policy.lines["topic-policies"], "topic-policies", f"knows no {', '.join(sorted(unknown))}")


def _value(key: str, value: str, day: date) -> str:
    if key == "owner" or value.startswith("["):
        return placeholders.problem(value, least_words=1)
    match key:
        case "version":
            return "" if _VERSION.fullmatch(value) else "is a number such as 1.0"
        case "policy":
            return "" if value in types() else f"is one of {', '.join(types())}"
        case "approved-by":
            return "" if value in _choices("approvedBy") else f"is one of {', '.join(_choices('approvedBy'))}"
        case "approved-on":
            return _within(value, day - timedelta(days=31), day)
        case "next-review":
            return _within(value, day + timedelta(days=1), day + _LONGEST_REVIEW)
        case _:
            return ""


def _within(value: str, first: date, last: date) -> str:
    try:
        given = date.fromisoformat(value)
    except ValueError:
        return "is a day such as 2026-11-22"
    return "" if first <= given <= last else f"lies between {first} and {last}"


def topics(policy: Policy) -> tuple[str, ...]:
    """Return the topic policies that its header names."""
    return tuple(policy.header.get("topic-policies", "").replace(",", " ").split())


def _passage(passage: Passage, catalog: Catalog, day: date, known: Mapping[str, str]) -> Iterator[Problem]:
    match passage.mark:
        case None:
            yield Problem(passage.line, "mark", "nobody stands for this sentence: begin it with declared or observed")
        case Declared(owner, on):
            yield from (Problem(passage.line, "declared", said) for said in _declared(owner, on, day))
            if passage.text in known:
                yield Problem(passage.line, "text", "is a sentence of the template that was left as it was")
        case Observed(name):
            if said := _observed(name, passage.text, catalog):
                yield Problem(passage.line, "observed", said)
        case Broken():
            pass
    if said := placeholders.problem(passage.text):
        yield Problem(passage.line, "text", said)


def _circles(policy: Policy, catalog: Catalog) -> Iterator[Problem]:
    """Yield what would rest on itself: a control that asks for this very policy cannot be what the policy rests on."""
    asking = wanted(policy.header.get("policy", ""), catalog)
    own = set(asking) | {catalog.requirements[rule].control.lower() for rule in asking}
    for passage in policy.passages:
        if isinstance(passage.mark, Observed) and passage.mark.name in own:
            said = f"{passage.mark.name.upper()} asks for this very policy: it would rest on itself"
            yield Problem(passage.line, "observed", said)


def _declared(owner: str, on: date, day: date) -> Iterator[str]:
    if said := placeholders.problem(owner, least_words=1):
        yield f"whoever says so {said}"
    if on > day:
        yield f"{on} has not come yet"


def _observed(name: str, text: str, catalog: Catalog) -> str:
    found = resolve(name, catalog)
    if found is None:
        return f"there is no {name.upper()}"
    wanted = sentence(found, catalog)
    return "" if text == wanted else f"an observed sentence says what is computed and no more: {wanted}"


def resolve(name: str, catalog: Catalog) -> str | None:
    """Return the id of the control or the rule of this name; None where there is none."""
    if name in catalog.requirements:
        return name
    return next((control.id for control in catalog.controls if control.id.lower() == name), None)


def sentence(name: str, catalog: Catalog) -> str:
    """Return the one sentence that is true while a control or a rule is satisfied: what it asks, in its words."""
    if rule := catalog.requirements.get(name):
        return f"What the rule {name} asks is on record: {rule.asks}."
    control = catalog.control(name)
    return f"What {control.id} ({control.title}) asks is met: {control.requirement}."


def wanted(name: str, catalog: Catalog) -> Mapping[str, frozenset[str]]:
    """Return the parts that each rule asks of a type of policy."""
    found: dict[str, frozenset[str]] = {}
    topics_rule = name != "information-security"
    for rule in catalog.requirements.values():
        if rule.evidence != SIGNED or not (rule.about == f"policy/{name}" or (rule.about is None and topics_rule)):
            continue
        parts = [c.value for c in rule.conditions if c.path == "parts" and c.op is Op.INCLUDES]
        found[rule.id] = frozenset(str(part) for value in parts if isinstance(value, tuple) for part in value)
    return found


def _parts(policy: Policy, catalog: Catalog) -> Iterator[Problem]:
    known, there = set(_choices("parts")), set(policy.parts)
    for section in policy.sections:
        for part in section.parts:
            if part not in known:
                yield Problem(section.line, "parts", f"there is no part {part!r}")
            elif not section.passages:
                yield Problem(section.line, "parts", f"holds no sentence, so that it is no part {part!r}")
    for rule, parts in wanted(policy.header.get("policy", ""), catalog).items():
        if missing := sorted(parts - there):
            yield Problem(1, "parts", f"{rule} also asks for {', '.join(missing)}")


def refuse(found: tuple[Problem, ...], source: str) -> None:
    """Return where nothing is wrong; raise `MalformedInput` with the first problem and how many there are."""
    if found:
        more = f" (and {len(found) - 1} more: `ringfence policy check`)" if len(found) > 1 else ""
        raise MalformedInput(f"{found[0].field}: {found[0].message}{more}", source=source, line=found[0].line)
