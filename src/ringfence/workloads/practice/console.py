"""The pages of the practice: in the real console the way into it, in its own the two attacks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import RedirectResponse, Response

from ringfence.compute.model import NodeClass
from ringfence.compute.service import Compute
from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, Pages, View
from ringfence.frontends.practice import BesideOf
from ringfence.identity.signin.model import Passkey
from ringfence.identity.signin.service import owner_of
from ringfence.incidents.model import incident_id
from ringfence.incidents.service import Assessed, Incidents
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import NotFound
from ringfence.workloads.console.jobs import Job, Jobs
from ringfence.workloads.practice import ground
from ringfence.workloads.practice.api import RUN
from ringfence.workloads.practice.keeper import Keeper
from ringfence.workloads.practice.letting import Letting
from ringfence.workloads.practice.playing import Attack, Played, Player

PAGE = "/practice"  # in the real console
ATTACKS = "/practise"  # in the practice's own
SOON = 1.0  # seconds that an answer waits: whoever cannot be helped is told at once
Reader = Annotated[Person, Depends(require("status.read"))]
Practising = Annotated[Person, Depends(require(RUN))]
Signing = Annotated[Person, Depends(require("passkey.sign"))]
Name = Annotated[str, Path(max_length=80)]
# What somebody may write who decides as most would; the form stays theirs to change.
REASONS = {
    Attack.GUESSES: "guessing from outside, none succeeded",
    Attack.LEAKED: "a stranger came in with a leaked password and read the weights",
}


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a person goes on after an attack."""

    played: Played
    known: Assessed

    @property
    def room(self) -> str:
        """Return the incident's room."""
        return f"/incidents/{self.played.incident}"

    @property
    def proposed(self) -> list[str]:
        """Return the criteria for which facts speak."""
        return [one.code for one in self.known.criteria if one.proposed]

    @property
    def running(self) -> int:
        """Return how many clocks run."""
        return sum(clock.running for clock in self.known.clocks)

    def form(self, decision: str) -> str:
        """Return the triage form, filled in for a decision that is still to be signed."""
        fields = [("decision", decision), ("reason", REASONS[self.played.attack])]
        fields += [("criterion", code) for code in self.proposed] if decision == "significant" else []
        return f"{self.room}?{urlencode(fields)}#decide"


@dataclass(frozen=True, slots=True)
class GroundPages:
    """The way into the practice, from the real console."""

    keeper: Keeper
    pages: Pages
    beside: BesideOf

    def shown(self, request: Request, caller: Person, link: str = "") -> Response:
        """Return the page; with a link right after somebody asked for one."""
        view = View("Where do I practise an incident?", "ringfence practice start", caller)
        standing = self.keeper.standing()
        return self.pages.respond(
            request, "practice.html", view, beside=self.beside(caller), standing=standing, link=link
        )


def router(shows: GroundPages) -> APIRouter:
    """Return the pages of the real console."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def shown(request: Request, caller: Reader) -> Response:
        return shows.shown(request, caller)

    @routes.post(f"{PAGE}/enter")
    def enter(request: Request, caller: Practising) -> Response:
        """Start it, and show the link: once it is followed, or the page is left, another is asked for."""
        return shows.shown(request, caller, shows.keeper.enter())

    @routes.post(f"{PAGE}/stop")
    def stop(caller: Practising) -> Response:  # noqa: ARG001
        shows.keeper.stop()
        return RedirectResponse(PAGE, status_code=303)

    @routes.post(f"{PAGE}/remove")
    def remove(caller: Practising) -> Response:  # noqa: ARG001
        shows.keeper.remove()
        return RedirectResponse(PAGE, status_code=303)

    return routes


@dataclass(frozen=True, slots=True)
class AttackPages:
    """The two attacks, in a practice."""

    player: Player
    compute: Compute
    incidents: Incidents
    letting: Letting
    signers: Callable[[Person], Sequence[Passkey]]
    jobs: Jobs
    pages: Pages
    allows: Allows

    def shown(self, request: Request, caller: Person) -> Response:
        """Return the page."""
        view = View("What is it like when a node is attacked?", "ringfence practice attack guesses", caller)
        jobs = {attack: self.jobs.find(caller.tenant, attack.value) for attack in Attack}
        facts: dict[str, Any] = {
            "jobs": jobs,
            "ways": {attack: self._ways(caller, job) for attack, job in jobs.items()},
            "busy": any(job is not None and job.runs for job in jobs.values()),
            "passkeys": self.letting.enrolling.passkeys.of(owner_of(caller)),
            "signs": bool(self.signers(caller)),
            "because": self._because(),
            "may": self.allows(caller, RUN),
        }
        return self.pages.respond(request, "practise.html", view, **facts)

    def play(self, caller: Person, attack: Attack) -> Response:
        """Begin an attack."""
        ground.check_practising(self.player.home)

        def work(job: Job) -> Played:
            return self.player.play(attack, job.say)

        self.jobs.start(caller.tenant, attack.value, work).within(SOON)
        return RedirectResponse(f"{ATTACKS}#{attack.value}", status_code=303)

    def _ways(self, caller: Person, job: Job | None) -> Ways | None:
        if job is None or not isinstance(job.result, Played):
            return None
        return Ways(job.result, self.incidents.room(caller.tenant, incident_id(job.result.incident)))

    def _because(self) -> str:
        """Say why no node can be made here; empty where one can."""
        (offer,) = [one for one in self.compute.offers() if one.node_class is NodeClass.NAMESPACE]
        return "" if offer.available else offer.because


def attacks(shows: AttackPages) -> APIRouter:
    """Return the pages of a practice's own console; no other installation has them."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(ATTACKS)
    def shown(request: Request, caller: Reader) -> Response:
        return shows.shown(request, caller)

    @routes.post(f"{ATTACKS}/passkeys/{{passkey}}/sign")
    def let_sign(passkey: Name, caller: Signing) -> Response:
        shows.letting(caller, passkey)
        return RedirectResponse(ATTACKS, status_code=303)

    @routes.post(f"{ATTACKS}/{{attack}}")
    def play(attack: Name, caller: Practising) -> Response:
        if attack not in set(Attack):
            raise NotFound("no such attack is practised here")
        return shows.play(caller, Attack(attack))

    return routes
