"""Steps `scope` and `status`: what binds the sample organisation, and what can be shown today."""

from importlib import resources
from typing import Any

from ringfence.kernel.errors import VerificationFailed
from ringfence.obligations.domains import document_without_evidence
from ringfence.tour.stage import Stage

COLLECTED = (
    "access.register",
    "key.lifecycle",
    "log.heartbeat",
    "log.chain_verified",
    "incident.register",
    "retention.register",
)
_APART = frozenset({"upcoming", "not-applicable"})  # counted, and not told one by one
_HOW_MANY = "{} more controls; `ringfence status` counts them by domain, `ringfence status --all` lists them"


def scope(stage: Stage) -> dict[str, Any]:
    """Classify the sample organisation, and hold the answer against the expected one."""
    organisation = stage.work / "organisation.yaml"
    sample = resources.files("ringfence.obligations") / "data" / "samples" / "sample.yaml"
    organisation.write_text(sample.read_text(encoding="utf-8"), encoding="utf-8")
    answer = stage.expect("scope", str(organisation), "--sign")
    found = {
        "category": answer["nis2"]["category"],
        "provision": answer["nis2"]["provision"],
        "binds_2690": answer["binds_2690"],
        "jurisdiction": answer["jurisdiction"],
        "supply_chain_duty_only": answer["supply_chain_duty_only"],
        "high_risk_from": sorted(
            str(system["applies_from"]) for system in answer["ai_act"] if str(system["class"]).startswith("high_risk")
        ),
    }
    _assert_expected(found)
    return found


def _assert_expected(found: dict[str, Any]) -> None:
    expected = {"category": "important", "binds_2690": True, "jurisdiction": "DE", "supply_chain_duty_only": False}
    for name, value in expected.items():
        if found[name] != value:
            raise VerificationFailed(f"the sample organisation's {name} should be {value!r}, not {found[name]!r}")
    if "3(2)" not in str(found["provision"]) or not found["high_risk_from"]:
        raise VerificationFailed(f"the sample organisation should be important by 3(2) with high-risk duties: {found}")


def status(stage: Stage) -> dict[str, Any]:
    """Collect, export a head, and compute the board; at least one control with evidence must be red."""
    for evidence_type in COLLECTED:
        stage.expect("record", evidence_type)
    _review(stage)
    stage.expect("ledger", "head", "-o", str(stage.work / "trust.json"))
    board = stage.expect("status")
    bare = [item for item in board["controls"] if document_without_evidence(item)]
    told = [item for item in board["controls"] if item not in bare and item["state"] not in _APART]
    red = [item for item in told if item["state"] == "not-satisfied"]
    if not red or not any(item["state"] == "satisfied" for item in told):
        raise VerificationFailed("the tour's board should show controls of both kinds: satisfied and not satisfied")
    return {
        "counts": board["counts"],
        "controls": {item["id"]: {"state": item["state"], "because": item["because"]} for item in told},
        "not_satisfied": {item["id"]: item["because"] for item in red},
        "without any evidence": _HOW_MANY.format(len(bare)),
        "anchored_outside_until": board["anchored_outside_until"],
    }


def _review(stage: Stage) -> None:
    """Review who has access: nobody decides about themselves; a review of a tour that was ended goes on."""
    known = stage.expect("user", "review", "list").get("reviews", [])
    started = [review for review in known if not review["closed_at"]] or [stage.expect("user", "review", "start")]
    for entry in started[0].get("entries", []):
        by = stage.security if entry["subject"] == stage.owner else stage.owner
        stage.expect("user", "review", "decide", started[0]["review"], entry["subject"], "confirmed", by=by)
    if started[0]:
        stage.expect("user", "review", "close", started[0]["review"])
