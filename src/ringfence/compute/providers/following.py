"""Keep the follower of a machine's log running: a process of its own, which a restart of Ringfence does not touch."""

import subprocess
import sys
import time
from dataclasses import dataclass, field

from ringfence.compute.model import NodeId
from ringfence.compute.providers import guestlog, processes
from ringfence.compute.providers.hosts import Follower, Hosts
from ringfence.compute.providers.remote import Remote
from ringfence.kernel.errors import Unavailable

AGAIN = 10.0  # seconds between two attempts
SECONDS = 10.0  # for a process to start
FOLDER, PROCESS = "login", "follower"
_PROGRAM = "ringfence.compute.providers.guestlog"


@dataclass(slots=True)
class Following:
    """The followers of all machines below one directory."""

    hosts: Hosts
    _tried: dict[NodeId, float] = field(default_factory=dict)

    def runs(self, node: NodeId) -> bool:
        """Return whether a machine's log is followed."""
        return self._written(node).read() is not None

    def ensure(self, node: NodeId, remote: Remote) -> bool:
        """Start the follower where it does not run and was not just tried; return whether it runs now."""
        if self.runs(node):
            return True
        if time.monotonic() - self._tried.get(node, -AGAIN) < AGAIN:
            return False
        self._tried[node] = time.monotonic()
        self._start(node, remote)
        return True

    def end(self, node: NodeId) -> None:
        """End the follower with its client."""
        process = self._written(node).read()
        if process is not None:
            for seen in processes.family(process.pid):
                processes.end(seen.process)

    def _start(self, node: NodeId, remote: Remote) -> None:
        folder = self.hosts.folder(node) / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        argv, environment = remote.command(folder, guestlog.COMMAND)
        log = str(self.hosts.log(node).absolute())
        command = [sys.executable, "-I", "-m", _PROGRAM, log, f"ringfence-node={node}", "--", *argv]
        try:
            done = subprocess.run(  # noqa: S603 -- our own program
                command, capture_output=True, env=environment, cwd=folder, timeout=SECONDS, check=True
            )
            process = processes.find(int(done.stdout))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise Unavailable("the follower of the machine's log does not start") from error
        if process is not None:
            self._written(node).write(process)

    def _written(self, node: NodeId) -> Follower:
        return Follower(self.hosts.folder(node) / PROCESS)
