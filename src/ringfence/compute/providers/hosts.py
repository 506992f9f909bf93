"""What is written down of each machine of one's own: enough to reach it and to free it again."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ringfence.compute.configuration import Facts, kept
from ringfence.compute.model import NodeId
from ringfence.compute.providers.folders import Folders
from ringfence.compute.providers.processes import Process
from ringfence.kernel.digest import dumps
from ringfence.kernel.errors import NotFound, RingfenceError
from ringfence.storage.files import PRIVATE, explained, read_bounded, write_whole

RECORD, BEFORE, BASELINE, LOG = "host.json", "before.nft", "baseline.json", "sshd.log"
LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that was added.

    Attributes:
        node: its id here.
        address: `ssh://user@host:port`.
        host_key: the only one that is accepted.
        rules: how rules are loaded there: `root`, `sudo`, or `none`.
        met: whether a login has worked.
        cut: whether it is cut off, or about to be, or may be; written before the cut.
        before: digest of its rules before the cut.
    """

    node: NodeId
    address: str
    host_key: str
    rules: str = "none"
    met: bool = False
    cut: bool = False
    before: str = ""


class Hosts(Folders):
    """The records of the machines, each in the machine's folder."""

    def write(self, host: Host) -> None:
        """Write the record durably, whole or not."""
        write_whole(self.make(host.node) / RECORD, json.dumps(asdict(host)).encode(), mode=PRIVATE)

    def read(self, node: NodeId) -> Host | None:
        """Return the record; None where there is none, or only a spoilt one."""
        try:
            return Host(**json.loads(read_bounded(self.folder(node) / RECORD, limit=LARGEST)))
        except (RingfenceError, ValueError, TypeError):
            return None

    def known(self, node: NodeId) -> Host:
        """Return the record; raise `NotFound`."""
        host = self.read(node)
        if host is None:
            raise NotFound(f"no machine {node} was added here")
        return host

    def all(self) -> list[Host]:
        """Return every record that can be read."""
        found = [self.read(node) for node in self.folders()]
        return [host for host in found if host]

    def keep_rules(self, node: NodeId, listing: str) -> None:
        """Keep the rules as they were before the cut, for a person who has to compare."""
        write_whole(self.folder(node) / BEFORE, listing.encode(), mode=PRIVATE)

    def keep_baseline(self, node: NodeId, facts: Facts) -> None:
        """Keep how the machine should be."""
        write_whole(self.folder(node) / BASELINE, dumps(dict(facts)), mode=PRIVATE)

    def baseline(self, node: NodeId) -> Facts:
        """Return how the machine should be; nothing where nobody has said so.

        Raises:
            MalformedInput: what was kept is not that any more.
        """
        path = self.folder(node) / BASELINE
        if not path.exists():
            return {}
        return kept(read_bounded(path, limit=LARGEST), source=BASELINE)

    def log(self, node: NodeId) -> Path:
        """Return where the lines of its sshd are written."""
        return self.folder(node) / LOG


@dataclass(frozen=True, slots=True)
class Follower:
    """The process that follows a machine's log: found by its pid and start time, and by the marker it carries."""

    path: Path

    def read(self) -> Process | None:
        """Return the process that was written down, if it lives."""
        try:
            pid, started = (int(word) for word in read_bounded(self.path, limit=100).split())
        except (RingfenceError, ValueError):
            return None
        process = Process(pid, started)
        return process if process.alive else None

    def write(self, process: Process) -> None:
        """Write a process down; not durably, since it does not outlive the machine."""
        with explained(self.path, "write"):
            self.path.write_text(f"{process.pid} {process.started}\n")
