"""Engines of ours over HTTP."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.artifacts.models.keys import MAX_PEM, PublicKey, parse_public
from ringfence.compute.model import NodeClass
from ringfence.frontends.http import require
from ringfence.gateway import shown
from ringfence.gateway.model import Deployment, deployment_name
from ringfence.gateway.usage import Usage
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.workloads.deploying import Deploying, Timing, Wanted
from ringfence.workloads.weights import Trusted

MAX_KEYS = 8
ANSWER_WITHIN = 45.0  # seconds; a large model goes on after that, and `deploy list` says what became of it


class PostedStart(BaseModel):
    """A model on the installation's machine that is to be served."""

    model_config = ConfigDict(extra="forbid")
    name: str
    path: str = Field(min_length=1, max_length=4096)
    node_class: NodeClass = Field(default=NodeClass.NAMESPACE, alias="class")
    node: str = Field(default="", max_length=32)
    keys: list[Annotated[str, Field(max_length=MAX_PEM)]] = Field(default_factory=list, max_length=MAX_KEYS)
    digest: str | None = None
    context: int = Field(default=2048, ge=64, le=2**20)
    parallel: int = Field(default=2, ge=1, le=64)
    embeddings: bool = False

    def wanted(self, known: Callable[[], Sequence[PublicKey]]) -> Wanted:
        """Return it, checked; where no key is named, those that operators signed models with count."""
        path = Path(self.path)
        if not path.is_absolute() or "\0" in self.path:
            raise MalformedInput("the path of a model is absolute, on the machine of the installation")
        pin = None if self.digest is None else Digest.parse(self.digest)
        named = [parse_public(pem.encode("ascii", "replace")) for pem in self.keys]
        keys = () if pin else tuple(named or known())
        return Wanted(
            name=deployment_name(self.name),
            path=path,
            trusted=Trusted(keys, pin),
            node_class=self.node_class,
            node=self.node,
            context=self.context,
            parallel=self.parallel,
            embeddings=self.embeddings,
        )


def router(service: Deploying, trusted: Callable[[Tenant], Sequence[PublicKey]]) -> APIRouter:
    """Return the route that starts an engine; the others are the gateway's own."""
    routes = APIRouter(tags=["gateway"])

    @routes.post("/deployments/start", status_code=201)
    def start(body: PostedStart, caller: Annotated[Person, Depends(require("deployment.change"))]) -> dict[str, Any]:
        """Serve a model from a node; the answer comes once the engine answers, has failed, or takes long."""
        wanted = body.wanted(lambda: trusted(caller.tenant))
        started = _aside(lambda: service.start(caller, wanted))
        try:
            deployment, timing = started.result(timeout=ANSWER_WITHIN)
        except TimeoutError:
            deployment, timing = service.gateway.deployment(caller.tenant, wanted.name), None
        document = shown.deployment(deployment, Usage().of_deployment(caller.tenant, deployment.name))
        return document | {"milliseconds": asdict(timing) if timing else {}}

    return routes


def _aside(work: Callable[[], tuple[Deployment, Timing]]) -> "Future[tuple[Deployment, Timing]]":
    """Do it in a thread that ends with the process: what it began is ended by the next one."""
    done: Future[tuple[Deployment, Timing]] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the answer is waited for
            done.set_exception(error)

    threading.Thread(target=run, name="deploy", daemon=True).start()
    return done
