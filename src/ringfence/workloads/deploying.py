"""Start an engine of ours on a node with exactly the model that was verified, and keep watch over it.

The order is: verify and scan, then a node, then the same bytes through SSH into the loader's sealed memory, then its
word for what it measured, then a tunnel, then an answer of the engine. Only then do callers reach it, if it may still
be served: to load a large model takes minutes.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ringfence.compute.lifecycle import Order, default_memory
from ringfence.compute.model import Node, NodeClass, NodeState
from ringfence.compute.service import Compute
from ringfence.gateway.deployments import OVER, Ran
from ringfence.gateway.model import (
    Basis,
    Deployment,
    DeploymentName,
    Protocol,
    ServedModel,
    Upstream,
)
from ringfence.gateway.service import Gateway
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, Refused, RingfenceError, Unavailable, UsageError
from ringfence.workloads import shipping, weights
from ringfence.workloads.engine.frames import Answer, Header
from ringfence.workloads.enginefile import Engine
from ringfence.workloads.keeping import Keeping
from ringfence.workloads.ports import Admits
from ringfence.workloads.weights import Trusted, Weights

PROCESSES = 128
CPUS_PERCENT = 200
OVERHEAD_MIB = 1024  # the interpreter, the engine's own memory, what requests need
MIB = 2**20
READY_WITHIN = 30.0  # seconds until an engine that has loaded answers through its tunnel
POLL = 0.1
NOTHING = Answer("", loaded=False)  # what the loader has said so far


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model that is to be served, and how."""

    name: DeploymentName
    path: Path
    trusted: Trusted
    node_class: NodeClass = NodeClass.NAMESPACE
    node: str = ""  # a node with a runtime that is there already; empty: one is made
    context: int = 2048
    parallel: int = 2
    embeddings: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """What a start took, in milliseconds, step by step."""

    verify: int
    node: int
    load: int
    ready: int


