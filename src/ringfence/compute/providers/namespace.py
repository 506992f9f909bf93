"""Nodes made of kernel namespaces: a fraction of a second to SSH, for code that its owner trusts.

They share the host's kernel and resist no escape from it. As root, each has a user of its own on the host; without
root, all have ours, inside the network helper's user namespace (docs/decisions/0013).
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
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
from ringfence.compute.providers import evidence, launcher, limits, processes, sandbox, sshd
from ringfence.compute.providers.network import Network
from ringfence.compute.providers.records import Record, Records
from ringfence.fabric.client import Fabric
from ringfence.kernel.errors import Conflict, NotFound, RingfenceError, Unavailable

FIRST_UID, LAST_UID = 70_000, 79_999  # given to nobody by Debian, systemd or subuid ranges
LOG = "sshd.log"
OWN = ".sandbox"
BUILDER = "bwrap"
SETTLE = 1.0  # seconds within which a log writer ends behind its node


class NamespaceProvider:
    """Runs namespace nodes below one directory."""

    node_class = NodeClass.NAMESPACE

    def __init__(self, directory: Path, fabric: Callable[[], Fabric], authority: Authority) -> None:
        self._records = Records(directory)
        self._network = Network(fabric)
        self._authority = authority
        self._tag = hashlib.sha256(str(directory.absolute()).encode()).hexdigest()[:10]
        self._limits: limits.Limits | None = None

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

    def _held(self) -> limits.Limits:
        if self._limits is None:
            self._limits = limits.detect()
        return self._limits

    # making

    def create(self, spec: NodeSpec) -> None:
        """Make the node, or leave it as it is where it runs; what a crash left half made is cleared first."""
        programs = sandbox.programs(self._records.directory / OWN)
        with self._locked(spec.node):
            known = self._records.read(spec.node)
            if known and known.alive:
                self._network.open(spec)
                return
            self._clear(spec.node)
            try:
                self._make(spec, programs)
            except RingfenceError as error:
                said = self._said(spec.node)
                self._clear(spec.node)
                raise Unavailable(f"node {spec.name} does not start: {error}{said}") from error

    def _make(self, spec: NodeSpec, programs: sandbox.Programs) -> None:
        key = sshd.new_host_key()
        files = sandbox.files(spec, key, self._authority.ca_public())
        record = self._begun(Record(spec.node, self.node_class.value, host_key=key.public))
        groups = self._held().make(self._group(spec.node), spec)
        record = replace(record, groups=tuple(str(group) for group in groups))
        self._records.write(record)
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

    def _begun(self, record: Record) -> Record:
        """Write the node down with a user that no other living node of this machine has."""
        if not _may_give_users():
            self._records.begin(record)
            return record
        with self._lock("uids"):
            taken = {known.uid for known in self._records.all(self.node_class.value)} | _users()
            free = next((uid for uid in range(FIRST_UID, LAST_UID + 1) if uid not in taken), None)
            if free is None:
                raise Unavailable(f"all users from {FIRST_UID} to {LAST_UID} are taken by nodes")
            record = replace(record, uid=free)
            self._records.begin(record)
        return record

    # looking

    def inspect(self, node: NodeId) -> Observed:
        """Return whether the node's processes run."""
        record = self._mine(node)
        if record is None:
            return Observed(running=False, address="", detail="there is no such node here")
        if record.alive:
            return Observed(running=True, address=record.address, detail=f"processes: {len(self._inside(record))}")
        return Observed(running=False, address=record.address, detail="its processes have ended")

    def ready(self, node: NodeId) -> bool:
        """Return whether its SSH proves that it holds the host key that was made for it."""
        record = self._mine(node)
        return bool(record and record.alive) and self._network.answers(node, record.host_key if record else "")

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
        spoilt = {node for node in self._records.folders() if self._records.read(node) is None}
        known = {record.node for record in self._records.all(self.node_class.value)}
        prefix = self._group(NodeId(""))
        groups = {NodeId(name.removeprefix(prefix)) for name in self._held().named(prefix)}
        return frozenset(known | spoilt | groups | self._running())

    def _running(self) -> set[NodeId]:
        prefix = self._marker(NodeId("")).encode()
        found: set[NodeId] = set()
        for pid in processes.everyone():
            for part in processes.command_line(pid).split(b"\0"):
                if part.startswith(prefix):
                    found.add(NodeId(part.removeprefix(prefix).decode(errors="replace")))
        return found

    def collect(self, node: NodeId, *, seconds: float) -> Mapping[str, bytes]:
        """Read what is volatile, from the host's side."""
        record = self._known(node)
        first = record.first.pid if record.first else 0
        log = self._records.folder(node) / LOG
        items: dict[str, evidence.Item] = {
            "processes": lambda: evidence.processes(first),
            "sockets": lambda: evidence.sockets(first),
            "connections": lambda: evidence.flows(self._network.flows(node, record.address)),
            "log-tail": lambda: evidence.log_tail([log.with_name(LOG + ".1"), log]),
            "mounts": lambda: evidence.mounts(first),
            "counters": lambda: self._held().counters(self._group(node)),
        }
        return evidence.gather(items, seconds=seconds)

    # cutting off

    def isolate(self, node: NodeId) -> Isolation:
        """Cut it off in the network, outside of the node."""
        return self._network.cut(node)

    def isolated(self) -> frozenset[NodeId]:
        """Return which of its nodes are cut off."""
        return self._network.isolated() & self.existing()

    def probe(self, node: NodeId) -> tuple[ProbeResult, ...]:
        """Try the paths."""
        return self._network.probe(node)

    def restore(self, node: NodeId, before: str) -> None:
        """Let it back in, exactly as it was."""
        self._network.restore(node, before)

    # ending

    def destroy(self, node: NodeId) -> None:
        """End its processes and remove its port, group and folder."""
        with self._locked(node):
            foreign = self._records.read(node)
            if foreign and foreign.node_class != self.node_class:
                return
            self._clear(node)
        self._lock_file(node).unlink(missing_ok=True)

    def _clear(self, node: NodeId) -> None:
        record = self._records.read(node)
        mine = [*reversed(record.processes)] if record else []
        for process in mine:  # the first process inside goes first: the kernel ends its whole namespace with it
            processes.end(process)
        self._end_rest(node)
        gone = self._held().remove(self._group(node), record.groups if record else ())
        if not gone or processes.marked(self._marker(node)):
            raise Conflict(f"node {node} does not end: some of its processes cannot be killed")
        self._network.unplug(node)
        self._records.remove(node)

    def _end_rest(self, node: NodeId) -> None:
        """End what the record does not name: a log writer gets the time to write the last lines."""
        deadline = time.monotonic() + SETTLE
        while left := processes.marked(self._marker(node)):
            writing = [each for each in left if launcher.is_log_writer(processes.command_line(each.pid))]
            for process in left:
                if process not in writing or time.monotonic() >= deadline:
                    processes.end(process)
            time.sleep(0.01)
        for pid in self._held().members(self._group(node)):
            if process_left := processes.find(pid):
                processes.end(process_left)

    # parts

    def _mine(self, node: NodeId) -> Record | None:
        record = self._records.read(node)
        return record if record and record.node_class == self.node_class else None

    def _known(self, node: NodeId) -> Record:
        record = self._mine(node)
        if record is None:
            raise NotFound(f"there is no namespace node {node} here")
        return record

    def _inside(self, record: Record) -> list[processes.Seen]:
        return processes.family(record.first.pid) if record.first else []

    def _said(self, node: NodeId) -> str:
        """Return the last line that the sandbox printed."""
        time.sleep(0.1)  # its log writer is a process of its own
        with suppress(OSError):
            lines = (self._records.folder(node) / LOG).read_text(errors="replace").splitlines()
            return f" ({lines[-1][25:300]})" if lines else ""
        return ""

    def _group(self, node: NodeId) -> str:
        return f"ringfence-{self._tag}-{node}"

    def _marker(self, node: NodeId) -> str:
        return f"ringfence-node={self._tag}/{node}"

    def _lock_file(self, name: str) -> Path:
        return self._records.directory / f".{name}.lock"

    def _locked(self, node: NodeId) -> AbstractContextManager[None]:
        return self._lock(node)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        """Let one process at a time work on a node; the kernel frees the lock with its holder."""
        self._records.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock_file(name).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _await_program(first: int) -> None:
    """Wait until the first process inside is the node's sshd and bubblewrap no longer, which may still fail."""
    deadline = time.monotonic() + launcher.SECONDS
    while (name := processes.name(first)) == BUILDER and time.monotonic() < deadline:
        time.sleep(0.002)
    if name in {"", BUILDER}:
        raise Unavailable("the sandbox ended while it was built")


def _may_give_users() -> bool:
    """Return whether we are root, and not only of a user namespace that knows no other users."""
    ranges = [[int(part) for part in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return os.geteuid() == 0 and any(first <= FIRST_UID and first + count > LAST_UID for first, _, count in ranges)


def _users() -> set[int | None]:
    """Return the users that have processes now."""
    found: set[int | None] = set()
    for pid in processes.everyone():
        with suppress(OSError):
            found.add(os.stat(f"/proc/{pid}").st_uid)  # noqa: PTH116 -- a Path per process is slow here
    return found
