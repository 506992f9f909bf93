"""Cedar decides whether a model is served; any doubt is a denial (see `ringfence.identity.policy` for why)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

import cedarpy

from ringfence.identity.policy import Policies
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId
from ringfence.workloads.gatefile import GateFile
from ringfence.workloads.gating.model import InForce, Judgement, Stated

MINUTE = timedelta(minutes=1)
WAITING = "`ringfence model waiting` lists what waits for a decision"
WORDS: Mapping[str, str] = {
    "bytes-from-outside-wait-for-a-decision": "the bytes came from outside and nobody let them in",
    "the-bytes-are-those-that-are-asked-about": "other bytes are asked about than are open",
    "an-enforced-gate-has-a-verdict-on-these-bytes": "no verdict of the gate on these bytes is stated",
    "the-verdict-is-not-too-old": "the verdict is missing or too old",
    "the-file-is-the-one-that-was-signed": "the gate file is not the one that was signed and judged by",
    "every-condition-is-met": "a demanded condition is not met",
    "every-condition-is-met-still": "a demanded condition is not met now, whatever the verdict said",
    "an-enforced-gate-attaches-no-unseen-bytes": "the gate is enforced, and nobody sees an attached engine's bytes",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is known when somebody wants to serve a model."""

    person: PersonId
    asked: Digest  # the model that is asked about
    loading: Digest  # what is open
    held_back: bool
    staging: bool
    in_force: InForce
    file: GateFile
    verdict: Stated | None
    at: datetime
    now: Judgement | None = None  # what the conditions come to at that time; None: nobody looked

    def context(self) -> dict[str, Any]:
        """Return it as the policies read it."""
        found: dict[str, Any] = {
            "mode": self.in_force.mode.value,
            "loading": str(self.loading),
            "heldBack": self.held_back,
            "staging": self.staging,
            "oldestMinutes": self.file.gate.verdict // MINUTE,
            "policyNow": str(self.file.digest),
        }
        if self.in_force.policy is not None:
            found["policySigned"] = str(self.in_force.policy)
        if self.verdict is not None:
            found["verdict"] = {
                "passed": self.verdict.passed,
                "unmet": list(self.verdict.unmet),
                "ageMinutes": (self.at - self.verdict.at) // MINUTE,
                "policy": str(self.verdict.policy),
                "digest": str(self.verdict.digest),
            }
        if self.now is not None:
            found["now"] = {"passed": self.now.passed, "unmet": list(self.now.unmet)}
        return found


def next_step(question: Question, denied: Collection[str]) -> str:
    """Say what opens the gate first, of everything that keeps it shut; whoever did that asks again."""
    judge = f"have it judged: `ringfence gate {question.asked}`"
    if "bytes-from-outside-wait-for-a-decision" in denied:
        return WAITING
    if "the-file-is-the-one-that-was-signed" in denied and question.in_force.policy != question.file.digest:
        return "a person signs the file as it is: `ringfence gate --mode enforce`; then " + judge
    unmet = question.now.unmet if question.now is not None else ()
    if "every-condition-is-met-still" in denied and unmet:
        return f"supply what is missing ({', '.join(unmet)}), then {judge}"
    return judge


@cache
def shipped() -> Policies:
    """Return the policies that ship with Ringfence, validated against their schema."""
    return Policies.parse(_data("serve.cedar"), _data("serve.cedarschema"))


def _data(name: str) -> str:
    return (resources.files("ringfence.workloads.gating") / "data" / name).read_text(encoding="utf-8")


def serve(question: Question) -> list[str]:
    """Return the rules that forbid to serve a model; none where it may be served."""
    return denials("serve", question.person, ("Model", {"digest": str(question.asked)}), question.context())


def attach(person: PersonId, in_force: InForce, file: GateFile, *, held_back: bool) -> list[str]:
    """Return the rules that forbid to attach an engine by its address; `held_back` is what it is declared to have."""
    context: dict[str, Any] = {
        "mode": in_force.mode.value,
        "heldBack": held_back,
        "attached": file.gate.attached,
        "policyNow": str(file.digest),
    }
    if in_force.policy is not None:
        context["policySigned"] = str(in_force.policy)
    return denials("attach", person, ("Endpoint", {}), context)


def denials(
    action: str, person: str, resource: tuple[str, Mapping[str, Any]], context: Mapping[str, Any], policies: Any = None
) -> list[str]:
    """Ask the engine; a request that does not fit the schema, and any diagnostic, is a denial without a rule's name."""
    used = policies or shipped()
    kind, attributes = resource
    who, what = {"type": "Person", "id": person}, {"type": kind, "id": "asked"}
    entities: list[dict[Any, Any]] = [
        {"uid": who, "attrs": {}, "parents": []},
        {"uid": what, "attrs": dict(attributes), "parents": []},
    ]
    request = {
        "principal": who,
        "action": {"type": "Action", "id": action},
        "resource": what,
        "context": dict(context),
    }
    try:
        answer: Any = cedarpy.is_authorized(request, used.policies, entities, schema=used.schema)
    except ValueError:
        return ["the-request-does-not-fit"]
    if answer.diagnostics.errors:
        return ["the-policies-fail"]
    if answer.allowed:
        return []
    return sorted(answer.diagnostics.id_annotations_by_reason.values()) or ["nothing-permits-it"]
