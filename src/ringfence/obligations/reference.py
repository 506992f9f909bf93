"""The catalogue as a page of the documentation, so that the page cannot say anything else than the data."""

from collections.abc import Iterator, Mapping

from ringfence.obligations.model import Catalog, Control, Obligation, Population, Requirement
from ringfence.obligations.rule import asked

_HEAD = """\
# Controls

<!-- Written by `make reference` from src/ringfence/obligations/data; edit that. -->

The legal column is a paraphrase for orientation, not legal text and not advice. Marks: **V** article text read in a
stored copy, **S** secondary pages only, **-** the stored law data name the provision and say nothing else about it.
Which provision a control serves is our own mapping. A period is a default of this project unless it says *law*.
ISO 27001, BSI C5, SecNumCloud and EUCS references stand in the data (`maps`); no status is computed for them.
"""
_REST = """\
## Provisions that no control serves

Definitions, rules of scope, criteria, fines and powers of authorities; and duties that this release has no control for.

| provision | what it says, in short | applies from | mark |
|---|---|---|---|"""


def page(catalog: Catalog) -> str:
    """Return the whole page in Markdown."""
    served = {name for control in catalog.controls for name in control.obligations}
    rest = (_obligation(one) for name, one in catalog.obligations.items() if name not in served)
    return "\n".join([_HEAD, *("\n".join(_control(one, catalog)) for one in catalog.controls), _REST, *rest, ""])


def _control(control: Control, catalog: Catalog) -> Iterator[str]:
    yield f"## {control.id} {control.title}\n"
    yield f"{control.requirement}.\n"
    if control.trigger:
        yield f"To be shown anew after: {control.trigger}. {_told(control, catalog)}\n"
    for requirement in catalog.of(control.id):
        yield from _requirement(requirement)
    yield "It does not prove:\n"
    yield from (f"- {sentence}" for sentence in control.does_not_prove)
    yield ""
    yield "| provision | what it says, in short | applies from | mark |"
    yield "|---|---|---|---|"
    yield from (_obligation(catalog.obligations[name]) for name in control.obligations)
    yield ""


def _told(control: Control, catalog: Catalog) -> str:
    if any(requirement.triggers for requirement in catalog.of(control.id)):
        return "What statements tell of it stands at the rules."
    return "No statement of this release tells that one happened."


def _requirement(requirement: Requirement) -> Iterator[str]:
    roles = ", ".join(sorted(role.value for role in requirement.issuers))
    yield f"**`{requirement.id}`** asks for {requirement.asks}.\n"
    yield f"- Evidence: `{requirement.evidence}`, by a key of the role {roles}, at least {requirement.strength.text}"
    yield f"- Age: {_age(requirement)}"
    if requirement.about:
        yield f"- Only statements about `{requirement.about}` count"
    if requirement.for_each:
        yield f"- {_population(requirement.for_each)}"
    if requirement.grace:
        yield f"- Pending for {requirement.grace.total_seconds() / 3600:.0f} hours after its member appeared"
    for condition in requirement.conditions:
        instead = f"; then `{condition.next_step}`" if condition.next_step else ""
        yield f"- `{condition.path}` {asked(condition)}, else: {condition.because}{instead}"
    for trigger in requirement.triggers:
        when = "".join(f", {one.path} {asked(one)}" for one in trigger.when)
        yield f"- After `{trigger.evidence}`{when}: anew within {trigger.within.days} days (project)"
    if requirement.contradicted_by:
        yield f"- Contradicted where {requirement.contradicted_by.when.because}"
    if requirement.recount:
        by = requirement.recount
        yield f"- Counted again from the statements of `{by.votes}` and `{by.opening}`"
    yield f"- Next step: `{requirement.next_step}`\n"


def _population(population: Population) -> str:
    only = population.only
    said = f"One for each {population.noun} of `{population.of}`"
    return said + (f", where `{only.of}` says {', '.join(sorted(only.any))} or nothing" if only else "")


def _age(requirement: Requirement) -> str:
    if requirement.freshness is None:
        return "bound to each version, not to a period"
    return f"less than {requirement.freshness.days} days ({requirement.freshness_basis})"


def _obligation(obligation: Obligation) -> str:
    said = obligation.paraphrase or ("*definition or scope*" if obligation.kind == "basis" else "-")
    return f"| {obligation.act} {obligation.provision} | {said} | {_when(obligation)} | {obligation.source} |"


def _when(obligation: Obligation) -> str:
    match obligation.applies_from:
        case None:
            return "-"
        case str():
            return "national act"
        case Mapping() as starts:
            return ", ".join(f"{day} ({name})" for name, day in starts.items())
        case start:
            return str(start)
