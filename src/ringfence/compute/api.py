"""Nodes over HTTP: what can run, what runs, logins, and what is cut off."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.compute import shown, statements
from ringfence.compute.lifecycle import Order, default_memory
from ringfence.compute.model import NodeClass
from ringfence.compute.service import Compute
from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import MalformedInput

_HASH = r"^\$(5|6|y)\$[./A-Za-z0-9$=,]{8,240}$"  # salted crypt(3): SHA-256, SHA-512 or yescrypt
Name = Annotated[str, Field(max_length=32)]


class PostedOrder(BaseModel):
    """What a node is to be."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    node_class: NodeClass = Field(alias="class")
    memory_mib: int | None = None
    cpus_percent: int = 50
    processes: int = 128
    expose: list[int] = Field(default_factory=list, max_length=16)
    password: str | None = Field(default=None, pattern=_HASH)
    training: bool = False
    address: str = Field(default="", max_length=256)  # ssh://user@host:port, parsed where the order is checked
    host_key: str = Field(default="", max_length=200)
    runtime: bool = False
    wait: bool = True

    def order(self) -> Order:
        """Return the order, checked."""
        return Order(
            name=self.name,
            node_class=self.node_class,
            memory_mib=default_memory(runtime=self.runtime, node_class=self.node_class)
            if self.memory_mib is None
            else self.memory_mib,
            cpus_percent=self.cpus_percent,
            processes=self.processes,
            expose=tuple(self.expose),
            password=self.password,
            training=self.training,
            address=self.address,
            host_key=self.host_key,
            runtime=self.runtime,
        ).checked()


class PostedReason(BaseModel):
    """Why a node is to be cut off."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=statements.MAX_REASON)


class PostedKey(BaseModel):
    """A public key that asks for a certificate, and why where the node is quarantined."""

    model_config = ConfigDict(extra="forbid")
    public_key: str = Field(max_length=200)
    reason: str = Field(default="", max_length=statements.MAX_REASON)


def router(service: Compute) -> APIRouter:
    """Return the routes of nodes."""
    routes = APIRouter(tags=["nodes"])
    _reading(routes, service)
    _running(routes, service)
    _logging_in(routes, service)
    _containing(routes, service)
    return routes


def _reading(routes: APIRouter, service: Compute) -> None:
    @routes.get("/offers")
    def offers(caller: Annotated[Person, Depends(require("node.read"))]) -> dict[str, Any]:  # noqa: ARG001
        """Say what can run here, class by class."""
        return {"offers": [shown.offer(offered) for offered in service.offers()]}

    @routes.get("/nodes")
    def listed(caller: Annotated[Person, Depends(require("node.read"))]) -> dict[str, Any]:
        """List the nodes that live or are cut off."""
        return {"nodes": [shown.node(node) for node in service.all(caller.tenant)]}

    @routes.get("/nodes/{name}")
    def one(name: str, caller: Annotated[Person, Depends(require("node.read"))]) -> dict[str, Any]:
        """Show a node, its newest quarantine, and who asked for its release."""
        return document(service, caller, name)


def document(service: Compute, caller: Person, name: str) -> dict[str, Any]:
    """Return all that is shown of one node."""
    node = service.node(caller.tenant, name)
    quarantine = service.desk.quarantine(node)
    releases = service.desk.nodes.releases(node.id, node.quarantine)
    return shown.node(node) | {
        "network_address": "" if node.ended else service.desk.provider(node).inspect(node.id).address,
        "held": None if quarantine is None else shown.quarantine(quarantine),
        "releases": [shown.release(release) for release in releases],
        **shown.to_trust(node, service.authority.ca_public()),
    }


def _running(routes: APIRouter, service: Compute) -> None:
    @routes.post("/nodes", status_code=201)
    def start(body: PostedOrder, caller: Annotated[Person, Depends(require("node.start"))]) -> dict[str, Any]:
        """Start a node, or add a host; the answer comes when it answers by SSH, or has failed."""
        node = service.start(caller, body.order(), wait=body.wait)
        return shown.node(node) | shown.to_trust(node, service.authority.ca_public())

    @routes.post("/nodes/{name}/baseline", status_code=201)
    def baseline(name: str, caller: Annotated[Person, Depends(require("node.baseline"))]) -> dict[str, Any]:
        """Take how a machine of one's own is set up now as how it should be."""
        facts, kept = service.baselines.accept(caller, name)
        return {"name": name, "facts": dict(facts), "statement": kept.to_json()}

    @routes.post("/nodes/{name}/stop")
    def stop(name: str, caller: Annotated[Person, Depends(require("node.stop"))]) -> dict[str, Any]:
        """Stop a node and leave nothing of it."""
        return shown.node(service.stop(caller, name))


def _logging_in(routes: APIRouter, service: Compute) -> None:
    @routes.post("/nodes/{name}/certificate", status_code=201)
    def certificate(
        name: str, body: PostedKey, caller: Annotated[Person, Depends(require("node.connect"))]
    ) -> dict[str, Any]:
        """Certify a key for a node, for some minutes."""
        return shown.access(service.certificate(caller, name, body.public_key, reason=body.reason))

    @routes.post("/nodes/{name}/forensic", status_code=201)
    def forensic(
        name: str, body: PostedKey, caller: Annotated[Person, Depends(require("node.quarantine"))]
    ) -> dict[str, Any]:
        """Certify a key for the forensic channel of a node that is quarantined."""
        return shown.access(service.certificate(caller, name, body.public_key, forensic=True, reason=body.reason))


def _containing(routes: APIRouter, service: Compute) -> None:
    @routes.post("/nodes/{name}/quarantine")
    def quarantine(
        name: str, body: PostedReason, caller: Annotated[Person, Depends(require("node.quarantine"))]
    ) -> dict[str, Any]:
        """Cut a node off, now."""
        node = service.node(caller.tenant, name)
        reason = statements.bounded_reason(body.reason)
        return shown.quarantined(service.quarantine(caller.tenant, node.id, reason=reason, by=caller))

    @routes.post("/nodes/{name}/release", status_code=201)
    def release(
        name: str, body: PostedStatement, caller: Annotated[Person, Depends(require("node.release"))]
    ) -> dict[str, Any]:
        """Take a signed request to release a node, or the signature of a second person who approves one."""
        envelope, opening = body.parsed()
        match envelope.statement.predicate:
            case statements.RELEASE_REQUESTED:
                done = service.releasing.ask(caller, name, envelope, opening)
            case statements.RELEASE_APPROVED:
                done = service.releasing.approve(caller, name, envelope, opening)
            case other:
                raise MalformedInput(f"{other} releases nothing", source="envelope")
        return shown.release(done)
