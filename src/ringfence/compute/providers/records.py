"""What is written down about each running node, in a folder of its own; enough to find and end it after any crash."""

import json
from dataclasses import asdict, dataclass, replace

from ringfence.compute.model import NodeId
from ringfence.compute.providers.folders import Folders
from ringfence.compute.providers.processes import Process
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.storage.files import PRIVATE, explained, read_bounded

RECORD = "node.json"
LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """A node that was begun: who it is on this machine, and which processes are it."""

    node: NodeId
    node_class: str
    uid: int | None = None
    host_key: str = ""
    address: str = ""
    processes: tuple[Process, ...] = ()  # the sandbox's own monitor, then its first process
    groups: tuple[str, ...] = ()  # control groups, which lie below that of whoever made the node
    started: bool = False  # everything was done; False: a crash came between

    def with_process(self, process: Process) -> "Record":
        """Return the record with one more process."""
        return replace(self, processes=(*self.processes, process))

    @property
    def first(self) -> Process | None:
        """Return the first process inside."""
        return self.processes[1] if len(self.processes) > 1 else None

    @property
    def alive(self) -> bool:
        """Return whether the node runs, whole."""
        return self.started and bool(self.processes) and all(process.alive for process in self.processes)


class Records(Folders):
    """The records of the nodes, each in the node's folder."""

    def begin(self, record: Record) -> None:
        """Make the folder and the first record."""
        self.make(record.node)
        self.write(record)

    def write(self, record: Record) -> None:
        """Write the record, whole or not; not durably, since no process that it names outlives the machine's end."""
        path = self.folder(record.node) / RECORD
        draft = path.with_suffix(".tmp")
        with explained(path, "write"):
            draft.touch(mode=PRIVATE)
            draft.write_text(json.dumps(asdict(record)))
            draft.replace(path)

    def read(self, node: NodeId) -> Record | None:
        """Return the record; None where there is none, or only a spoilt one, which is as good as none."""
        try:
            data = json.loads(read_bounded(self.folder(node) / RECORD, limit=LARGEST))
            return _record(data)
        except (RingfenceError, ValueError, TypeError, KeyError):
            return None

    def all(self, node_class: str) -> list[Record]:
        """Return the records of one class."""
        found = [self.read(node) for node in self.folders()]
        return [record for record in found if record and record.node_class == node_class]


def _record(data: dict[str, object]) -> Record:
    processes = data["processes"]
    if not isinstance(processes, list):
        raise MalformedInput("the record of a node has no list of processes")
    known = tuple(Process(int(each["pid"]), int(each["started"])) for each in processes)
    groups = data.get("groups", [])
    fields = {**data, "processes": known, "groups": tuple(groups) if isinstance(groups, list) else ()}
    return Record(**fields)  # type: ignore[arg-type]  # a record of ours; whatever does not fit is a TypeError above
