"""Virtual machines that can show what they were started with: firmware that measures, and a TPM to measure into.

Kernel, first file system and command line are the same for every one of them, so that what they should be is known
beforehand (`bootvalues`). The image lies inside the first file system, hence in memory and measured: there is no disk.
What makes a machine one node comes as words that the guest reads as data (docs/specs/measured-boot.md).
"""

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ringfence import components
from ringfence.compute.model import NodeClass, NodeId, NodeSpec
from ringfence.compute.ports import Authority
from ringfence.compute.providers import firmware, guest, image, kvm, monitor, processes, qemu, softtpm, sshd, users
from ringfence.compute.providers.bootvalues import COMMAND_LINE, PROCESSORS, SIZES_MIB
from ringfence.compute.providers.endorsement import Issuer
from ringfence.compute.providers.local import LOG
from ringfence.compute.providers.records import Record
from ringfence.compute.providers.vm import CONSOLE, LIMITS, MONITOR, VmProvider, hold_back, roomy
from ringfence.fabric.client import Fabric
from ringfence.fabric.model import Attachment
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.storage.files import PRIVATE, read_bounded, write_whole

TPM = "tpm"  # the folder of its state
CERTIFICATE = "ek.der"
LARGEST_CERTIFICATE = 8192
NOBODY_CAME = "a software TPM, which this host runs: what it signs proves nothing against this host"


class MeasuredProvider(VmProvider):
    """Runs measured virtual machines below one directory."""

    node_class = NodeClass.MEASURED
    prefix, marker = "ringfence-mvm", "ringfence-measured"
    uids = users.MEASURED
    limits_of_class = (
        "memory: the machine's own size, one of " + ", ".join(map(str, SIZES_MIB)) + " MiB",
        "disk: none; a home in memory, at most 40 % of it",
        *LIMITS[2:],
        NOBODY_CAME,
    )

    def __init__(self, directory: Path, fabric: Callable[[], Fabric], authority: Authority, issuer: Issuer) -> None:
        super().__init__(directory, fabric, authority)
        self._issuer = issuer

    # what can be had

    def _problem(self) -> str:
        try:
            firmware.firmware_files()
            _whole(image.load(components.machine_files()))
        except Unavailable as error:
            return str(error)
        return softtpm.usable() or super()._problem()

    # making

    def create(self, spec: NodeSpec) -> None:
        """Make the node, or leave it as it is where it runs; what a crash left half made is cleared first."""
        if spec.memory_mib not in SIZES_MIB:
            sizes = ", ".join(map(str, SIZES_MIB))
            raise Unavailable(f"a measured machine has one of these sizes: {sizes} MiB, not {spec.memory_mib}")
        if spec.cpus_percent > qemu.CPU_PERCENT * max(PROCESSORS):
            raise Unavailable(
                f"a measured machine has at most {max(PROCESSORS)} processors: --cpus up to {100 * max(PROCESSORS)}"
            )
        if spec.password is not None:
            raise Unavailable(
                "a measured machine lets nobody in by password: its configuration is part of what is measured"
            )
        shared = _whole(image.load(components.machine_files()))
        self._once(spec, lambda: self._make(spec, shared))

    def _make(self, spec: NodeSpec, shared: image.Image) -> None:
        code, variables = firmware.firmware_files()
        key = sshd.new_host_key()
        record = self._begun(Record(spec.node, self.node_class.value, host_key=key.public))
        record = self._grouped(record, roomy(spec))
        attachment, tap = self._network.tap(spec.node)
        said = words(spec, attachment, key, self._authority.ca_public())
        try:
            self._network.open(spec)
            machine = self._machine(spec, record, shared)
            with (
                shared.measured.open("rb", buffering=0) as first,
                _held(variables.read_bytes()) as own,
                _held(said) as given,
                guest.writer(self._records.folder(spec.node) / CONSOLE, machine.marker) as console,
                self._tpm(record, console) as (channel, tpm),
            ):
                record = record.with_process(tpm)
                self._records.write(record)
                hold_back(tpm, record)
                measuring = qemu.Measuring(code, own, channel, given)
                process = self._emulated(machine, shared, (spec.node, tap, first.fileno(), console), measuring)
        finally:
            os.close(tap)
        record = replace(record, address=attachment.address).with_process(process)
        self._records.write(record)
        hold_back(process, record)
        monitor.await_running(self._records.folder(spec.node) / MONITOR, lambda: process.alive)
        self._records.write(replace(record, started=True))

    def _machine(self, spec: NodeSpec, record: Record, shared: image.Image) -> qemu.Machine:
        return qemu.Machine(
            marker=self._marker(spec.node),
            memory_mib=spec.memory_mib,
            cpus_percent=spec.cpus_percent,
            kernel_words=COMMAND_LINE,
            acceleration=kvm.acceleration(self._records.directory, shared),
            uid=record.uid,
        )

    @contextmanager
    def _tpm(self, record: Record, log: int) -> Iterator[tuple[int, processes.Process]]:
        """Make the node's TPM, certify its endorsement key, and start it; it ends with the emulator that holds it."""
        folder = self._records.folder(record.node)
        state, marker = folder / TPM, self._marker(record.node)
        state.mkdir(mode=0o700)
        if record.uid is not None:
            os.chown(state, record.uid, record.uid)
        public = softtpm.make(state, marker, record.uid, log)
        write_whole(folder / CERTIFICATE, self._issuer.certify(public, record.node), mode=PRIVATE)
        with softtpm.start(state, marker, record.uid, log) as (channel, process):
            yield channel.fileno(), process

    def _emulated(
        self, machine: qemu.Machine, shared: image.Image, opened: tuple[NodeId, int, int, int], more: qemu.Measuring
    ) -> processes.Process:
        node, tap, first, console = opened
        folder = self._records.folder(node)
        with (
            guest.writer(folder / LOG, machine.marker, messages=True) as log,
            monitor.listening(folder / MONITOR) as control,
        ):
            return qemu.start(machine, shared, qemu.Files(tap, first, log, console, control, more))

    # showing

    def certificate(self, node: NodeId) -> bytes:
        """Return the certificate of a node's endorsement key; raise `NotFound` for a node that is not here."""
        record = self._known(node)
        try:
            return read_bounded(self._records.folder(record.node) / CERTIFICATE, limit=LARGEST_CERTIFICATE)
        except NotFound as error:
            raise NotFound(f"node {node} has no certificate of its TPM") from error

    # parts

    def _marks(self, node: NodeId) -> tuple[str, ...]:
        """Return how an argument of a process of the node begins; a software TPM carries it before its messages."""
        return (*super()._marks(node), f"{softtpm.PREFIX}{self._marker(node)}")


def _whole(shared: image.Image) -> image.Image:
    if not shared.measured.is_file():
        raise Unavailable("the image of measured machines is missing: run `make setup` again")
    return shared


@contextmanager
def _held(content: bytes) -> Iterator[int]:
    """Give an open file in memory with this content."""
    descriptor = qemu.held(content)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def words(spec: NodeSpec, attachment: Attachment, key: sshd.HostKey, ca_public: str) -> bytes:
    """Return what makes a machine one node: lines that its image reads as data (scripts/guest/words)."""
    found = {
        "name": spec.name,
        "address": f"{attachment.address}/{attachment.prefix}",
        "gateway": attachment.gateway,
        "processes": str(spec.processes),
        "ca.pub": ca_public,
        "principals": sshd.principal(spec.node),
        "host_key": base64.b64encode(key.private.encode()).decode(),
    }
    return "".join(f"{name} {value}\n" for name, value in found.items()).encode()
