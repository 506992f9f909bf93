"""The signed scope, joined: who takes its signatures, and where the secret of its opaque ids lies."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ringfence.identity.acting.ports import Target
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PredicateName
from ringfence.ledger.api import Takers
from ringfence.ledger.service import Ledger
from ringfence.obligations.scope.statement import ENTITY, SYSTEM
from ringfence.obligations.scoping.console import PAGE, SIGN
from ringfence.obligations.scoping.service import PLACE, Scopes
from ringfence.obligations.scoping.store import DescriptorSecret
from ringfence.storage.outbox import Outbox

_WORDS: Mapping[PredicateName, str] = {
    ENTITY: "You state that this is your organisation, and what the rules make of it; duties follow from it.",
    SYSTEM: "You state the role and the risk class of this AI system, as the rules make them of your scope.",
}


def scopes(home: Path, ledger: Ledger, outbox: Outbox, clock: Clock) -> Scopes:
    """Join ports and adapters."""
    secret = DescriptorSecret(home)
    return Scopes(ledger, outbox, ledger, ledger.publishable, clock, secret, secrets.token_bytes)


def takers(service: Scopes) -> Takers:
    """Return who takes a classification that somebody posts."""

    def taken(person: Person, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        return service.take(person, PLACE, envelope, opening)

    return dict.fromkeys(_WORDS, taken)


def targets(service: Scopes) -> Mapping[PredicateName, Target]:
    """Return who takes the acts by which a person signs a scope."""

    def taken(person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        return {"place": place, "statement": service.take(person, place, envelope, opening).to_json()}

    return {name: Target(SIGN, words, taken, lambda _: PAGE) for name, words in _WORDS.items()}
