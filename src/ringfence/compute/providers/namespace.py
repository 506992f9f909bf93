"""Nodes made of kernel namespaces: a fraction of a second to SSH, for code that its owner trusts.

They share the host's kernel and resist no escape from it. As root, each has a user of its own on the host; without
root, all have ours, inside the network helper's user namespace (docs/decisions/0013).
"""

import time
from collections.abc import Mapping
from dataclasses import replace

from ringfence import components
from ringfence.compute.model import NodeClass, NodeId, NodeSpec, Offer, QuarantineKind
from ringfence.compute.providers import evidence, launcher, processes, sandbox, sshd, users
from ringfence.compute.providers.local import LOG, LocalProvider
from ringfence.compute.providers.records import Record
from ringfence.kernel.errors import Unavailable

OWN = ".sandbox"
BUILDER = "bwrap"


class NamespaceProvider(LocalProvider):
    """Runs namespace nodes below one directory."""

    node_class = NodeClass.NAMESPACE
    prefix, marker = "ringfence", "ringfence-node"
    uids = users.NAMESPACES

    # what can be had

    def offer(self) -> Offer:
        """Say whether the programs and the network are here, and which limits hold."""
        missing = [name for name in ("bwrap", "sshd") if not components.present(name)]
        because = f"missing: {', '.join(missing)}; run `make setup`" if missing else self._network.problem()
        return Offer(
            node_class=self.node_class,
            available=not because,
            because=because or "shares the host's kernel: for code that its owner trusts",
            isolation="shared-kernel",
            quarantine=QuarantineKind.OUTSIDE_GUEST,
            limits=self._held().described(),
        )

    # making

    def create(self, spec: NodeSpec) -> None:
        """Make the node, or leave it as it is where it runs; what a crash left half made is cleared first."""
        programs = sandbox.programs(self._records.directory / OWN, with_runtime=spec.runtime)
        self._once(spec, lambda: self._make(spec, programs))

    def _make(self, spec: NodeSpec, programs: sandbox.Programs) -> None:
        key = sshd.new_host_key()
        files = sandbox.files(spec, key, self._authority.ca_public(), programs.runtime)
        record = self._begun(Record(spec.node, self.node_class.value, host_key=key.public))
        record = self._grouped(record, spec)
        marker = self._marker(spec.node)
        plan = launcher.Plan(
            stage=programs.stage,
            sources=dict(programs.sources),
            argv=sandbox.arguments(spec, programs, marker),
            files=files,
            last=sandbox.last_arguments(),
            environment=sandbox.environment(programs),
            writer=launcher.log_writer(self._records.folder(spec.node) / LOG, marker),
            groups=list(record.groups),
            rlimits=self._held().rlimits(spec),
            uid=record.uid,
        )

        def prepared(pid: int) -> None:
            nonlocal record
            record = self._with(record, pid)
            address = self._network.plug(spec, pid)
            record = replace(record, address=address)

        first = launcher.start(plan, prefix=self._network.prefix(), marker=marker, prepared=prepared)
        record = self._with(record, first)
        _await_program(first)
        self._records.write(replace(record, started=True))

    def _with(self, record: Record, pid: int) -> Record:
        """Write down one more process of a node."""
        process = processes.find(pid)
        if process is None:
            raise Unavailable("its first process ended at once")
        record = record.with_process(process)
        self._records.write(record)
        return record

    def _detail(self, record: Record, *, alive: bool) -> str:
        members = processes.family(record.first.pid) if alive and record.first else []
        return f"processes: {len(members)}" if alive else "its processes have ended"

    def collect(self, node: NodeId, *, seconds: float) -> Mapping[str, bytes]:
        """Read what is volatile, from the host's side."""
        record = self._known(node)
        first = record.first.pid if record.first else 0
        items: dict[str, evidence.Item] = {
            "processes": lambda: evidence.processes(first),
            "sockets": lambda: evidence.sockets(first),
            "connections": lambda: evidence.flows(self._network.flows(node, record.address)),
            "log-tail": lambda: evidence.log_tail(self._records.folder(node) / LOG),
            "mounts": lambda: evidence.mounts(first),
            "counters": lambda: self._held().counters(self._group(node)),
        }
        return evidence.gather(items, seconds=seconds)


def _await_program(first: int) -> None:
    """Wait until the first process inside is the node's sshd and bubblewrap no longer, which may still fail."""
    deadline = time.monotonic() + launcher.SECONDS
    while (name := processes.name(first)) == BUILDER and time.monotonic() < deadline:
        time.sleep(0.002)
    if name in {"", BUILDER}:
        raise Unavailable("the sandbox ended while it was built")
