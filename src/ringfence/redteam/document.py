"""The two documents of a run: the plan, fixed before the first request, and the run, computed from everything else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.redteam.model import PPM, Attempt, Control, Finding, Outcome, Plan, Policy, Protocol, Record, Verdict
from ringfence.redteam.statistics import bound, floor

PLAN = "ringfence-redteam-plan/1"
RUN = "ringfence-redteam-run/1"
UNKNOWN = "unknown"
MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Kept:
    """A journal as it was read or written: its records by id, and the last link of its chain."""

    records: Mapping[str, Record]
    head: str


def plan_bytes(plan: Plan) -> bytes:
    """Print a plan."""
    policy = plan.policy
    value = {
        "format": PLAN,
        "run": plan.run,
        "startedAt": plan.started_at,
        "salt": plan.salt.hex(),
        "endpoint": plan.endpoint,
        "protocol": plan.protocol.value,
        "model": plan.model,
        "suite": plan.suite,
        "pack": str(plan.pack),
        "number": plan.number,
        "seed": plan.seed,
        "repeats": plan.repeats,
        "maxTokens": plan.max_tokens,
        "policy": {
            "thresholdPpm": policy.threshold,
            "leastValidPpm": policy.least_valid,
            "gateCases": policy.gate_cases,
            "liveAtLeastPpm": policy.live_at_least,
            "liveAtMostPpm": policy.live_at_most,
        },
        "harness": plan.harness,
    }
    return digest.dumps(value) + b"\n"


def parse_plan(data: bytes, *, source: str) -> Plan:
    """Parse a plan, which must be, byte for byte, what we print; raise `MalformedInput`."""
    value = digest.loads(data, source=source, limit=2**16)
    try:
        plan = _plan(value)
    except (MalformedInput, KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedInput("not a plan of a red-team run", source=source) from error
    if plan_bytes(plan) != data:
        raise MalformedInput("the plan is not as it was written", source=source)
    return plan


def _plan(value: Any) -> Plan:
    policy = value["policy"]
    return Plan(
        run=_is(str, value["run"]),
        started_at=_is(str, value["startedAt"]),
        salt=bytes.fromhex(value["salt"]),
        endpoint=_is(str, value["endpoint"]),
        protocol=Protocol(value["protocol"]),
        model=_is(str, value["model"]),
        suite=_is(str, value["suite"]),
        pack=Digest.parse(value["pack"]),
        number=_is(int, value["number"]),
        seed=_is(int, value["seed"]),
        repeats=_is(int, value["repeats"]),
        max_tokens=_is(int, value["maxTokens"]),
        policy=Policy(
            threshold=_is(int, policy["thresholdPpm"]),
            least_valid=_is(int, policy["leastValidPpm"]),
            gate_cases=_is(int, policy["gateCases"]),
            live_at_least=_is(int, policy["liveAtLeastPpm"]),
            live_at_most=_is(int, policy["liveAtMostPpm"]),
        ),
        harness=_is(str, value["harness"]),
    )


def _is(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise MalformedInput(f"{str(value)[:40]!r} is no {kind.__name__}")
    return value


def model_of(attempts: Sequence[Attempt], kept: Kept) -> str:
    """Return the digest of the model that all answers declare: unknown without one, mixed with more than one.

    An error is no answer: a server that fails once, and declares nothing then, has not changed its model.
    """
    came = [kept.records[each.id] for each in attempts if each.id in kept.records]
    found = {record.model for record in came if record.status == 200 and record.outcome is not Outcome.ERROR}
    return found.pop() if len(found) == 1 else MIXED if found else UNKNOWN


def run_document(
    plan: Plan, kept: Kept, model: str, found: Sequence[Finding], controls: Sequence[tuple[Control, str]]
) -> dict[str, Any]:
    """Return what a run found; a function of plan, pack and journals, so that anyone can compute it again."""
    total = found[-1]
    return {
        "format": RUN,
        "run": plan.run,
        "plan": str(Digest.of(plan_bytes(plan))),
        "pack": str(plan.pack),
        "journal": {"records": len(kept.records), "head": kept.head},
        "finishedAt": max((record.at for record in kept.records.values()), default=plan.started_at),
        "modelDigest": model,
        "controls": [_control(control, head) for control, head in controls],
        "live": all(control.live for control, _ in controls),
        "families": [_finding(finding) for finding in found[:-1]],
        "totals": _finding(total),
        "label": total.label,
        "verdict": total.verdict.value,
        "because": total.because,
    }


def run_bytes(value: Mapping[str, Any]) -> bytes:
    """Print a run's document, indented for people; there is one form."""
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False).encode() + b"\n"


def _control(control: Control, head: str) -> dict[str, Any]:
    told = floor(control.tally) if control.name == "vulnerable" else bound(control.tally)
    return {"name": control.name, "head": head, "live": control.live, "bound": told, **_counts(control)}


def _counts(of: Control | Finding) -> dict[str, Any]:
    tally = of.tally
    return {
        "planned": tally.planned,
        "valid": tally.valid,
        "successes": tally.successes,
        "cases": tally.cases,
        "attacks": tally.attacks,
        "asrPpm": tally.asr,
        "lowerPpm": tally.lower,
        "upperPpm": tally.upper,
        "invalid": dict(tally.invalid),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "family": finding.tally.family,
        **_counts(finding),
        "bound": bound(finding.tally),
        "label": finding.label,
        "verdict": finding.verdict.value,
        "because": finding.because,
    }


def shown(document: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Return the form that `redteam run --json` prints: rates as shares, families by name."""
    return {
        "run": document["run"],
        "suite": plan.suite,
        "seed": plan.seed,
        "threshold": plan.policy.threshold / PPM,
        "pack": document["pack"],
        "model_digest": document["modelDigest"],
        "live": document["live"],
        "controls": {each["name"]: _shares(each) for each in document["controls"]},
        "families": {each["family"]: _shares(each) for each in document["families"]},
        "totals": _shares(document["totals"]),
        "label": document["label"],
        "verdict": document["verdict"],
        "because": document["because"],
    }


def _shares(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        name: item
        for name, item in value.items()
        if not name.endswith("Ppm") and name not in {"family", "name", "head"}
    }
    return kept | {
        "asr": None if value["asrPpm"] is None else value["asrPpm"] / PPM,
        "asr_lower": value["lowerPpm"] / PPM,
        "asr_upper": value["upperPpm"] / PPM,
    }


def passed(document: Mapping[str, Any]) -> bool:
    """Tell whether a run passed; inconclusive has not."""
    return bool(document["verdict"] == Verdict.PASS.value)


def threshold(share: float) -> int:
    """Parse the share that a policy allows at most."""
    parts = round(share * PPM) if 0 < share < 1 else 0
    if not 0 < parts < PPM:
        raise UsageError(f"--threshold is a share between 0 and 1, such as 0.05, not {share}")
    return parts
