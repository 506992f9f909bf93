"""Keep engines reachable while they are good, and end what is not: tunnels, rounds, the end of an engine."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.compute.model import Node, NodeState
from ringfence.compute.service import Compute
from ringfence.gateway.deployments import OVER
from ringfence.gateway.model import Deployment, DeploymentName, DeploymentState, Protocol
from ringfence.gateway.service import Gateway
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import Conflict, NotFound, RingfenceError
from ringfence.kernel.identifier import Tenant
from ringfence.workloads import shipping
from ringfence.workloads.enginefile import Engine, EngineFiles
from ringfence.workloads.patience import Wait, after
from ringfence.workloads.ports import Carries, Shell, Sockets

MISSES = 3  # rounds without an answer after which an engine is given up
EVERY = 2.0  # seconds between rounds
RESTARTED = "the installation was restarted while it started"


@dataclass(slots=True)
class Held:
    """What this process holds of engines; the rest is in files."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    tunnels: dict[str, Carries] = field(default_factory=dict)
    misses: dict[str, int] = field(default_factory=dict)
    starting: set[tuple[Tenant, DeploymentName]] = field(default_factory=set)
    waits: dict[str, Wait] = field(default_factory=dict)  # with engines that could not be ended

    @contextmanager
    def alone(self, tenant: Tenant, name: DeploymentName) -> Iterator[None]:
        """Start an engine; raise `Conflict` where another thread does that under the same name."""
        with self.lock:
            if (tenant, name) in self.starting:
                raise Conflict(f"{name} is being started already")
            self.starting.add((tenant, name))
        try:
            yield
        finally:
            with self.lock:
                self.starting.discard((tenant, name))


@dataclass(frozen=True, slots=True)
class Keeping:
    """The engines of ours that run."""

    gateway: Gateway
    compute: Compute
    files: EngineFiles
    sockets: Sockets
    shells: Callable[[Person, Node], Shell]
    ready: Callable[[Path, Protocol], bool]
    tenants: Callable[[], Sequence[Tenant]]
    clock: Clock
    jitter: Callable[[], float]  # from 0 up to 1
    held: Held = field(default_factory=Held)

    def stop(self, caller: Person, name: DeploymentName) -> Deployment:
        """End a deployment: callers first, then its engine, and its node where it was made for it."""
        done = self.gateway.stop(caller, name)
        self.clear(caller.tenant, name)
        return done

    def clear(self, tenant: Tenant, name: DeploymentName) -> None:
        """End what is left of an engine under this name."""
        for engine in self.files.all():
            if (engine.tenant, engine.name) == (tenant, name):
                self.end(engine)

    def turn(self, *, first: bool = False) -> int:
        """Look at every engine once; return how many were given up or ended.

        A tunnel that is missing is opened again, as after a restart. An engine whose node is gone or cut off, or that
        does not answer, fails, and with it its deployment.
        """
        if first:
            self._forget_half_started()
        given_up, problems = 0, []
        for engine in self.files.all():
            try:
                given_up += self._look(engine)
            except RingfenceError as error:  # the others must not wait for this one
                problems.append(error)
        if problems:
            raise problems[0]
        return given_up

    def close(self) -> None:
        """Close every tunnel; the engines go on, and the next process of ours opens tunnels again."""
        with self.held.lock:
            tunnels, self.held.tunnels = dict(self.held.tunnels), {}
        for tunnel in tunnels.values():
            tunnel.close()

    def _forget_half_started(self) -> None:
        for tenant in self.tenants():
            for known in self.gateway.deployments(tenant):
                if known.state is DeploymentState.STARTING:
                    self._forget(tenant, known.name)

    def _forget(self, tenant: Tenant, name: DeploymentName) -> None:
        with suppress(Conflict), self.held.alone(tenant, name):  # one of ours starts it, or just has
            if self.gateway.deployment(tenant, name).state is DeploymentState.STARTING:
                self.gateway.failed(tenant, name, because=RESTARTED)

    def _look(self, engine: Engine) -> bool:
        if (engine.tenant, engine.name) in self.held.starting:
            return False
        if self._is_over(engine):
            return self._ended(engine)
        because = self._problem(engine) if engine.port else ""
        if not because:
            return False
        self.gateway.failed(engine.tenant, engine.name, because=because)
        return self._ended(engine)

    def _ended(self, engine: Engine) -> bool:
        """End an engine, unless that failed lately and nothing has changed since; return whether it is ended."""
        wait = self.held.waits.get(engine.key)
        if wait is not None and wait.holds(_facts(self._node(engine)), self.clock.now()):
            return False
        try:
            self.end(engine)
        except RingfenceError:
            seen = _facts(self._node(engine))  # trying has changed what is wanted of it
            self.held.waits[engine.key] = after(wait, seen, self.clock.now(), self.jitter())
            raise
        return True

    def _is_over(self, engine: Engine) -> bool:
        try:
            return self.gateway.deployment(engine.tenant, engine.name).state in OVER
        except NotFound:
            return True

    def _problem(self, engine: Engine) -> str:
        """Say why an engine is to be given up; empty where it is not."""
        node = self._node(engine)
        if node is None:
            return f"its node {engine.node_name} is not known here"
        if node.cut_off:
            return f"its node {engine.node_name} is cut off"
        if node.ended or node.wanted is NodeState.STOPPED:
            return f"its node {engine.node_name} is gone"
        misses = 0 if self._answers(engine) else self.held.misses.get(engine.key, 0) + 1
        self.held.misses[engine.key] = misses
        return "" if misses < MISSES else "its engine does not answer any more"

    def _node(self, engine: Engine) -> Node | None:
        try:
            return self.compute.desk.fetch(engine.node)
        except NotFound:  # the database is older than the engine
            return None

    def _answers(self, engine: Engine) -> bool:
        tunnel = self.held.tunnels.get(engine.key)
        try:
            if tunnel is None or not tunnel.alive:
                self.forward(engine)
            else:
                self.sockets.hand_over(engine.key)  # the gateway's user may be younger than the tunnel
        except RingfenceError:
            self._close(engine)
            return False
        return self.ready(self.sockets.path(engine.key), Protocol(engine.protocol))

    def end(self, engine: Engine) -> None:
        """Close the tunnel and end engine and node; a node that is cut off is kept as it is.

        Where that fails, the record stays, and a later round tries again.
        """
        self._close(engine)
        self.held.misses.pop(engine.key, None)
        self._end_on_node(engine)
        self.held.waits.pop(engine.key, None)
        self.files.drop(engine)

    def _end_on_node(self, engine: Engine) -> None:
        node = self._node(engine)
        if node is None or node.ended or node.cut_off:
            return
        if engine.made_node:
            self.compute.stop(engine.caller, engine.node_name)
        else:
            shipping.end(self.shells(engine.caller, node), engine.name)

    def forward(self, engine: Engine) -> None:
        """Open the tunnel to an engine, again where there was one."""
        self._close(engine)  # first: it takes the socket's name away
        node = self.compute.desk.fetch(engine.node)
        tunnel = self.shells(engine.caller, node).forward(self.sockets.path(engine.key), engine.port)
        with self.held.lock:
            self.held.tunnels[engine.key] = tunnel
        self.sockets.hand_over(engine.key)

    def _close(self, engine: Engine) -> None:
        with self.held.lock:
            tunnel = self.held.tunnels.pop(engine.key, None)
        if tunnel is not None:
            tunnel.close()


def _facts(node: Node | None) -> tuple[object, ...]:
    """Return what, where it changes, is worth another try at once."""
    return (node.state, node.containment, node.wanted, node.ended) if node is not None else ()
