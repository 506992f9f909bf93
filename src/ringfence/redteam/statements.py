"""What is stated about a red-team run, and how it is read back (docs/specs/predicates/redteam.run.md)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Statement, Strength, Subject
from ringfence.redteam.document import MIXED, UNKNOWN, run_bytes
from ringfence.redteam.model import PPM, Plan, Verdict
from ringfence.redteam.pack import MAX_FAMILIES

RUN = PredicateName("redteam.run")
STRENGTH = Strength.OBSERVED
_ID = re.compile(r"[0-9a-f]{16}")
_WORD = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}")
_COUNTS = ("planned", "valid", "successes", "cases", "attacks")


def run(plan: Plan, document: Mapping[str, Any]) -> Draft:
    """State what a run found; the endpoint's address and the model's name go into the erasable details."""
    digest = Digest.of(run_bytes(document))
    claims: dict[str, Any] = {
        "run": plan.run,
        "suite": plan.suite,
        "pack": document["pack"],
        "plan": document["plan"],
        "journal": document["journal"]["head"],
        "startedAt": plan.started_at,
        "finishedAt": document["finishedAt"],
        "seed": plan.seed,
        "thresholdPpm": plan.policy.threshold,
        "leastValidPpm": plan.policy.least_valid,
        "gateCases": plan.policy.gate_cases,
        "live": document["live"],
        "families": [{"family": each["family"], **_counted(each)} for each in document["families"]],
        "totals": _counted(document["totals"]),
        "label": document["label"],
        "verdict": document["verdict"],
    }
    if document["modelDigest"] not in {UNKNOWN, MIXED}:
        claims["modelDigest"] = document["modelDigest"]
    details = {"endpoint": plan.endpoint, "model": plan.model}
    return Draft(RUN, (Subject(f"redteam/{plan.run}", digest),), claims, STRENGTH, details, f"redteam.run/{digest.hex}")


def _counted(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value[name] for name in (*_COUNTS, "upperPpm", "lowerPpm", "verdict", "label")}
    return kept | ({} if value["asrPpm"] is None else {"asrPpm": value["asrPpm"]})


def check(statement: Statement) -> Statement:
    """Return a statement that is one of ours, or raise."""
    if statement.predicate != RUN:
        raise MalformedInput(f"this address takes {RUN}, not {statement.predicate}")
    if statement.issuance.strength is not STRENGTH:
        raise Refused(f"{RUN} has strength {STRENGTH.text}, not {statement.issuance.strength.text}")
    claims = statement.claims
    if not _REQUIRED.keys() <= claims.keys() <= _REQUIRED.keys() | {"modelDigest"}:
        raise MalformedInput(f"the claims of {RUN} are {', '.join(_REQUIRED)}, and modelDigest where one was declared")
    for name, value in claims.items():
        try:
            (_REQUIRED | {"modelDigest": _digest})[name](value)
        except MalformedInput as error:
            raise MalformedInput(f"claim {name}: {error}") from error
    if [one.name for one in statement.subjects] != [f"redteam/{claims['run']}"]:
        raise MalformedInput("the subject of a run is redteam/ and its id, with the digest of run.json")
    _check_labels(claims)
    _check_verdicts(claims)
    return statement


def _check_labels(claims: Mapping[str, Any]) -> None:
    """Refuse a family that stands there twice, and a gate of too few cases."""
    families = claims["families"]
    gates = [each["cases"] >= claims["gateCases"] for each in families]
    labels = [each["label"] == "gate" for each in families]
    if len({each["family"] for each in families}) < len(families) or labels != gates:
        raise MalformedInput(
            "a family stands there once, and is a gate exactly where it has as many cases as that asks"
        )
    if {claims["label"], claims["totals"]["label"]} != {"gate" if all(gates) else "smoke"}:
        raise MalformedInput("a run is a gate exactly where every family is")


def _check_verdicts(claims: Mapping[str, Any]) -> None:
    """Refuse what cannot be: a pass above its threshold, of too few valid attempts, or without live controls."""
    for each in (*claims["families"], claims["totals"]):
        if each["verdict"] != Verdict.PASS.value:
            continue
        enough = each["valid"] * PPM >= claims["leastValidPpm"] * each["planned"] > 0
        is_family = "family" in each
        if not claims["live"] or not enough or (is_family and each["upperPpm"] > claims["thresholdPpm"]):
            raise MalformedInput(
                "a family passes only below its threshold, with enough valid attempts and live controls"
            )
    verdicts = {each["verdict"] for each in claims["families"]}
    if claims["verdict"] != claims["totals"]["verdict"] or (claims["verdict"] == "pass" and verdicts != {"pass"}):
        raise MalformedInput("a run passes exactly where every family does")


def _one_of(*allowed: str) -> Callable[[object], object]:
    def one(value: object) -> object:
        if value not in allowed or not isinstance(value, str):
            raise MalformedInput(f"it is one of {', '.join(allowed)}")
        return value

    return one


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[object], object]:
    def matching(value: object) -> object:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise MalformedInput(f"it is {what}")
        return value

    return matching


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise MalformedInput("it is a number, at least 0")
    return value


def _whole(value: object) -> int:
    if type(value) is not int:
        raise MalformedInput("it is a whole number")
    return value


def _share(value: object) -> int:
    if _count(value) > PPM:
        raise MalformedInput(f"it is a share in parts per million, at most {PPM}")
    return _count(value)


def _digest(value: object) -> Digest:
    found = Digest.parse(value)
    if str(found) != value:
        raise MalformedInput("it is written sha256:<hex>")
    return found


def _truth(value: object) -> object:
    if type(value) is not bool:
        raise MalformedInput("it is true or false")
    return value


def _counts(value: object) -> None:
    if not isinstance(value, dict) or not _COUNTED.keys() <= value.keys() <= _COUNTED.keys() | {"asrPpm"}:
        raise MalformedInput(f"it has {', '.join(_COUNTED)}, and asrPpm where something was valid")
    for name, one in value.items():
        (_COUNTED | {"asrPpm": _share})[name](one)
    if not value["successes"] <= value["valid"] <= value["planned"]:
        raise MalformedInput("successes are among the valid attempts, and those among the planned")


def _families(value: object) -> None:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_FAMILIES:
        raise MalformedInput(f"it lists 1 to {MAX_FAMILIES} families")
    for each in value:
        if not isinstance(each, dict):
            raise MalformedInput("a family is an object")
        _matching(_WORD, "a family's name")(each.get("family"))
        _counts({name: one for name, one in each.items() if name != "family"})


_VERDICT = _one_of(*(verdict.value for verdict in Verdict))
_LABEL = _one_of("gate", "smoke")
_COUNTED: dict[str, Callable[[object], object]] = {
    **dict.fromkeys(_COUNTS, _count),
    "upperPpm": _share,
    "lowerPpm": _share,
    "verdict": _VERDICT,
    "label": _LABEL,
}
_REQUIRED: dict[str, Callable[[object], object]] = {
    "run": _matching(_ID, "16 hexadecimal digits"),
    "suite": _matching(_WORD, "a suite's name"),
    "pack": _digest,
    "plan": _digest,
    "journal": _matching(re.compile(r"[0-9a-f]{64}"), "64 hexadecimal digits"),
    "startedAt": from_text,
    "finishedAt": from_text,
    "seed": _whole,
    "thresholdPpm": _share,
    "leastValidPpm": _share,
    "gateCases": _count,
    "live": _truth,
    "families": _families,
    "totals": _counts,
    "label": _LABEL,
    "verdict": _VERDICT,
}
