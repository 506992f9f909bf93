"""What is stated about the gate, and how it is read back (docs/specs/predicates/model.gated.md and others)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ringfence.artifacts.models.model import ModelId, model_id
from ringfence.artifacts.statements import count, one_of, shaped, tagged
from ringfence.gateway.model import deployment_name
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import Draft, Statement, Strength, Subject
from ringfence.workloads.gatefile import CONDITIONS
from ringfence.workloads.gating.model import Judgement, Mode, Outcome

GATED = PredicateName("model.gated")
APPROVED = PredicateName("model.approved")
MODE = PredicateName("gate.mode_set")
REFUSED = PredicateName("deployment.refused")
MOST_ENTRIES = 32  # statements that a condition names; a longer list is cut, and says so
APPROVE, WITHDRAW = "approve", "withdraw"
_STRENGTHS = {
    GATED: Strength.OBSERVED,
    APPROVED: Strength.DOCUMENTED,
    MODE: Strength.DOCUMENTED,
    REFUSED: Strength.OBSERVED,
}


def gated(found: Judgement, model: ModelId) -> Draft:
    """State the gate's verdict; the sentences go into the details."""
    claims = {
        "model": model,
        "verdict": "pass" if found.passed else "fail",
        "policy": str(found.policy),
        "conditions": [
            {
                "condition": one.name,
                "outcome": one.outcome.value,
                "demanded": one.demanded,
                "entries": list(one.entries[:MOST_ENTRIES]),
                "more": max(0, len(one.entries) - MOST_ENTRIES),
            }
            for one in found.conditions
        ],
    }
    details = {"name": found.about.name, "because": {one.name: one.because[:500] for one in found.conditions}}
    return Draft(GATED, (Subject(f"model/{model}", found.about.digest),), claims, Strength.OBSERVED, details)


def approved(model: ModelId, digest: Digest, decision: str, reason: str) -> Draft:
    """State that a person approves that a model is served, or takes that back."""
    claims = {"model": model, "decision": decision}
    return Draft(APPROVED, (Subject(f"model/{model}", digest),), claims, Strength.DOCUMENTED, {"reason": reason})


def mode_set(mode: Mode, before: Mode, policy: Digest) -> Draft:
    """State that a person sets what follows from the gate, over a file that is named by its digest."""
    claims = {"mode": mode.value, "before": before.value, "policy": str(policy)}
    return Draft(MODE, (Subject("gate/policy", policy),), claims, Strength.DOCUMENTED)


def refused(
    name: str,
    loading: Digest,
    reasons: Sequence[str],
    policy: Digest,
    verdict: int | None,
    by: PersonId,
    turn: int,
) -> Draft:
    """State that something was not served, named by the bytes that would have loaded; in one `turn` it is said once."""
    claims: dict[str, Any] = {
        "deployment": deployment_name(name),
        "reasons": sorted(reasons),
        "policy": str(policy),
        "person": by,
    }
    if verdict is not None:
        claims["verdict"] = verdict
    key = f"deployment.refused/{Digest.of(repr((name, loading, claims, turn)).encode()).hex[:48]}"
    return Draft(REFUSED, (Subject("deployment/asked", loading),), claims, Strength.OBSERVED, idempotency_key=key)


def _conditions(value: object) -> object:
    if not isinstance(value, list) or [one.get("condition") if isinstance(one, dict) else None for one in value] != [
        *CONDITIONS
    ]:
        raise MalformedInput(f"it lists, each once and in this order, {', '.join(CONDITIONS)}")
    for one in value:
        if one.keys() != {"condition", "outcome", "demanded", "entries", "more"} or not isinstance(
            one["demanded"], bool
        ):
            raise MalformedInput("a condition has condition, outcome, demanded, entries and more")
        one_of(*(each.value for each in Outcome))(one["outcome"])
        count(one["more"])
        if not isinstance(one["entries"], list) or len(one["entries"]) > MOST_ENTRIES:
            raise MalformedInput(f"entries are at most {MOST_ENTRIES}")
        for entry in one["entries"]:
            count(entry)
    return value


_SHAPES: Mapping[PredicateName, Mapping[str, Callable[[object], object]]] = {
    GATED: {"model": model_id, "verdict": one_of("pass", "fail"), "policy": tagged, "conditions": _conditions},
    APPROVED: {"model": model_id, "decision": one_of(APPROVE, WITHDRAW)},
    MODE: {
        "mode": one_of(*(one.value for one in Mode)),
        "before": one_of(*(one.value for one in Mode)),
        "policy": tagged,
    },
}


def claims_of(statement: Statement, expected: PredicateName) -> Mapping[str, Any]:
    """Return the claims of a statement if it is one of ours; raise `MalformedInput` or `Refused`."""
    if statement.predicate != expected:
        raise MalformedInput(f"this address takes {expected}, not {statement.predicate}")
    strength = _STRENGTHS[expected]
    if statement.issuance.strength is not strength:
        raise Refused(f"{expected} has strength {strength.text}, not {statement.issuance.strength.text}")
    claims = shaped(statement, _SHAPES[expected])
    named = "gate/policy" if expected == MODE else f"model/{claims['model']}"
    if [subject.name for subject in statement.subjects] != [named]:
        raise MalformedInput("the statement's one subject is what its claims name")
    if expected == MODE and statement.subjects[0].digest != Digest.parse(claims["policy"]):
        raise MalformedInput("the subject's digest is that of the file")
    if expected == GATED and (claims["verdict"] == "pass") != _passes(claims["conditions"]):
        raise MalformedInput("the verdict is not the one that the conditions demand")
    return claims


def _passes(conditions: Sequence[Mapping[str, Any]]) -> bool:
    demanded = [one for one in conditions if one["demanded"]]
    return bool(demanded) and all(one["outcome"] != Outcome.UNMET for one in demanded)
