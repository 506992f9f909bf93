"""The wires of the gate and of what comes from outside."""

from collections.abc import Callable, Mapping
from typing import Any

from ringfence.identity.acting.ports import Target
from ringfence.installation import Home
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import KeyId, PredicateName, Tenant
from ringfence.ledger.service import Ledger
from ringfence.lineage.ports import Closures
from ringfence.storage.outbox import Outbox
from ringfence.workloads.gatefile import GateFiles
from ringfence.workloads.gating import statements as gate
from ringfence.workloads.gating.service import Gates
from ringfence.workloads.intake import statements as intake
from ringfence.workloads.intake.service import Intakes

PAGE, INTAKE_PAGE = "/models/gate", "/models/intake"
_LET_IN = "You decide whether this model from outside may come in: without that it is neither signed nor served."
_APPROVE = "You approve that these very bytes are served, or take your approval back."
_MODE = "You set what follows from the gate's verdict, over the tenant's gate file as it is now."


def intakes(home: Home, ledger: Ledger, outbox: Outbox) -> Intakes:
    """Join ports and adapters."""
    return Intakes(ledger, outbox, ledger, ledger.publishable, GateFiles(home.path).of)


def gates(
    intaken: Intakes, outbox: Outbox, lineages: Closures, clock: Clock, in_force: Callable[[Tenant, KeyId], bool]
) -> Gates:
    """Join ports and adapters."""
    ledger = intaken.log
    return Gates(ledger, lineages, intaken, outbox, ledger, ledger.publishable, intaken.files, clock, in_force)


def targets(gating: Gates) -> Mapping[PredicateName, Target]:
    """Return who takes the acts by which people decide about models."""

    def decided(person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        found, done = gating.intakes.decide(person, place, envelope, opening)
        return {"intake": place, "state": found.state.value, "statement": done.to_json()}

    def approved(person: Person, _: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        return {"statement": gating.approve(person, envelope, opening).to_json()}

    def set_mode(person: Person, _: str, envelope: Envelope, __: Opening | None) -> Mapping[str, Any]:
        return {"statement": gating.set_mode(person, envelope).to_json()}

    return {
        intake.DECIDED: Target("model.decide", _LET_IN, decided, lambda _: INTAKE_PAGE),
        gate.APPROVED: Target("model.approve", _APPROVE, approved, lambda _: PAGE),
        gate.MODE: Target("gate.change", _MODE, set_mode, lambda _: PAGE),
    }
