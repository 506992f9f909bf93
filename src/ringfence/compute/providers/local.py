"""What namespace nodes and virtual machines have in common: both run here, and the network helper cuts both off.

A node is found by its record, by its control groups, and by the marker that its processes carry as an argument.
"""

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ringfence.compute.configuration import Facts
from ringfence.compute.model import (
    Endpoint,
    Isolation,
    NodeClass,
    NodeId,
    NodeLog,
    NodeSpec,
    Observed,
    ProbeResult,
)
from ringfence.compute.ports import Authority
from ringfence.compute.providers import launcher, limits, processes, remote, sshd, users
from ringfence.compute.providers.network import Network
from ringfence.compute.providers.records import Record, Records
from ringfence.compute.providers.remote import Remote
from ringfence.fabric.client import Fabric
from ringfence.kernel.errors import Conflict, NotFound, RingfenceError, Unavailable
from ringfence.storage.users import can_be_given

LOG = "sshd.log"
SETTLE = 1.0  # seconds within which a log writer ends behind its node


class LocalProvider(ABC):
    """Runs nodes of one class below one directory, which the classes share."""

    node_class: NodeClass
    prefix: str  # of control groups
    marker: str
    uids: range  # users of the host for nodes of this class
    said: str = LOG  # where the last words of a node that does not start are

    def __init__(self, directory: Path, fabric: Callable[[], Fabric], authority: Authority) -> None:
        self._records = Records(directory)
        self._network = Network(fabric)
        self._authority = authority
        self._tag = hashlib.sha256(str(directory.absolute()).encode()).hexdigest()[:10]
        self._limits: limits.Limits | None = None

    def _held(self) -> limits.Limits:
        if self._limits is None:
            self._limits = limits.detect()
        return self._limits

    # making

    def _once(self, spec: NodeSpec, make: Callable[[], None]) -> None:
        """Make the node, or leave it as it is where it runs; what a crash left half made is cleared first."""
        with self._records.locked(spec.node):
            known = self._mine(spec.node)
            if known and known.alive:
                self._network.open(spec)
                return
            self._clear(spec.node)
            try:
                make()
            except (RingfenceError, OSError) as error:
                said = self._last_words(spec.node)
                self._clear(spec.node)
                raise Unavailable(f"node {spec.name} does not start: {error}{said}") from error

    def _begun(self, record: Record) -> Record:
        """Write the node down with a user that no other living node of this machine has."""
        if not can_be_given(self.uids):
            self._records.begin(record)
            return record
        with self._records.locked("uids"):
            taken = (known.uid for known in self._records.all(self.node_class.value))
            record = replace(record, uid=users.free(taken, self.uids))
            self._records.begin(record)
        return record

    def _grouped(self, record: Record, spec: NodeSpec) -> Record:
        """Make the node's control groups and write them down: another process of ours may make its own elsewhere."""
        groups = self._held().make(self._group(record.node), spec)
        record = replace(record, groups=tuple(str(group) for group in groups))
        self._records.write(record)
        return record

    # looking

    def inspect(self, node: NodeId) -> Observed:
        """Return whether the node's processes run."""
        record = self._mine(node)
        if record is None:
            return Observed(running=False, address="", detail="there is no such node here")
        alive = record.alive
        return Observed(running=alive, address=record.address, detail=self._detail(record, alive=alive))

    @abstractmethod
    def _detail(self, record: Record, *, alive: bool) -> str:
        """Say in words what is seen of a node."""

    def ready(self, node: NodeId) -> bool:
        """Return whether its SSH proves that it holds the host key that was made for it."""
        record = self._mine(node)
        return record is not None and record.alive and self._network.answers(node, record.host_key)

    def endpoint(self, node: NodeId, *, forensic: bool = False) -> Endpoint:
        """Return how to reach it: through the network helper, which hands over a connected socket."""
        record = self._known(node)
        proxy = self._network.proxy(node, forensic=forensic)
        return Endpoint(sshd.USER, record.host_key, proxy, record.address or node, sshd.PORT, fdpass=True)

    def logs(self, node: NodeId) -> tuple[NodeLog, ...]:
        """Return the log of its sshd, which a writer on the host frames."""
        return (NodeLog(node, "sshd", str(self._records.folder(node) / LOG)),) if self._mine(node) else ()

    def existing(self) -> frozenset[NodeId]:
        """Return every node of which there is a folder, a process or a control group."""
        records = {node: self._records.read(node) for node in self._records.folders()}
        known = {node for node, record in records.items() if record is None or record.node_class == self.node_class}
        prefix = self._group(NodeId(""))
        groups = {NodeId(name.removeprefix(prefix)) for name in self._held().named(prefix)}
        return frozenset(known | groups | self._running())

    def _running(self) -> set[NodeId]:
        found = processes.arguments(*self._marks(NodeId("")))
        return {NodeId(part.partition(self._marker(NodeId("")))[2]) for _, part in found}

    # cutting off

    def isolate(self, node: NodeId) -> Isolation:
        """Cut it off in the network, out of its reach."""
        return self._network.cut(node)

    def isolated(self) -> frozenset[NodeId]:
        """Return which of its nodes are cut off."""
        mine = self.existing()
        return self._network.isolated() & mine if mine else mine  # without nodes, no network is started

    def probe(self, node: NodeId) -> tuple[ProbeResult, ...]:
        """Try the paths."""
        return self._network.probe(node)

    def configuration(self, node: NodeId) -> Facts:
        """Log in and read."""
        return remote.configuration(Remote(node, self.endpoint(node), self._authority))

    def baseline(self, spec: NodeSpec) -> Facts:
        """Return what follows from the files that we put into it."""
        return sshd.baseline(spec)

    def keep_baseline(self, node: NodeId, facts: Facts) -> None:  # noqa: ARG002 - none are kept
        """Refuse: what a node of ours should look like follows from what it was made of."""
        raise Conflict(f"{node} was set up by Ringfence: its baseline is what it was made of")

    def restore(self, node: NodeId, before: str) -> None:
        """Let it back in, exactly as it was."""
        self._network.restore(node, before)

    # ending

    def destroy(self, node: NodeId) -> None:
        """End its processes and remove its port, groups and folder."""
        with self._records.locked(node):
            foreign = self._records.read(node)
            if foreign and foreign.node_class != self.node_class:
                return
            self._clear(node)
            self._records.remove(node)

    def _clear(self, node: NodeId) -> None:
        record = self._records.read(node)
        for process in reversed(record.processes if record else ()):
            processes.end(process)  # the first process inside goes first: the kernel ends its whole namespace with it
        self._end_rest(node)
        gone = self._held().remove(self._group(node), record.groups if record else ())
        if not gone or processes.marked(*self._marks(node)):
            raise Conflict(f"node {node} does not end: some of its processes cannot be killed")
        self._network.unplug(node)
        self._records.clear(node)

    def _end_rest(self, node: NodeId) -> None:
        """End what the record does not name: a log writer gets the time to write the last lines."""
        deadline = time.monotonic() + SETTLE
        while (left := processes.marked(*self._marks(node))) and time.monotonic() < deadline:
            for process in left:
                if not launcher.is_log_writer(processes.command_line(process.pid)):
                    processes.end(process)
            time.sleep(0.01)
        for pid in {process.pid for process in left} | self._held().members(self._group(node)):
            if process_left := processes.find(pid):
                processes.end(process_left)

    # parts

    def _mine(self, node: NodeId) -> Record | None:
        record = self._records.read(node)
        return record if record and record.node_class == self.node_class else None

    def _known(self, node: NodeId) -> Record:
        record = self._mine(node)
        if record is None:
            raise NotFound(f"there is no {self.node_class} node {node} here")
        return record

    def _last_words(self, node: NodeId) -> str:
        """Return the last line that the node printed."""
        time.sleep(0.1)  # its log writer is a process of its own
        with suppress(OSError):
            lines = (self._records.folder(node) / self.said).read_text(errors="replace").splitlines()
            return f" ({lines[-1][25:300]})" if lines else ""
        return ""

    def _group(self, node: NodeId) -> str:
        return f"{self.prefix}-{self._tag}-{node}"

    def _marker(self, node: NodeId) -> str:
        return f"{self.marker}={self._tag}/{node}"

    def _marks(self, node: NodeId) -> tuple[str, ...]:
        """Return how an argument of a process of the node begins; an emulator carries the marker as its name."""
        return self._marker(node), f"guest={self._marker(node)}"
