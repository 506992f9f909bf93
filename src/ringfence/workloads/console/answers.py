"""The pages of a deployment: what stands behind it, a prompt, the answer and its receipt; and the sample to serve."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from starlette.responses import RedirectResponse, Response

from ringfence.frontends import cookies
from ringfence.frontends.http import require
from ringfence.frontends.live import Live, proof
from ringfence.frontends.page import Allows, Pages, View
from ringfence.gateway import shown
from ringfence.gateway.console import STATES
from ringfence.gateway.model import Deployment, DeploymentName, DeploymentState, Protocol, deployment_name, request_id
from ringfence.gateway.ports import FoundReceipt, Receipts
from ringfence.gateway.statements import ABOUT_DEPLOYMENTS
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import MalformedInput, NotFound
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.model import Trust
from ringfence.ledger.service import Ledger
from ringfence.reports import receipts as checking
from ringfence.reports.logpart import parse_log_part
from ringfence.workloads.console import samples
from ringfence.workloads.console.asking import LONGEST, Answer, Asking
from ringfence.workloads.console.jobs import Job, Jobs
from ringfence.workloads.deploying import Deploying, Wanted
from ringfence.workloads.weights import Trusted

CHANGE, ISSUE = "deployment.change", "key.issue"
SERVING = "serve the sample model"
PROMPT = "The capital of France is"
Reader = Annotated[Person, Depends(require("deployment.read"))]
Changer = Annotated[Person, Depends(require(CHANGE))]
Asker = Annotated[Person, Depends(require(ISSUE))]
Examiner = Annotated[Person, Depends(require("evidence.read"))]
Fields = Annotated[dict[str, str], Depends(cookies.form_of)]
Name = Annotated[str, InPath(max_length=64)]
Flag = Annotated[str, Query(max_length=8)]
ANEW = Response(status_code=204, headers={"hx-refresh": "true"})  # a live part asked: its whole page is another one


@dataclass(frozen=True, slots=True)
class AnswerPages:
    """The pages over engines, their gateway and their receipts."""

    home: Path
    deploying: Deploying
    asking: Asking
    receipts: Receipts
    trust: Trust
    ledger: Ledger
    jobs: Jobs
    pages: Pages
    live: Live
    allows: Allows

    def one(self, request: Request, caller: Person, name: DeploymentName, *, coming: bool) -> Response:
        """Return the page of a deployment; a page on which it was `coming` is loaded anew once it serves."""
        one = self.deploying.gateway.deployment(caller.tenant, name)
        return ANEW if coming and one.state is DeploymentState.SERVING else self._page(request, caller, one)

    def sample(self, caller: Person, fields: dict[str, str]) -> Response:
        """Serve the sample model, and lead to its page, on which it comes up."""
        if fields.get("sample") != samples.MODEL:
            raise MalformedInput("the sample model is the one that this page offers", source="sample")
        self.jobs.start(caller.tenant, SERVING, lambda job: self._serve(caller, job))
        return RedirectResponse("/deployments/sample", status_code=303)

    def sample_page(self, request: Request, caller: Person, *, coming: bool) -> Response:
        """Return how the sample model comes up; once it is a deployment, its own page."""
        known = {one.name: one for one in self.deploying.gateway.deployments(caller.tenant)}
        job = self.jobs.find(caller.tenant, SERVING)
        if samples.MODEL in known and not (job and job.runs and known[samples.MODEL].state is DeploymentState.STOPPED):
            return ANEW if coming else self._page(request, caller, known[samples.MODEL])
        view = View("What can be tried here without bringing a model?", "ringfence deploy list", caller)
        facts: dict[str, Any] = {
            "sample": samples.model(),
            "job": job,
            "may": self.allows(caller, CHANGE),
            "live": self.live(),
        }
        return self.pages.respond(request, "sample.html", view, **facts)

    def ask(self, request: Request, caller: Person, name: DeploymentName, prompt: str) -> Response:
        """Ask, and return the same page with the answer."""
        one = self.deploying.gateway.deployment(caller.tenant, name)
        return self._page(request, caller, one, prompt=prompt, answer=self.asking.ask(caller, one, prompt))

    def receipt(self, request: Request, caller: Person, asked: str, *, soon: bool) -> Response:
        """Return what the receipt of an answer shows, and what it does not.

        Raises:
            NotFound: there is none, unless whoever asks has just been answered, so that it comes `soon`.
        """
        try:
            found = self.receipts.find(caller.tenant, request_id(asked))
        except NotFound:
            if not soon:
                raise
            found = FoundReceipt(b"", 1)
        view = View("What does this receipt show?", "ringfence verify RECEIPT --trust FILE", caller)
        facts: dict[str, Any] = {"asked": asked, "outcome": None, "chip": None}
        if found.body:
            outcome = checking.verify(found.body, self.trust, source=asked)
            part = parse_log_part(outcome.receipt.log, outcome.receipt.envelope)
            chip = proof(part.segment.entry, outcome.receipt.envelope.digest, "observed")
            facts |= {"outcome": outcome, "chip": chip, "not_proven": checking.DOES_NOT_PROVE}
        return self.pages.respond(request, "receipt.html", view, **facts)

    def _serve(self, caller: Person, job: Job) -> Deployment:
        job.say("putting the model's file together")
        file = samples.write_model(self.home)
        job.say("hashing and scanning it, starting a node, loading it there")
        wanted = Wanted(samples.MODEL, file, Trusted(pin=samples.MODEL_DIGEST))
        return self.deploying.start(caller, wanted)[0]

    def _page(
        self, request: Request, caller: Person, one: Deployment, *, prompt: str = PROMPT, answer: Answer | None = None
    ) -> Response:
        view = View(f"What stands behind {one.name}, and does it answer?", "ringfence deploy list", caller)
        job = self.jobs.find(caller.tenant, SERVING) if one.name == samples.MODEL else None
        return self.pages.respond(
            request,
            "deployment.html",
            view,
            one=one,
            mark=STATES[one.state],
            basis=shown.basis(one),
            node=self._node_of(caller.tenant, one),
            chain=self._chain(caller.tenant, one),
            serves=one.state is DeploymentState.SERVING,
            takes_words=one.protocol is Protocol.OPENAI,
            sample=samples.model() if one.name == samples.MODEL else None,
            job=job,
            prompt=prompt,
            longest=LONGEST,
            answer=answer,
            may_ask=self.allows(caller, ISSUE),
            may_change=self.allows(caller, CHANGE),
            live=self.live(),
        )

    def _node_of(self, tenant: Tenant, one: Deployment) -> str:
        """Return the name of the node that it runs on; empty where that is none of ours, or gone."""
        nodes = self.deploying.compute.all(tenant)
        return next((node.spec.name for node in nodes if node.id == one.node), "")

    def _chain(self, tenant: Tenant, one: Deployment) -> list[dict[str, Any]]:
        return [
            {"entry": logged.entry, "predicate": logged.envelope.statement.predicate, "at": logged.recorded_at}
            | {"proof": proof(logged.entry, logged.envelope.digest, logged.envelope.statement.issuance.strength.text)}
            for logged in self.ledger.statements(tenant, ABOUT_DEPLOYMENTS)
            if one.subject in [subject.digest for subject in logged.envelope.statement.subjects]
        ]


def router(shows: AnswerPages) -> APIRouter:
    """Return the pages of one deployment, of the sample, and of a receipt."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/deployments/sample")
    def sample_page(request: Request, caller: Reader, coming: Flag = "") -> Response:
        if coming == "1":  # from the page of the deployment, which has this name
            return shows.one(request, caller, samples.MODEL, coming=True)
        return shows.sample_page(request, caller, coming=coming == "sample")

    @routes.post("/deployments/sample")
    def sample(caller: Changer, fields: Fields) -> Response:
        return shows.sample(caller, fields)

    @routes.get("/deployments/{name}")
    def one(request: Request, name: Name, caller: Reader, coming: Flag = "") -> Response:
        return shows.one(request, caller, deployment_name(name), coming=coming == "1")

    @routes.post("/deployments/{name}/ask")
    def ask(request: Request, name: Name, caller: Asker, fields: Fields) -> Response:
        return shows.ask(request, caller, deployment_name(name), fields.get("prompt", ""))

    @routes.get("/receipts/{asked}")
    def receipt(request: Request, asked: Name, caller: Examiner, soon: Flag = "") -> Response:
        return shows.receipt(request, caller, asked, soon=soon == "1")

    return routes
