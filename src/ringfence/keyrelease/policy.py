"""Cedar decides whether a key is released; any doubt is a denial.

The engine skips a `forbid` whose condition fails with an error (a missing attribute, say), so that an answer with any
diagnostic error counts as a denial here, whatever the decision says.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import cedarpy

from ringfence.kernel.cedar import PolicySet
from ringfence.keyrelease.model import Answer, Denial, Facts

ERROR = "policy-error"


@dataclass(frozen=True, slots=True)
class ReleasePolicy(PolicySet):
    """Who may get a key, as the engine decides it."""

    def __call__(self, facts: Facts) -> Answer:
        """Return whether the key may go to the node, and which rules stand against it."""
        return self.decide(request_of(facts))

    def decide(self, request: "Request", *, validated: bool = True) -> Answer:
        """Ask the engine; `validated` is always set but in the tests that look at the engine without its schema."""
        schema = {"schema": self.schema} if validated else {}
        try:
            answer = cedarpy.is_authorized(request.request, self.policies, request.entities, **schema)
        except ValueError:
            return Answer(allowed=False, because=(ERROR,))
        if answer.diagnostics.errors or not (answer.allowed or answer.decision == cedarpy.Decision.Deny):
            return Answer(allowed=False, because=(ERROR,))
        if answer.allowed:
            return Answer(allowed=True, because=())
        forbidding = sorted(answer.diagnostics.id_annotations_by_reason.values())
        return Answer(allowed=False, because=tuple(forbidding) or (Denial.POLICY.value,))


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the engine takes it."""

    request: dict[str, Any]
    entities: list[dict[Any, Any]]


def request_of(facts: Facts) -> Request:
    """Return the request of some facts; a dataset without a rule permits nothing."""
    node = {"type": "Node", "id": facts.target.node}
    dataset = {"type": "Dataset", "id": facts.dataset.dataset}
    owner, home = ({"type": "Tenant", "id": each} for each in (facts.dataset.tenant, facts.target.tenant))
    rule = facts.rule.rule if facts.rule else None
    appraisal = facts.judgement.appraisal
    allowed: dict[str, Any] = {
        "tenant": {"__entity": owner},
        "purposes": sorted(rule.purposes) if rule else [],
        "workloads": sorted(map(str, rule.workloads)) if rule else [],
        "classes": sorted(rule.classes) if rule else [],
        "families": sorted(rule.families) if rule else [],
        "places": sorted(rule.places) if rule else [],
        "placeKinds": sorted(kind.value for kind in rule.place_kinds) if rule else [],
        "softwareTpm": rule is not None and rule.software_tpm,
    }
    of_node = {
        "tenant": {"__entity": home},
        "class": facts.target.node_class,
        "ready": facts.target.ready,
        "cutOff": facts.target.cut_off,
    }
    context = {
        "purpose": facts.wish.purpose,
        "workload": str(facts.wish.workload),
        "family": facts.judgement.family,
        "acceptable": facts.judgement.acceptable,
        "softwareTpm": appraisal is None or appraisal.software_tpm,
        "demo": facts.demo,
        "place": facts.place.country,
        "placeKind": facts.place.kind.value,
        "deviceElsewhere": facts.device_elsewhere,
        "requesterAllowed": facts.requester_allowed,
    }
    request = {
        "principal": node,
        "action": {"type": "Action", "id": "release"},
        "resource": dataset,
        "context": context,
    }
    entities: list[dict[Any, Any]] = [
        {"uid": node, "attrs": of_node, "parents": []},
        {"uid": dataset, "attrs": allowed, "parents": []},
        *({"uid": each, "attrs": {}, "parents": []} for each in ([owner] if owner == home else [owner, home])),
    ]
    return Request(request, entities)


@cache
def shipped() -> ReleasePolicy:
    """Return the policy that ships with Ringfence."""
    return ReleasePolicy.parse(_data("release.cedar"), _data("release.cedarschema"))


def _data(name: str) -> str:
    return (resources.files("ringfence.keyrelease") / "data" / name).read_text(encoding="utf-8")
