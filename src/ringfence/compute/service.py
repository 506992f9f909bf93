"""Nodes: offer, start, reach, cut off, release, stop; and the round that drives every node to where it should be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.compute import lifecycle, sshkeys, statements
from ringfence.compute.baselines import Baselines
from ringfence.compute.containment import Containing, collected_problems
from ringfence.compute.desk import Desk
from ringfence.compute.lifecycle import Birth, Due, Order
from ringfence.compute.model import (
    Access,
    Block,
    Decision,
    Node,
    NodeClass,
    NodeFacts,
    NodeId,
    NodeLog,
    NodeState,
    Offer,
    Quarantined,
    QuarantineKind,
    Swept,
)
from ringfence.compute.perimeter import Blocking
from ringfence.compute.ports import Authority, Pause
from ringfence.compute.quarantine import Wish
from ringfence.compute.releasing import Releasing
from ringfence.kernel.actor import Person
from ringfence.kernel.errors import Conflict, InternalError, Refused, RingfenceError, VerificationFailed
from ringfence.kernel.identifier import Tenant

Decide = Callable[[Node], Decision]
CERTIFICATE_SECONDS = 300
POLL_SECONDS = 0.05
WAIT = timedelta(seconds=45)  # how long a caller waits; the reconciler goes on without one


@dataclass(frozen=True, slots=True)
class Compute:
    """The use cases of nodes."""

    desk: Desk
    containing: Containing
    releasing: Releasing
    blocking: Blocking
    authority: Authority
    pause: Pause

    @property
    def baselines(self) -> Baselines:
        """Return what compares nodes with how they should be."""
        return Baselines(self.desk)

    # Read

    def offers(self) -> list[Offer]:
        """Return what can run here, class by class; one that cannot says why."""
        return [self._offer(node_class) for node_class in NodeClass]

    def _offer(self, node_class: NodeClass) -> Offer:
        try:
            return self.desk.provider_of(node_class).offer()
        except RingfenceError as error:
            return Offer(node_class, False, str(error), "none", QuarantineKind.NO, ())  # noqa: FBT003 - not available

    def all(self, tenant: Tenant) -> list[Node]:
        """Return the nodes of a tenant that live or are cut off."""
        return self.desk.all(tenant)

    def node(self, tenant: Tenant, name: str) -> Node:
        """Return a node by its name; raise `NotFound`."""
        return self.desk.named(tenant, name)

    def facts(self, node: Node) -> NodeFacts:
        """Return what others may know of a node."""
        spec = node.spec
        return NodeFacts(node.id, spec.name, spec.node_class, node.state, node.containment, node.kind, spec.training)

    def logs(self) -> Sequence[tuple[Tenant, NodeLog, NodeFacts]]:
        """Return every log of a living node, with whose it is and which node the file belongs to."""
        return [
            (node.tenant, log, self.facts(node))
            for node in self.desk.all()
            if not node.ended and node.spec.node_class in self.desk.providers
            for log in self.desk.provider(node).logs(node.id)
        ]

    # Start and stop

    def start(self, caller: Person, order: Order, *, wait: bool = True) -> Node:
        """Start a node, or go on with the one that has the name; with `wait`, return once it answers or has failed."""
        order = order.checked()
        offer = self._offer(order.node_class)
        with self.desk.transaction():
            living = [node for node in self.desk.nodes.all(caller.tenant) if not node.ended]
            birth = Birth(self._fresh(), self.desk.random(16), caller.id, self.desk.now())
            decision = lifecycle.request(order, offer, living, birth, caller.tenant)
            if decision.drafts:
                self.desk.nodes.put(decision.node)
            for draft in decision.drafts:
                self.desk.recorder.record(draft, tenant=caller.tenant)
        return self._drive(decision.node, self.desk.now() + WAIT) if wait else decision.node

    def stop(self, caller: Person, name: str) -> Node:
        """Stop a node and leave nothing of it; one that is quarantined is kept."""
        node = self.desk.named(caller.tenant, name)
        changed = self.desk.change(node.id, lambda found: lifecycle.stop(found, self.desk.now()))
        return self._drive(changed, self.desk.now() + WAIT)

    def _fresh(self) -> NodeId:
        for _ in range(16):
            node = NodeId("n-" + self.desk.random(4).hex())
            if self.desk.nodes.get(node) is None:
                return node
        raise InternalError("sixteen random node ids were taken; the source of randomness is broken")

    def _drive(self, node: Node, until: datetime) -> Node:
        """Do what is due for a node, or wait for whoever does, until nothing is due or the time is up."""
        while True:
            with self.desk.exclusive.working(node.id) as mine:
                found, due = self._step(self.desk.fetch(node.id)) if mine else (self.desk.fetch(node.id), Due.AWAIT)
            if due is Due.NOTHING or found.ended or self.desk.now() >= until or lifecycle.needs_a_person(found, due):
                return found
            if due is Due.AWAIT or found == node:
                self.pause(POLL_SECONDS)
            node = found

    def _step(self, node: Node) -> tuple[Node, Due]:
        due = self._due(node)
        match due:
            case Due.NOTHING | Due.AWAIT:
                return node, due
            case Due.CREATE:
                return self._create(node), due
            case Due.WELCOME:
                return self._welcome(node), due
            case Due.GIVE_UP:
                return self._fail(node, "start", "its SSH did not answer in time"), due
            case Due.LOST:
                return self._fail(node, "lost", self.desk.provider(node).inspect(node.id).detail or "it is gone"), due
            case Due.DESTROY if self._is_kept(node):
                return node, Due.NOTHING
            case Due.DESTROY:
                self.desk.provider(node).destroy(node.id)
                return self._change(node, lambda n: lifecycle.stopped(n, self.desk.now())), due

    def _due(self, node: Node) -> Due:
        if node.ended or node.wanted is NodeState.STOPPED:
            return lifecycle.due(node, running=False, ready=False, at=self.desk.now())
        provider = self.desk.provider(node)
        running = provider.inspect(node.id).running
        ready = running and node.state is not NodeState.READY and provider.ready(node.id)
        return lifecycle.due(node, running=running, ready=ready, at=self.desk.now())

    def _create(self, node: Node) -> Node:
        try:
            self.desk.provider(node).create(node.spec)
        except RingfenceError as error:
            return self._fail(node, "start", str(error))
        return self._change(node, lambda n: lifecycle.starting(n, self.desk.now()))

    def _welcome(self, node: Node) -> Node:
        provider = self.desk.provider(node)
        host_key, kind = provider.endpoint(node.id).host_key, provider.inspect(node.id).quarantine
        return self._change(node, lambda n: lifecycle.started(n, host_key, self.desk.now(), kind=kind))

    def _fail(self, node: Node, phase: str, because: str) -> Node:
        if not self._is_kept(node):
            self.desk.provider(node).destroy(node.id)
        return self._change(node, lambda n: lifecycle.failed(n, phase, because, self.desk.now()))

    def _is_kept(self, node: Node) -> bool:
        """Return whether what is left of a node is evidence: it is cut off, in our rows or at the provider."""
        return self.desk.fetch(node.id).cut_off or node.id in self.desk.provider(node).isolated()

    def _change(self, node: Node, decide: Decide) -> Node:
        return self.desk.change(node.id, decide)

    # Reach

    def certificate(
        self,
        caller: Person,
        name: str,
        public_key: str,
        *,
        forensic: bool = False,
        tunnel: bool = False,
        reason: str = "",
    ) -> Access:
        """Certify a key for a node, for some minutes; it is recorded before it is handed out.

        One for a `tunnel` forwards connections to the node's own loopback, and is for our own hands.
        """
        fingerprint = sshkeys.fingerprint(public_key)
        why = statements.bounded_reason(reason) if forensic or reason else ""
        node = self.desk.named(caller.tenant, name)
        _check_reachable(node, forensic=forensic)
        endpoint = self.desk.provider(node).endpoint(node.id, forensic=forensic)
        if node.host_key and endpoint.host_key != node.host_key:
            raise VerificationFailed(f"{name} shows another host key than the one recorded when it came up")
        serial = int.from_bytes(self.desk.random(6), "big")  # a claim has no larger numbers than 2**53
        issued = self.authority.certificate(
            public_key,
            principal=node.id,
            seconds=CERTIFICATE_SECONDS,
            serial=serial,
            key_id=caller.id,
            tunnel=tunnel,
        )
        channel = "forensic" if forensic else "tunnel" if tunnel else "control"
        draft = statements.certificate(
            node, fingerprint, serial=serial, seconds=CERTIFICATE_SECONDS, channel=channel, by=caller.id, why=why
        )
        with self.desk.transaction():
            _check_reachable(self.desk.fetch(node.id), forensic=forensic)
            self.desk.recorder.record(draft, tenant=caller.tenant)
        return Access(node, endpoint, issued, CERTIFICATE_SECONDS)

    # Cut off

    def quarantine(
        self,
        tenant: Tenant,
        node: NodeId,
        *,
        reason: str,
        finding: str = "",
        by: Person | None = None,
        triggered_at: datetime | None = None,
    ) -> Quarantined:
        """Cut a node off; see `containment`. It raises only where there is no such node, or it has ended."""
        wish = Wish(reason[: statements.MAX_REASON], finding, by.id if by else "", triggered_at)
        return self.containing.quarantine(tenant, node, wish)

    def block(self, tenant: Tenant, address: str, *, seconds: int, finding: str = "") -> Block:
        """Keep an address out of the outside ports."""
        return self.blocking.block(tenant, address, seconds=seconds, finding=finding)

    # Drive

    def sweep(self, *, first: bool = False) -> Swept:
        """Hold what is cut off, carry releases on, do what is due for every node, and look for what is left over."""
        problems = self.containing.hold(first=first)
        problems += self.releasing.carry_on()
        with collected_problems(problems):
            self.blocking.expire()
        acted = 0
        for node in self.desk.all():
            with collected_problems(problems):
                acted += self._round(node)
        return Swept(acted, tuple(self._sweep_leaks(problems)), tuple(problems))

    def _round(self, node: Node) -> int:
        with self.desk.exclusive.working(node.id) as mine:
            found, due = self._step(self.desk.fetch(node.id)) if mine else (node, Due.NOTHING)
            return int(due not in {Due.NOTHING, Due.AWAIT} and found != node)

    def _sweep_leaks(self, problems: list[str]) -> list[NodeId]:
        strangers: list[NodeId] = []
        rows = {node.id: node for node in self.desk.nodes.all()}
        for node_class, provider in self.desk.providers.items():
            with collected_problems(problems):
                isolated = provider.isolated()
                existing = provider.existing()
                known = [row for node in existing if (row := rows.get(node) or self.desk.nodes.get(node))]
                left, unknown = lifecycle.leaks(existing, [row for row in known if row.spec.node_class is node_class])
                strangers += unknown
                for node in left:
                    if node not in isolated:
                        provider.destroy(node)
        return strangers


def _check_reachable(node: Node, *, forensic: bool) -> None:
    name = node.spec.name
    if node.cut_off and not forensic:
        raise Refused(
            f"{name} is quarantined; security or an owner reaches it: `ringfence node ssh {name} --forensic --reason …`"
        )
    if forensic and not node.cut_off:
        raise Conflict(f"{name} is not quarantined; the forensic channel is for nodes that are")
    if node.state is not NodeState.READY:
        raise Conflict(f"{name} is {node.state}; only a node that is ready takes a login")
