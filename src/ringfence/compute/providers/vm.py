"""Nodes that are virtual machines, each with a kernel of its own: for code that nobody trusts.

All of them run from one read-only image; what makes one a node (host key, authority, configuration) lies in memory
only. The network is the helper's tap: no other device of the guest leads out, and the cut is made out of its reach.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ringfence import components
from ringfence.compute.model import NodeClass, NodeId, NodeSpec, Offer, ProbeResult, QuarantineKind
from ringfence.compute.providers import evidence, guest, image, kvm, limits, monitor, processes, qemu, sshd, users, wire
from ringfence.compute.providers.local import LOG, LocalProvider
from ringfence.compute.providers.records import Record
from ringfence.compute.providers.remote import Remote
from ringfence.kernel.errors import Unavailable

CONSOLE, MONITOR = "console.log", "monitor"
SMALLEST_MIB = 192  # below that the image does not start
# Of the emulator itself, beside what the guest is given: 128 MiB hold translated code.
OVERHEAD_MIB, OVERHEAD_PERCENT, OVERHEAD_THREADS = 384, 50, 64
LIMITS = (
    "memory: the machine's own size",
    "disk: a layer in memory, at most 60 % of it",
    "no nested virtual machines, no GPU",
)


class VmProvider(LocalProvider):
    """Runs virtual machines below one directory."""

    node_class = NodeClass.VM
    prefix, marker = "ringfence-vm", "ringfence-machine"
    uids = users.MACHINES
    said = CONSOLE
    limits_of_class: tuple[str, ...] = LIMITS

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
            limits=(*self.limits_of_class, *self._held().described()[:3]),
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
        return super()._held() if os.geteuid() == 0 else limits.Limits(0)

    # making

    def create(self, spec: NodeSpec) -> None:
        """Make the node, or leave it as it is where it runs; what a crash left half made is cleared first."""
        if spec.memory_mib < SMALLEST_MIB:
            raise Unavailable(f"a virtual machine needs at least {SMALLEST_MIB} MiB of memory, not {spec.memory_mib}")
        shared = image.load(components.machine_files())
        self._once(spec, lambda: self._make(spec, shared))

    def _make(self, spec: NodeSpec, shared: image.Image) -> None:
        key = sshd.new_host_key()
        record = self._begun(Record(spec.node, self.node_class.value, host_key=key.public))
        record = self._grouped(record, roomy(spec))
        attachment, tap = self._network.tap(spec.node)
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
        hold_back(process, record)
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
                guest.writer(folder / LOG, machine.marker, messages=True) as log,
                guest.writer(folder / CONSOLE, machine.marker) as console,
                monitor.listening(folder / MONITOR) as control,
            ):
                return qemu.start(machine, shared, qemu.Files(tap, first, log, console, control))
        finally:
            os.close(first)

    def _detail(self, record: Record, *, alive: bool) -> str:  # noqa: ARG002 -- it is one process
        return "the machine runs" if alive else "the machine has ended"

    def collect(self, node: NodeId, *, seconds: float) -> Mapping[str, bytes]:
        """Ask the host's side first, then the guest over the forensic path: what it says is its own word."""
        record = self._known(node)
        folder, deadline = self._records.folder(node), time.monotonic() + seconds
        items: dict[str, evidence.Item] = {
            "log-tail": lambda: evidence.log_tail(folder / LOG),
            "connections": lambda: evidence.flows(self._network.flows(node, record.address)),
            "machine": lambda: guest.described(monitor.ask(folder / MONITOR, *guest.QUESTIONS, seconds=0.5)),
            "console": lambda: evidence.log_tail(folder / CONSOLE),
            "counters": lambda: self._held().counters(self._group(node)),
        }
        found = evidence.gather(items, seconds=seconds)
        return {**found, **self._asked(node, deadline - time.monotonic())}

    def _asked(self, node: NodeId, seconds: float) -> Mapping[str, bytes]:
        """Return what the guest says of its own processes and sockets, in the time that is left."""
        way = Remote(node, self.endpoint(node, forensic=True), self._authority)
        return guest.facts(way, seconds=seconds)

    # cutting off

    def probe(self, node: NodeId) -> tuple[ProbeResult, ...]:
        """Try the paths; those that begin at the node, from its end of the cable and without asking the guest."""
        record = self._known(node)
        others = [other.address for each in self._records.folders() if (other := self._records.read(each))]
        peers = [address for address in others if address and address != record.address]
        return wire.completed(self._network.probe(node), self._records.folder(node) / MONITOR, record.address, peers)


def roomy(spec: NodeSpec) -> NodeSpec:
    """Return the limits of the emulator: with room for itself beside the guest's memory."""
    more = {"memory_mib": OVERHEAD_MIB, "cpus_percent": OVERHEAD_PERCENT, "processes": OVERHEAD_THREADS}
    return replace(spec, **{name: getattr(spec, name) + extra for name, extra in more.items()})


def hold_back(process: processes.Process, record: Record) -> None:
    """Put the emulator into its control groups."""
    for group in record.groups:
        try:
            Path(group, "cgroup.procs").write_text(str(process.pid))
        except OSError as error:
            raise Unavailable(f"the emulator cannot enter its control group: {error.strerror}") from error
