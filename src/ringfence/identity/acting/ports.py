"""What signing an act needs from the world."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ringfence.identity.acting.model import PreparedAct, Question
from ringfence.identity.signin.model import Owner
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import KeyId, LogOrigin, Tenant

Submit = Callable[[Person, str, Envelope, Opening | None], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Target:
    """Who takes an act of one type: the same use case that takes it from a terminal."""

    action: str  # what the policies are asked for
    words: str  # what the signature does
    submit: Submit
    page: Callable[[str], str]  # where to look afterwards, by the act's place


class Acts(Protocol):
    """The acts that wait."""

    def put(self, act: PreparedAct, *, now: datetime) -> None:
        """Keep a new act; forget those that have ended."""
        ...

    def one(self, act: str) -> PreparedAct | None: ...
    def waiting(self, owner: Owner) -> int: ...
    def unsigned(self, owner: Owner) -> list[PreparedAct]:
        """Return the acts of a person that nobody signed, ended or not, the one that ends first before the others."""
        ...

    def ask(self, act: str, question: Question) -> None:
        """Keep what a browser is asked, in the place of what was asked before."""
        ...

    def take(self, act: str) -> Question | None:
        """Return what was asked and forget it: nothing is answered twice."""
        ...

    def done(self, act: str, outcome: bytes) -> bool:
        """Keep the answer; return False where there is one already."""
        ...


class Issuing(Protocol):
    """What the log knows of the keys of people, and the place of their next statement."""

    @property
    def log(self) -> LogOrigin: ...
    def in_force(self, tenant: Tenant, key: KeyId) -> bool: ...
    def next_sequence(self, tenant: Tenant, issuer: KeyId) -> int: ...
    def is_demo(self, tenant: Tenant) -> bool: ...
