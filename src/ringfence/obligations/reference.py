"""The catalogue as a page of the documentation, so that the page cannot say anything else than the data."""

from collections.abc import Iterator

from ringfence.obligations.model import Catalog, Condition, Control, Obligation, Requirement

_HEAD = """\
# Controls

This page is made from `src/ringfence/obligations/data/`; a test fails where the two differ. To make it anew:
`python -c "from ringfence.obligations import catalog, reference; print(reference.page(catalog.load()), end='')"`.

The legal column is a paraphrase for orientation, not legal text and not advice. Marks: **V** article text read in a
stored copy, **S** secondary pages only, **-** the stored law data name the provision and say nothing else about it.
Which provision a control serves is our own mapping. A period is a default of this project unless it says *law*.
DORA, ISO 27001, BSI C5 and SecNumCloud references stand in the data (`maps`); no status is computed for them.
"""


def page(catalog: Catalog) -> str:
    """Return the whole page in Markdown."""
    return "\n".join([_HEAD, *("\n".join(_control(control, catalog)) for control in catalog.controls)])


def _control(control: Control, catalog: Catalog) -> Iterator[str]:
    yield f"## {control.id} {control.title}\n"
    yield f"{control.requirement}.\n"
    if control.trigger:
        yield f"To be shown anew after: {control.trigger}. No statement of this release tells that one happened.\n"
    for requirement in catalog.of(control.id):
        yield from _requirement(requirement)
    yield "It does not prove:\n"
    yield from (f"- {sentence}" for sentence in control.does_not_prove)
    yield ""
    yield "| provision | what it says, in short | applies from | mark |"
    yield "|---|---|---|---|"
    yield from (_obligation(catalog.obligations[name]) for name in control.obligations)
    yield ""


def _requirement(requirement: Requirement) -> Iterator[str]:
    roles = ", ".join(sorted(role.value for role in requirement.issuers))
    yield f"**`{requirement.id}`** asks for {requirement.asks}.\n"
    yield f"- Evidence: `{requirement.evidence}`, by a key of the role {roles}, at least {requirement.strength.text}"
    yield f"- Age: {_age(requirement)}"
    if requirement.grace:
        yield f"- Pending for {requirement.grace.total_seconds() / 3600:.0f} hours after its member appeared"
    yield from (
        f"- `{condition.path}` {_asked(condition)}, else: {condition.because}" for condition in requirement.conditions
    )
    if requirement.contradicted_by:
        yield f"- Contradicted where {requirement.contradicted_by.when.because}"
    yield f"- Next step: `{requirement.next_step}`\n"


def _age(requirement: Requirement) -> str:
    if requirement.freshness is None:
        return "bound to each version, not to a period"
    return f"less than {requirement.freshness.days} days ({requirement.freshness_basis})"


def _asked(condition: Condition) -> str:
    value = ", ".join(condition.value) if isinstance(condition.value, tuple) else condition.value
    return f"{condition.op.value.replace('-', ' ')} {'' if value is None else value}".strip()


def _obligation(obligation: Obligation) -> str:
    start = obligation.applies_from
    if isinstance(start, str):
        when = "national act"
    elif start is None:
        when = "-"
    else:
        when = (
            str(start) if not hasattr(start, "items") else ", ".join(f"{day} ({name})" for name, day in start.items())
        )
    said = obligation.paraphrase or ("*definition or scope*" if obligation.kind == "basis" else "-")
    return f"| {obligation.act} {obligation.provision} | {said} | {when} | {obligation.source} |"
