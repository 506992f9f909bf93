"""The pages before a model is served: what came from outside and waits, and what the gate says of each signed model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi import Path as InPath
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.live import Live
from ringfence.frontends.page import Allows, Names, Pages, Prepare, View
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.workloads.gating.model import Mode, Outcome
from ringfence.workloads.gating.service import Gates
from ringfence.workloads.gating.wires import INTAKE_PAGE, PAGE
from ringfence.workloads.intake.model import State
from ringfence.workloads.intake.service import why_not

Reader = Annotated[Person, Depends(require("model.read"))]
Signer = Annotated[Person, Depends(require("act.sign"))]  # what is signed asks for an action of its own
Judge = Annotated[Person, Depends(require("gate.judge"))]
Id = Annotated[str, InPath(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, Form(max_length=80)]
Reason = Annotated[str, Form(max_length=2000)]
# Never the colour of what is computed and met: an acceptance is what a person says.
STATES: Mapping[State, str] = {
    State.WAITING: "pending", State.ACCEPTED: "not-applicable", State.REFUSED: "not-satisfied",
}  # fmt: skip
# A waived condition never has the mark of one that is met: a person's word stands in its place.
MARKS: Mapping[Outcome, str] = {
    Outcome.MET: "satisfied", Outcome.UNMET: "not-satisfied", Outcome.WAIVED: "not-applicable",
}  # fmt: skip
SHOWN = 50  # models whose conditions one page computes


@dataclass(frozen=True, slots=True)
class GatePages:
    """Both pages over the use cases."""

    gates: Gates
    names: Names
    pages: Pages
    live: Live
    prepare: Prepare
    allows: Allows

    def intakes(self, request: Request, caller: Person) -> Response:
        """Return what came from outside, what waits on top."""
        file = self.gates.files(caller.tenant)
        found = self.gates.intakes.all(caller.tenant)
        rows = [(one, why_not(one, file.intake)) for one in found]
        rows.sort(key=lambda row: (row[0].state is not State.WAITING, -row[0].entry))
        view = View("What came from outside, and who let it in?", "ringfence model waiting", caller)
        return self.pages.respond(
            request,
            "intake.html",
            view,
            rows=rows,
            waiting=sum(one.state is State.WAITING for one in found),
            marks=STATES,
            names=self.names(caller.tenant),
            rules=file.intake,
            me=caller.id,
            may=self.allows(caller, "model.decide"),
            live=self.live(),
        )

    def decide(self, caller: Person, intake: str, decision: str, reason: str) -> Response:
        """Lead to the page on which a decision is signed."""
        draft = self.gates.intakes.draft(caller, intake, decision, reason)
        return RedirectResponse(self.prepare(caller, draft, intake), status_code=303)

    def gate(self, request: Request, caller: Person) -> Response:
        """Return the newest verdict on each signed model, and the conditions as they are now."""
        tenant = caller.tenant
        rows = []
        for model in self.gates.signed(tenant)[:SHOWN]:
            try:
                judged = self.gates.judge(tenant, self.gates.about(tenant, str(model.digest)))
            except RingfenceError:
                judged = None
            rows.append((model, self.gates.verdict(tenant, model.digest), judged))
        force, file = self.gates.mode(tenant), self.gates.files(tenant)
        view = View("Which models may be served, and why not the others?", "ringfence gate", caller)
        return self.pages.respond(
            request,
            "gate.html",
            view,
            rows=rows,
            passed=sum(bool(verdict and verdict.passed) for _, verdict, _ in rows),
            marks=MARKS,
            force=force,
            same=force.policy == file.digest,
            file=file,
            hours=int(file.gate.verdict.total_seconds() // 3600),
            names=self.names(tenant),
            may={name for name in ("model.approve", "gate.judge", "gate.change") if self.allows(caller, name)},
            live=self.live(),
        )

    def judge(self, caller: Person, digest: str) -> Response:
        """State the verdict now, and go back to the page."""
        self.gates.state(caller, str(Digest.parse(digest)))
        return RedirectResponse(PAGE, status_code=303)

    def approve(self, caller: Person, digest: str, decision: str, reason: str) -> Response:
        """Lead to the page on which an approval is signed."""
        draft = self.gates.approval(caller, str(Digest.parse(digest)), decision, reason)
        return RedirectResponse(self.prepare(caller, draft, digest.removeprefix("sha256:")), status_code=303)

    def set_mode(self, caller: Person, mode: str) -> Response:
        """Lead to the page on which a mode is signed."""
        if mode not in set(Mode):
            raise MalformedInput("a mode is observe or enforce", source="mode")
        draft: Any = self.gates.setting(caller.tenant, Mode(mode))
        return RedirectResponse(self.prepare(caller, draft, "gate"), status_code=303)


def router(shows: GatePages) -> APIRouter:
    """Return both pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(INTAKE_PAGE)
    def intakes(request: Request, caller: Reader) -> Response:
        return shows.intakes(request, caller)

    @routes.post(INTAKE_PAGE + "/{intake}")
    def decide(intake: Id, decision: Word, reason: Reason, caller: Signer) -> Response:
        return shows.decide(caller, intake, decision, reason)

    @routes.get(PAGE)
    def gate(request: Request, caller: Reader) -> Response:
        return shows.gate(request, caller)

    @routes.post(PAGE)
    def judge(digest: Word, caller: Judge) -> Response:
        return shows.judge(caller, digest)

    @routes.post(PAGE + "/approvals")
    def approve(digest: Word, decision: Word, reason: Reason, caller: Signer) -> Response:
        return shows.approve(caller, digest, decision, reason)

    @routes.post(PAGE + "/mode")
    def set_mode(mode: Word, caller: Signer) -> Response:
        return shows.set_mode(caller, mode)

    return routes
