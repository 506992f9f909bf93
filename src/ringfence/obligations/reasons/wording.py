"""A rule in sentences: everything that decides, and nothing that does not."""

from collections.abc import Iterable, Iterator, Mapping

from ringfence.obligations.model import Condition, Control, Op, Population, Requirement, Selection

_SELECTED = {
    Selection.LATEST: "The newest statement that counts decides",
    Selection.LATEST_PER_SUBJECT: "The newest statement about each thing decides, and all of them have to hold",
    Selection.EVERY: "Every statement that is fresh has to hold",
}
_BASES = {"law": "a period of the law", "project": "our own default", "none": ""}


def sentences(rule: Requirement, rules: Mapping[str, Requirement]) -> list[str]:
    """Return what the rule asks, sentence by sentence; `rules` resolves the rules that it names."""
    return [*_who(rule), *_which(rule, rules), *_when(rule), *_whether(rule, rules)]


def condition(one: Condition) -> str:
    """Return a condition as a sentence, with what holds where it is broken."""
    return f"{_field(one.path)} {_asked(one)}; else {one.because}."


def trigger(control: Control, rules: Iterable[Requirement]) -> str:
    """Return after what a control is to be shown anew, and whether a statement tells that it happened."""
    if control.trigger is None:
        return ""
    known = any(rule.triggers for rule in rules)
    told = "What statements tell of it stands at the rules" if known else "No statement tells that one happened"
    return f"To be shown anew after: {control.trigger}. {told}."


def _who(rule: Requirement) -> Iterator[str]:
    roles = " or ".join(sorted(role.value for role in rule.issuers))
    yield f"A statement {rule.evidence} is asked, by a key of the role {roles}, at least {rule.strength.text}."


def _which(rule: Requirement, rules: Mapping[str, Requirement]) -> Iterator[str]:
    if rule.for_each is None:
        about = f", among those about {rule.about}" if rule.about else ""
        yield f"{_SELECTED[rule.selection]}{about}."
        return
    drawn = rule.for_each
    yield f"One is asked for each {drawn.noun}{_narrowed(drawn)}; {_source(drawn, rules)} says which there are."
    if drawn.by == "digest":
        yield "It has to name the very bytes, under whatever name."


def _source(drawn: Population, rules: Mapping[str, Requirement]) -> str:
    listed = f"the list {_field(drawn.items)} of " if drawn.items else ""
    return f"{listed}{rules[drawn.of].evidence} ({drawn.of})"


def _narrowed(drawn: Population) -> str:
    only = drawn.only
    return f" of which {only.of} says {' or '.join(sorted(only.any))}, or nothing" if only else ""


def _when(rule: Requirement) -> Iterator[str]:
    if rule.freshness is None:
        yield "It does not run out: it is bound to one version."
    else:
        yield f"It counts for {rule.freshness.days} days ({_BASES[rule.freshness_basis]})."
    if rule.grace:
        yield f"Something new has {rule.grace.total_seconds() / 3600:.0f} hours until it is asked for."


def _whether(rule: Requirement, rules: Mapping[str, Requirement]) -> Iterator[str]:
    yield from map(condition, rule.conditions)
    for trigger in rule.triggers:
        when = "".join(f" with {_field(one.path)} that {_asked(one)}" for one in trigger.when)
        yield f"After a statement {trigger.evidence}{when} it is asked anew within {trigger.within.days} days."
    if rule.contradicted_by:
        other = rules[rule.contradicted_by.of]
        yield f"A newer statement of the type {other.evidence} takes it back where {rule.contradicted_by.when.because}."
    if rule.recount:
        votes, opening = (rules[name].evidence for name in (rule.recount.votes, rule.recount.opening))
        yield f"It is counted again from {votes} and {opening}: by itself, what a service states decides nothing."


def _field(path: str) -> str:
    """Print the name of a claim as words: `backup.ageDays` becomes `backup age days`."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in path).replace(".", " ").strip()


def _asked(one: Condition) -> str:
    wanted = one.value
    if one.op in _ALONE:
        return _ALONE[one.op]
    if one.op is Op.SAME_AS:
        return f"is the same as {_field(str(wanted))}"
    return f"{_COMPARED[one.op]} {_value(wanted)}"


_ALONE = {Op.PRESENT: "is stated", Op.TRUE: "is true"}
_COMPARED = {
    Op.EQUALS: "is",
    Op.ONE_OF: "is one of",
    Op.AT_LEAST: "is at least",
    Op.AT_MOST: "is at most",
    Op.INCLUDES: "includes",
}


def _value(wanted: object) -> str:
    if isinstance(wanted, bool):
        return "true" if wanted else "false"
    if isinstance(wanted, tuple):
        return ", ".join(wanted) or "empty"
    return str(wanted)
