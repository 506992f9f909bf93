"""The form in which front ends show the gate. Pure."""

from typing import Any

from ringfence.artifacts.models.model import Recorded
from ringfence.kernel.clock import to_text
from ringfence.workloads.gatefile import GateFile
from ringfence.workloads.gating.model import InForce, Judgement, Stated


def judgement(found: Judgement) -> dict[str, Any]:
    """Return a verdict with its reasons."""
    return {
        "name": found.about.name,
        "model": found.about.model,
        "digest": str(found.about.digest),
        "verdict": "pass" if found.passed else "fail",
        "unmet": list(found.unmet),
        "policy": str(found.policy),
        "at": to_text(found.at),
        "conditions": [
            {
                "condition": one.name,
                "outcome": one.outcome.value,
                "demanded": one.demanded,
                "because": one.because,
                "entries": list(one.entries),
            }
            for one in found.conditions
        ],
    }


def in_force(found: InForce, file: GateFile) -> dict[str, Any]:
    """Return the mode, and whether the file is still the one that was signed."""
    return {
        "mode": found.mode.value,
        "entry": found.entry,
        "by": found.by or "",
        "policy_signed": str(found.policy) if found.policy else None,
        "policy": str(file.digest),
        "same_file": found.policy == file.digest,
        "verdict_hours": int(file.gate.verdict.total_seconds() // 3600),
        "demands": list(file.gate.demands),
        "approvals": file.gate.approvals,
    }


def stated(model: Recorded, verdict: Stated | None) -> dict[str, Any]:
    """Return a signed model with the newest verdict on it."""
    return {
        "model": model.model,
        "name": model.name,
        "digest": str(model.digest),
        "verdict": None
        if verdict is None
        else {
            "verdict": "pass" if verdict.passed else "fail",
            "unmet": list(verdict.unmet),
            "entry": verdict.entry,
            "at": to_text(verdict.at),
            "policy": str(verdict.policy),
        },
    }