@dataclass(frozen=True, slots=True)
class Deploying:
    """The use cases of engines of ours."""

    keeping: Keeping
    admit: Admits
    is_held_back: Callable[[Path], bool]  # whether a path leads into the quarantine

    @property
    def gateway(self) -> Gateway:
        """Return where deployments are kept."""
        return self.keeping.gateway

    @property
    def compute(self) -> Compute:
        """Return where nodes are kept."""
        return self.keeping.compute

    def start(self, caller: Person, wanted: Wanted) -> tuple[Deployment, Timing]:
        """Serve a model; return once it answers.

        Raises:
            VerificationFailed: a byte of it is not what was signed, or the loader measured something else.
            Refused: the gate, or the quarantine, does not let these bytes be served; the log has the refusal.
            Unavailable: no node or no engine came up.
        """
        protocol = self._checked(caller, wanted)
        given = self._given(caller, wanted)
        with self.keeping.held.alone(caller.tenant, wanted.name):
            self.gateway.starting(
                caller.tenant, wanted.name, protocol=protocol, node=given.id if given else "", by=caller.id
            )
            try:
                self.keeping.clear(caller.tenant, wanted.name)
                return self._started(caller, wanted, given)
            except BaseException as error:
                because = str(error) if isinstance(error, RingfenceError) else "it was interrupted"
                try:
                    self.gateway.failed(caller.tenant, wanted.name, because=because)
                finally:
                    with suppress(RingfenceError):  # what is left is ended by the next round
                        self.keeping.clear(caller.tenant, wanted.name)
                raise

    def _checked(self, caller: Person, wanted: Wanted) -> Protocol:
        if wanted.node_class is not NodeClass.NAMESPACE:
            raise Unavailable(f"engines run on namespace nodes; a {wanted.node_class} node has no runtime yet")
        with suppress(NotFound):
            if self.gateway.deployment(caller.tenant, wanted.name).state not in OVER:
                raise Conflict(f"{wanted.name} is there already; stop it first, or choose another name")
        if self.is_held_back(wanted.path):
            raise Refused(
                "what lies in quarantine is not served; `ringfence model release` moves what was accepted out"
            )
        engine = weights.engine_for(wanted.path)
        weights.check_installed(engine)
        return weights.PROTOCOLS[engine]

    def _given(self, caller: Person, wanted: Wanted) -> Node | None:
        if not wanted.node:
            return None
        node = self.compute.node(caller.tenant, wanted.node)
        if not node.spec.runtime:
            raise UsageError(f"{wanted.node} has no runtime; start one with `ringfence node start … --runtime`")
        if node.state is not NodeState.READY or node.cut_off:
            raise Conflict(f"{wanted.node} is {node.containment if node.cut_off else node.state}; it runs no engine")
        return node

    def _started(self, caller: Person, wanted: Wanted, given: Node | None) -> tuple[Deployment, Timing]:
        clock = [time.monotonic()]
        with weights.opened(wanted.path, wanted.trusted) as found:
            self.admit(caller, wanted.name, found.model, found.digest)  # of the very bytes that are sent below
            clock.append(time.monotonic())
            node = self._node(caller, wanted, found, given)
            clock.append(time.monotonic())
            answer = shipping.ship(self.keeping.shells(caller, node), _header(wanted, found, node), found.stream())
            clock.append(time.monotonic())
            engine = _engine(caller, wanted, node, found, answer, made=given is None)
            self.keeping.files.put(engine)
            self.keeping.forward(engine)
            self._await(engine, time.monotonic() + READY_WITHIN)
            clock.append(time.monotonic())
            self.admit(caller, wanted.name, found.model, found.digest)  # again: a decision can be taken back meanwhile
            done = self._served(engine, found, answer)
        steps = [round(1000 * (after - before)) for before, after in pairwise(clock)]
        return done, Timing(*steps)

    def _node(self, caller: Person, wanted: Wanted, found: Weights, given: Node | None) -> Node:
        """Return the engine's node; it is written down before anything runs there, so that a crash leaves nothing."""
        order = Order(
            name=_node_name(wanted.name),
            node_class=wanted.node_class,
            memory_mib=max(default_memory(runtime=True), OVERHEAD_MIB + 2 * found.size // MIB),
            cpus_percent=CPUS_PERCENT,
            processes=PROCESSES,
            runtime=True,
        )
        node = given or self.compute.start(caller, order, wait=False)
        self.keeping.files.put(_engine(caller, wanted, node, found, NOTHING, made=given is None))
        node = given or self.compute.start(caller, order)
        if node.state is not NodeState.READY:
            raise Unavailable(f"the node for the engine is {node.state}: {node.because or 'it takes too long'}")
        return node

    def _await(self, engine: Engine, until: float) -> None:
        while not self.keeping.ready(self.keeping.sockets.path(engine.key), Protocol(engine.protocol)):
            if time.monotonic() >= until:
                raise Unavailable("the engine has loaded its model and does not answer")
            time.sleep(POLL)

    def _served(self, engine: Engine, found: Weights, answer: Answer) -> Deployment:
        ran = Ran(engine.node, answer.engine, answer.release, Digest.parse(answer.measured))
        return self.gateway.serving(
            engine.tenant,
            engine.name,
            upstream=Upstream(_url(engine), self.keeping.sockets.relative(engine.key)),
            model=ServedModel(engine.name, found.model, Basis.LOADED),
            ran=ran,
        )


def _header(wanted: Wanted, found: Weights, node: Node) -> Header:
    return Header(
        engine=found.engine,
        name=wanted.name,
        size=found.size,
        digest=str(found.digest),
        context=wanted.context,
        parallel=wanted.parallel,
        threads=weights.threads_for(node.spec.cpus_percent),
        embeddings=wanted.embeddings,
    )


def _engine(caller: Person, wanted: Wanted, node: Node, found: Weights, answer: Answer, *, made: bool) -> Engine:
    return Engine(
        tenant=caller.tenant,
        name=wanted.name,
        node=node.id,
        node_name=node.spec.name,
        made_node=made,
        port=answer.port,
        pid=answer.pid,
        protocol=weights.PROTOCOLS[found.engine].value,
        by=caller.id,
        role=caller.role,
    )


def _node_name(name: DeploymentName) -> str:
    """Return the name of a node that is made for a deployment: what nodes may be called is narrower."""
    plain = "".join(c if c.isalnum() else "-" for c in name).strip("-")
    short = "-".join(part for part in plain.split("-") if part)[:20].strip("-")
    return f"e-{short}-{Digest.of(name.encode()).hex[:6]}"


def _url(engine: Engine) -> str:
    return f"http://{engine.node}/{'v1' if Protocol(engine.protocol) is Protocol.OPENAI else 'v2'}"
