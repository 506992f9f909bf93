"""The form in which front ends show intakes. Pure."""

from typing import Any

from ringfence.kernel.clock import to_text
from ringfence.workloads.gatefile import GateFile
from ringfence.workloads.intake.model import Intake


def intake(found: Intake, because: str) -> dict[str, Any]:
    """Return an intake; `because` says why it cannot be accepted."""
    decided = found.decided
    return {
        "intake": found.id,
        "model": found.model,
        "name": found.name,
        "digest": str(found.digest),
        "files": found.count,
        "bytes": found.bytes,
        "source": found.source.value,
        "licence": found.told.licence,
        "country": found.told.country,
        "owner": found.told.owner,
        "from": found.told.origin,
        "expected": str(found.told.expected),
        "entry": found.entry,
        "at": to_text(found.at),
        "by": found.by or "",
        "scan": found.scan.value if found.scan else None,
        "scan_entry": found.scan_entry,
        "state": found.state.value,
        "not_acceptable": because,
        "decision": None
        if decided is None
        else {"entry": decided.entry, "at": to_text(decided.at), "by": decided.by or "", "reason": decided.reason},
    }


def rules(file: GateFile) -> dict[str, Any]:
    """Return what is asked of models from outside."""
    asked = file.intake
    return {
        "policy": str(file.digest),
        "origins": sorted(asked.origins),
        "licences": sorted(asked.licences),
        "countries": sorted(asked.countries),
        "largest": asked.largest,
        "accept_unknown": asked.accept_unknown,
        "apart": asked.apart,
    }
