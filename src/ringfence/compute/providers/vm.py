"""Nodes that are virtual machines, each with a kernel of its own: for code that nobody trusts.

All of them run from one read-only image; what makes one a node (host key, authority, configuration) lies in memory
only. The network is the helper's tap: no other device of the guest leads out, and the cut is made out of its reach.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ringfence import components
from ringfence.compute.model import (
    Endpoint,
    Isolation,
    NodeClass,
    NodeId,
    NodeLog,
    NodeSpec,
    Observed,
    Offer,
    ProbeResult,
    QuarantineKind,
)
from ringfence.compute.ports import Authority
from ringfence.compute.providers import evidence, guest, image, kvm, limits, monitor, processes, qemu, sshd, users, wire
from ringfence.compute.providers.network import Network
from ringfence.compute.providers.records import Record, Records
from ringfence.fabric.client import Fabric
from ringfence.kernel.errors import Conflict, NotFound, RingfenceError, Unavailable

LOG, CONSOLE, MONITOR = "sshd.log", "console.log", "monitor"
SMALLEST_MIB = 192  # below that the image does not start
# Of the emulator itself, beside what the guest is given: 128 MiB hold translated code.
OVERHEAD_MIB, OVERHEAD_PERCENT, OVERHEAD_THREADS = 384, 50, 64
LIMITS = (
    "memory: the machine's own size",
    "disk: a layer in memory, at most 60 % of it",
    "no nested virtual machines, no GPU",
)


class VmProvider:
    """Runs virtual machines below one directory."""

    node_class = NodeClass.VM

    def __init__(self, directory: Path, fabric: Callable[[], Fabric], authority: Authority) -> None:
        self._records = Records(directory)
        self._fabric = fabric
        self._network = Network(fabric)
        self._authority = authority
        self._tag = hashlib.sha256(str(directory.absolute()).encode()).hexdigest()[:10]
        self._limits: limits.Limits | None = None

    # what can be had

    def offer(self) -> Offer:
        """Say whether emulator, image and network are here, and how machines run."""
        because = self._problem()
        acceleration = "" if because else kvm.cached(self._records.directory)
        return Offer(
            node_class=self.node_class,
            available=not because,
            because=because or "a kernel of its own; the host's is reached through the emulator only",
            isolation="vm-kvm" if acceleration == "kvm" else "vm-emulated",
            quarantine=QuarantineKind.OUTSIDE_GUEST,
            limits=(*LIMITS, *self._held().described()[:3]),
        )

    def _problem(self) -> str:
        try:
            qemu.emulator()
            for name in ("setpriv", "setsid", "unshare"):
                components.find(name)
            image.load(components.machine_files())
        except Unavailable as error:
            return str(error)
        return self._network.problem()

    def _held(self) -> limits.Limits:
        if self._limits is None:
            self._limits = limits.detect() if os.geteuid() == 0 else limits.Limits(0)
        return self._limits

    # making

    def create(self, spec: NodeSpec) -> None:
        """Make the node, or leave it as it is where it runs; what a crash left half made is cleared first."""
        if spec.memory_mib < SMALLEST_MIB:
            raise Unavailable(f"a virtual machine needs at least {SMALLEST_MIB} MiB of memory, not {spec.memory_mib}")
        shared = image.load(components.machine_files())
        with self._lock(spec.node):
            known = self._mine(spec.node)
            if known and known.alive:
                self._network.open(spec)
                return
            self._clear(spec.node)
            try:
                self._make(spec, shared)
            except RingfenceError as error:
                said = self._said(spec.node)
                self._clear(spec.node)
                raise Unavailable(f"node {spec.name} does not start: {error}{said}") from error

    def _make(self, spec: NodeSpec, shared: image.Image) -> None:
        key = sshd.new_host_key()
        record = self._begun(Record(spec.node, self.node_class.value, host_key=key.public))
        attachment, tap = self._fabric().attach_tap(spec.node)
        try:
            self._network.open(spec)
            machine = qemu.Machine(
                marker=self._marker(spec.node),
                memory_mib=spec.memory_mib,
                cpus_percent=spec.cpus_percent,
                kernel_words=guest.kernel_words(spec, attachment),
                acceleration=kvm.acceleration(self._records.directory, shared),
                uid=record.uid,
            )
            personal = image.personal(guest.files(spec, key, self._authority.ca_public()))
            process = self._start(spec.node, machine, shared, tap, shared.initrd.read_bytes() + personal)
        finally:
            os.close(tap)
        record = replace(record, address=attachment.address).with_process(process)
        self._records.write(record)
        self._hold_back(spec, process.pid)
        monitor.await_running(self._records.folder(spec.node) / MONITOR, lambda: process.alive)
        self._records.write(replace(record, started=True))

    def _start(
        self, node: NodeId, machine: qemu.Machine, shared: image.Image, tap: int, initrd: bytes
    ) -> processes.Process:
        """Start log writers and the emulator; nothing but them keeps the files open afterwards."""
        folder = self._records.folder(node)
        first = qemu.held(initrd)
        try:
            with (
                guest.writer(folder / LOG, machine.marker) as log,
                guest.writer(folder / CONSOLE, machine.marker) as console,
                monitor.listening(folder / MONITOR) as control,
            ):
                return qemu.start(machine, shared, qemu.Files(tap, first, log, console, control))
        finally:
            os.close(first)

    def _hold_back(self, spec: NodeSpec, pid: int) -> None:
        """Put the emulator into a control group, with room for itself beside the guest's memory."""
        more = {"memory_mib": OVERHEAD_MIB, "cpus_percent": OVERHEAD_PERCENT, "processes": OVERHEAD_THREADS}
        roomy = replace(spec, **{name: getattr(spec, name) + extra for name, extra in more.items()})
        for group in self._held().make(self._group(spec.node), roomy):
            try:
                (group / "cgroup.procs").write_text(str(pid))
            except OSError as error:
                raise Unavailable(f"the emulator cannot enter its control group: {error.strerror}") from error

    def _begun(self, record: Record) -> Record:
        """Write the node down with a user that no other living node of this machine has."""
        if os.geteuid() != 0:
            self._records.begin(record)
            return record
        with self._lock("uids"):
            record = replace(record, uid=users.free(known.uid for known in self._records.all(self.node_class.value)))
            self._records.begin(record)
        return record

    # looking

    def inspect(self, node: NodeId) -> Observed:
        """Return whether the node's machine runs."""
        record = self._mine(node)
        if record is None:
            return Observed(running=False, address="", detail="there is no such node here")
        detail = "the machine runs" if record.alive else "the machine has ended"
        return Observed(running=record.alive, address=record.address, detail=detail)

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
        """Return the log of its sshd, which comes out by a channel of the machine and is framed by a writer here."""
        return (NodeLog(node, "sshd", str(self._records.folder(node) / LOG)),) if self._mine(node) else ()

    def existing(self) -> frozenset[NodeId]:
        """Return every node of which there is a folder, a process or a control group."""
        spoilt = {node for node in self._records.folders() if self._records.read(node) is None}
        known = {record.node for record in self._records.all(self.node_class.value)}
        prefix = self._group(NodeId(""))
        groups = {NodeId(name.removeprefix(prefix)) for name in self._held().named(prefix)}
        return frozenset(known | spoilt | groups | self._running())

    def _running(self) -> set[NodeId]:
        prefix = f"guest={self._marker(NodeId(''))}".encode()
        lines = (processes.command_line(pid) for pid in processes.everyone())
        parts = (part for line in lines for part in line.split(b"\0") if part.startswith(prefix))
        return {NodeId(part.removeprefix(prefix).decode(errors="replace")) for part in parts}

    def collect(self, node: NodeId, *, seconds: float) -> Mapping[str, bytes]:
        """Ask the host's side first, then the guest over the forensic path: what it says is its own word."""
        record = self._known(node)
        folder, deadline = self._records.folder(node), time.monotonic() + seconds
        items: dict[str, evidence.Item] = {
            "log-tail": lambda: evidence.log_tail([folder / f"{LOG}.1", folder / LOG]),
            "connections": lambda: evidence.flows(self._network.flows(node, record.address)),
            "machine": lambda: guest.described(monitor.ask(folder / MONITOR, *guest.QUESTIONS, seconds=0.5)),
            "console": lambda: evidence.log_tail([folder / f"{CONSOLE}.1", folder / CONSOLE]),
            "counters": lambda: self._held().counters(self._group(node)),
        }
        found = evidence.gather(items, seconds=seconds)
        return {**found, **self._asked(node, deadline - time.monotonic())}

    def _asked(self, node: NodeId, seconds: float) -> Mapping[str, bytes]:
        """Return what the guest says of its own processes and sockets, in the time that is left."""
        session = guest.Session(node, self.endpoint(node, forensic=True), self._authority)
        return session.facts(self._records.folder(node), seconds=seconds)

    # cutting off

    def isolate(self, node: NodeId) -> Isolation:
        """Cut it off in the network, outside of the machine."""
        return self._network.cut(node)

    def isolated(self) -> frozenset[NodeId]:
        """Return which of its nodes are cut off."""
        return self._network.isolated() & self.existing()

    def probe(self, node: NodeId) -> tuple[ProbeResult, ...]:
        """Try the paths; those that begin at the node, from its end of the cable and without asking the guest."""
        record = self._known(node)
        others = [other.address for each in self._records.folders() if (other := self._records.read(each))]
        peers = [address for address in others if address and address != record.address]
        return wire.completed(self._network.probe(node), self._records.folder(node) / MONITOR, record.address, peers)

    def restore(self, node: NodeId, before: str) -> None:
        """Let it back in, exactly as it was."""
        self._network.restore(node, before)

    # ending

    def destroy(self, node: NodeId) -> None:
        """End the machine and remove its port, group and folder."""
        with self._lock(node):
            foreign = self._records.read(node)
            if foreign and foreign.node_class != self.node_class:
                return
            self._clear(node)
        self._lock_file(node).unlink(missing_ok=True)

    def _clear(self, node: NodeId) -> None:
        record = self._records.read(node)
        for process in record.processes if record else ():
            processes.end(process)
        for marker in (f"guest={self._marker(node)}", self._marker(node)):  # log writers end behind their machine
            for process in processes.marked(marker):
                processes.end(process)
        gone = self._held().remove(self._group(node))
        if not gone or processes.marked(f"guest={self._marker(node)}"):
            raise Conflict(f"node {node} does not end: some of its processes cannot be killed")
        self._network.unplug(node)
        self._records.remove(node)

    # parts

    def _mine(self, node: NodeId) -> Record | None:
        record = self._records.read(node)
        return record if record and record.node_class == self.node_class else None

    def _known(self, node: NodeId) -> Record:
        record = self._mine(node)
        if record is None:
            raise NotFound(f"there is no virtual node {node} here")
        return record

    def _said(self, node: NodeId) -> str:
        """Return the last line that emulator or guest printed."""
        time.sleep(0.1)  # its log writer is a process of its own
        with suppress(OSError):
            lines = (self._records.folder(node) / CONSOLE).read_text(errors="replace").splitlines()
            return f" ({lines[-1][25:300]})" if lines else ""
        return ""

    def _group(self, node: NodeId) -> str:
        return f"ringfence-vm-{self._tag}-{node}"

    def _marker(self, node: NodeId) -> str:
        return f"ringfence-machine={self._tag}/{node}"

    def _lock_file(self, name: str) -> Path:
        return self._records.directory / f".{name}.lock"

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        """Let one process at a time work on a node; the kernel frees the lock with its holder."""
        self._records.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock_file(name).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
