"""The domains that controls are grouped by, and the controls that no statement speaks of yet."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ringfence.kernel.errors import NotFound
from ringfence.obligations.results import APART, ControlResult, Reason, State

NAMES: Mapping[str, str] = {
    "GOV": "Governance and classification",
    "RSK": "Risk",
    "AST": "Assets and data",
    "SUP": "Supply chain",
    "DAT": "Dataset integrity",
    "MOD": "Model integrity",
    "SEC": "Platform security",
    "IAM": "Identity and access",
    "LOG": "Logging and monitoring",
    "INC": "Incidents",
    "BCM": "Continuity",
    "DEV": "Secure development and vulnerabilities",
    "TST": "Effectiveness testing",
    "HYG": "People",
    "AIA": "AI Act conformity and transparency",
}


def of(control: str) -> str:
    """Return the domain of a control's id."""
    return control.partition("-")[0]


def named(domain: str) -> str:
    """Return the name of a domain; raise `NotFound` with those that there are."""
    if domain in NAMES:
        return NAMES[domain]
    raise NotFound(f"there is no domain {domain[:40]!r}; there are {', '.join(NAMES)}")


def by_domain(controls: Iterable[ControlResult]) -> dict[str, list[ControlResult]]:
    """Group controls, in the order of the catalogue."""
    found: dict[str, list[ControlResult]] = {}
    for result in controls:
        found.setdefault(of(result.control.id), []).append(result)
    return found


def without_evidence(result: ControlResult) -> bool:
    """Tell whether a control is open and no statement of a type that it asks for was ever recorded."""
    open_ = result.verdict.state is State.NOT_SATISFIED and result.verdict.reason is Reason.MISSING
    return open_ and _unspoken(result)


def quiet(result: ControlResult) -> bool:
    """Tell whether a control has nothing to say today: it has no evidence, and is open for that alone or not asked."""
    return without_evidence(result) or (result.verdict.state in APART and _unspoken(result))


def _unspoken(result: ControlResult) -> bool:
    return not any(
        part.ignored_total or any(found.predicate == part.requirement.evidence for found in part.rests_on)
        for part in result.requirements
    )


def document_without_evidence(control: Mapping[str, Any]) -> bool:
    """Tell the same as `without_evidence` from the document of a control."""
    return (
        control["state"] == State.NOT_SATISFIED
        and control["reason"] == Reason.MISSING
        and not any(_speaks(part) for part in control["requirements"])
    )


def _speaks(part: Mapping[str, Any]) -> bool:
    return bool(part["ignored_total"]) or any(found["predicate"] == part["evidence"] for found in part["rests_on"])


def counted(controls: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count the documents of controls by domain."""
    found: dict[str, int] = {}
    for control in controls:
        domain = of(control["id"])
        found[domain] = found.get(domain, 0) + 1
    return found
