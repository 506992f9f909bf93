"""The collector of `tenant.isolation_test`: an outsider asks the whole application for what one tenant has.

The outsider is somebody of a tenant that nobody founded, whom no policy refuses anything: only the boundary between
tenants stands in the way. A probe counts where somebody of the tenant itself was answered and found what was asked for;
otherwise the outsider's empty hands would show nothing.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from anyio.from_thread import start_blocking_portal

from ringfence.frontends.http import Credential
from ringfence.kernel.actor import RECOGNISED, Caller, Person, Role
from ringfence.kernel.identifier import PersonId, PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.workloads.collecting import asgi
from ringfence.workloads.collecting.observing import Recorded, observation
from ringfence.workloads.collecting.treasures import Question, treasures
from ringfence.workloads.collecting.wires import Parts, recorded

ISOLATION = PredicateName("tenant.isolation_test")
NOBODY = PersonId("person-000000000000")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str

    def gives(self, question: Question) -> bool:
        """Tell whether it gives what was asked for."""
        return self.status < 400 and question.secret in self.text


class Asking(Protocol):
    """Ask the application in this process."""

    def __call__(self, tenant: Tenant, path: str) -> Answer:
        """Ask as somebody of a tenant."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, and who was answered."""

    question: Question
    owner: bool
    outsider: bool


@dataclass(frozen=True, slots=True)
class Isolation:
    """Ask each question twice."""

    asking: Callable[[], AbstractContextManager[Asking]]
    questions: Callable[[Tenant], Iterable[Question]]
    outsider: Callable[[], Tenant]

    def __call__(self, tenant: Tenant) -> Draft:
        """Ask as somebody of the tenant, and as the outsider."""
        stranger, questions = self.outsider(), list(self.questions(tenant))
        with self.asking() as ask:
            found = [_asked(ask, each, tenant, stranger) for each in questions]
        return draft(tenant, found)


def _asked(ask: Asking, question: Question, tenant: Tenant, stranger: Tenant) -> Outcome:
    mine, theirs = ask(tenant, question.path), ask(stranger, question.path)
    return Outcome(question, mine.gives(question), theirs.gives(question))


def draft(tenant: Tenant, found: Sequence[Outcome]) -> Draft:
    """State what crossed."""
    probed = [one for one in found if one.owner or one.outsider]
    crossed = [one.question for one in probed if one.outsider]
    claims = {
        "probes": len(probed),
        "crossed": len(crossed),
        "surfaces": sorted({one.question.surface for one in probed}),
        "unprobed": len(found) - len(probed),
    }
    details = {"crossed": [one.path for one in crossed]} if crossed else {}
    return observation(ISOLATION, tenant, claims, details, about="isolation")


@dataclass(slots=True)
class OneTenant:
    """A door behind which everybody is the same person of whichever tenant was named last, and may do everything."""

    tenant: Tenant

    def authenticate(self, credential: Credential) -> Caller:  # noqa: ARG002 -- whoever asks is us
        """Return the person."""
        return Caller(Person(NOBODY, self.tenant, Role.OWNER), RECOGNISED)

    def authorise(self, caller: Caller, action: str) -> None:
        """Refuse nothing: the boundary is to hold without the policies."""


@contextmanager
def in_process(build: Callable[[], Any]) -> Iterator[Asking]:
    """Give the whole application, built for nobody but us: it is reached through no socket."""
    app, door = build(), OneTenant(_nobodys())
    app.state.door = door
    with start_blocking_portal() as portal:

        def ask(tenant: Tenant, path: str) -> Answer:
            door.tenant = tenant
            status, body = portal.call(asgi.asked, app, path)
            return Answer(status, body.decode("utf-8", "replace"))

        yield ask


def isolating(parts: Parts, build: Callable[[], Any]) -> dict[str, Recorded]:
    """Return the collector; `build` makes the application, which knows more than we do."""
    look = Isolation(lambda: in_process(build), lambda tenant: treasures(parts, tenant), _nobodys)
    return {ISOLATION: recorded(parts, look)}


def _nobodys() -> Tenant:
    return Tenant(f"outsider-{secrets.token_hex(6)}")
