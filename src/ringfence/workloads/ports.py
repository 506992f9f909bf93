"""What starting and keeping engines needs from outside."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from ringfence.gateway.model import DeploymentName
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.workloads.shell import Finished


class Admits(Protocol):
    """Says whether bytes may be served; `gating.service.Gates.admit` fulfils it."""

    def __call__(self, caller: Person, name: DeploymentName, model: Digest, weights: Digest, /) -> None:
        """Return where they may; raise `Refused`, once that is recorded, where they may not."""
        ...


class Carries(Protocol):
    """A tunnel into a node."""

    @property
    def alive(self) -> bool:
        """Return whether it still carries."""
        ...

    def close(self) -> None:
        """End it, and every connection through it."""
        ...


class Runs(Protocol):
    """Runs commands on a node."""

    def run(self, argv: Sequence[str], *, stdin: Iterable[bytes] = (), timeout: float) -> Finished:
        """Run a command to its end."""
        ...


class Shell(Runs, Protocol):
    """A node, as `workloads.shell.NodeShell` gives it."""

    def forward(self, local: Path, port: int) -> Carries:
        """Open a Unix socket that leads to a port of the node's loopback."""
        ...


class Sockets(Protocol):
    """Where tunnels end so that the gateway can use them."""

    def path(self, key: str) -> Path:
        """Return the path of a socket."""
        ...

    def relative(self, key: str) -> str:
        """Return the same path as the gateway knows it."""
        ...

    def hand_over(self, key: str) -> None:
        """Let the gateway's user, and nobody else, connect."""
        ...
