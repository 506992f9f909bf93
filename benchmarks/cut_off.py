"""From sshd's line to a node that is cut off and probed: `ringfence up`, real nodes, real guesses by real ssh."""

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from measurement import Row

from ringfence.kernel.actor import Role
from ringfence.testing import lab
from ringfence.testing.home import make

ROUNDS = 50
TOGETHER, ROUNDS_TOGETHER = 4, 6
OUTSIDE = "198.18.0.0/15"  # never blocked here: a block might be quicker than the right password
LINE = "Accepted password for ringfence from "


@dataclass
class Times:
    """Milliseconds since the log writer stamped the line by which the guesser came in."""

    decided: list[float] = field(default_factory=list)
    cut: list[float] = field(default_factory=list)
    probed: list[float] = field(default_factory=list)
    itself: list[float] = field(default_factory=list)

    def take(self, line: datetime, held: dict[str, Any]) -> None:
        """Add one quarantine."""
        for into, name in ((self.decided, "requested_at"), (self.cut, "cut_at"), (self.probed, "confirmed_at")):
            into.append((datetime.fromisoformat(held[name]) - line).total_seconds() * 1000)
        self.itself.append(held["cut_micros"] / 1000)


def addresses() -> Iterator[str]:
    """Give addresses of the outside that were not used before: the same one would go on with the same finding."""
    return (f"198.{18 + n // 60000}.{n // 250 % 240}.{n % 250 + 1}" for n in range(60000))


@contextmanager
def attacked(made: lab.Lab, names: Iterable[str], fresh: Iterator[str]) -> Iterator[dict[str, str]]:
    """Break into nodes, all at the same time; give the address from which each was attacked."""
    prepared = []
    for name in names:
        address = next(fresh)
        stranger, guesses = made.stranger(address), [*lab.wrong(), made.password]
        host = made.show(name)["network_address"]
        prepared.append(
            (name, address, stranger.command(host, len(guesses), "sleep 20"), stranger.environment(guesses))
        )
    null = subprocess.DEVNULL
    running = [
        subprocess.Popen(command, env=given, stdin=null, stdout=null, stderr=null) for _, _, command, given in prepared
    ]
    try:
        yield {name: address for name, address, _, _ in prepared}
    finally:
        for session in running:
            session.kill()
            session.wait()


def one_round(made: lab.Lab, names: list[str], fresh: Iterator[str], times: Times) -> None:
    """Attack nodes at the same time, wait until all are cut off, and free them."""
    with attacked(made, names, fresh) as sources:
        for name, source in sources.items():
            held = made.isolated(name)["held"]
            times.take(line_of(made, name, source), held)
    for name in names:
        made.leave(sources[name])
        asked = made.ask("node", "release", name, "--reason", "measured")
        made.ask("node", "release", name, "--approve", asked["request"], role=Role.OWNER)


def line_of(made: lab.Lab, name: str, source: str) -> datetime:
    """Return when the log writer took in the line of the success."""
    log = (made.home.path / "nodes" / made.show(name)["node"] / "sshd.log").read_text()
    return next(datetime.fromisoformat(line.split()[0]) for line in log.splitlines() if f"{LINE}{source} " in line)


def measured(rounds: int, together: int) -> tuple[Times, Times]:
    """Return the times of nodes that are attacked one after the other, and of several at once."""
    alone, crowd, fresh = Times(), Times(), addresses()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        with lab.running(make(place / "home"), place / "work") as made:
            made.settle(isolations=1000, cooldown_seconds=0, never_block=[OUTSIDE])
            names = [f"lab-{number}" for number in range(TOGETHER)]
            for name in names:
                made.start(name, password=True)
            for _ in range(rounds):
                one_round(made, names[:1], fresh, alone)
            for _ in range(together):
                one_round(made, names, fresh, crowd)
    return alone, crowd


def measure() -> list[Row]:
    """Attack, cut off and free."""
    if lab.missing():
        print(f"cut_off: not measured: {lab.missing()}")
        return []
    alone, crowd = measured(ROUNDS, ROUNDS_TOGETHER)
    end_to_end = "from the stamp of the log writer beside the node to the row of the quarantine"
    crowded = f"{TOGETHER} nodes attacked at the same moment"
    return [
        Row("sshd's line to the decision", "printed", alone.decided, note=end_to_end),
        Row("sshd's line to the kernel's cut", "printed", alone.cut, note="evidence is taken before it"),
        Row("sshd's line to isolated and probed", "p95 < 2 s", alone.probed, limit=2000),
        Row("the cut itself, in an attack", "p95 < 100 ms", alone.itself, limit=100),
        Row("line to cut, several at once", "printed", crowd.cut, note=crowded),
        Row("line to isolated and probed, several at once", "p95 < 5 s", crowd.probed, limit=5000, note=crowded),
    ]
