"""A whole installation under attack: `ringfence up` as a process, real nodes with real sshd, strangers outside.

with running(home, work) as lab:
    node = lab.start("lab", password=True)
    with lab.stranger("203.0.113.7") as stranger:
        stranger.guess(node["address"], [*wrong(5), lab.password], "sleep 30")
    cut = lab.isolated("lab")
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence import components
from ringfence.compute.providers import processes
from ringfence.installation import open_home
from ringfence.kernel.actor import Role
from ringfence.kernel.envelope import Envelope
from ringfence.storage.database import Database
from ringfence.storage.rows import STATEMENTS, intact
from ringfence.testing import fabric
from ringfence.testing.home import LabHome
from ringfence.testing.program import called, environment
from ringfence.tour.lab import Neighbour, Stranger, installation, password_file, until
from ringfence.workloads.practice.clearing import end_nodes

ATTEMPTS = 5  # failures from one source on one node that make a finding
_SETS = ("accepted", "denied", "blocked")  # counters, and what a block changes; not a node's ruleset


def missing() -> str:
    """Say why there can be no lab here; empty where there can."""
    absent = [name for name in ("bwrap", "sshd", "ssh") if not components.present(name)]
    return f"missing: {', '.join(absent)} (`make setup` installs them)" if absent else fabric.missing()


def wrong(count: int = ATTEMPTS) -> list[str]:
    """Return passwords that nobody has."""
    return [secrets.token_hex(4) for _ in range(count)]


def processes_of(home: Path) -> list[str]:
    """Return the command lines of processes that belong to a home."""
    found = [processes.command_line(pid) for pid in processes.everyone() if pid != os.getpid()]
    return [line.decode(errors="replace") for line in found if str(home).encode() in line]


class Guesser(Stranger):
    """A stranger who types several passwords into one connection, and any user name."""

    def guess(
        self, host: str, passwords: list[str], *command: str, user: str = "ringfence", seconds: float = 15.0
    ) -> "subprocess.CompletedProcess[bytes]":
        """Try passwords one after the other in one connection; run a command where one opens."""
        typed = self.command(host, len(passwords), *command, user=user)
        return self._tried(typed, self.environment(passwords), seconds)

    def command(self, host: str, prompts: int, *command: str, user: str = "ringfence") -> list[str]:
        """Return the ssh command of this stranger."""
        named = self.work / f"user-{secrets.token_hex(6)}"  # on the command line ssh refuses what some type as a name
        named.write_text(f'User "{user}"\n', encoding="utf-8")
        return self._ssh(str(named), prompts, host, *command)

    def environment(self, passwords: list[str]) -> dict[str, str]:
        """Return the environment in which ssh finds the passwords, each once."""
        typed = self.work / f"typed-{secrets.token_hex(6)}"
        typed.write_text("".join(f"{password}\n" for password in passwords), encoding="utf-8")
        return self._typing(self._script("type", 'sed -n 1p "$TYPED"\nsed -i 1d "$TYPED"'), TYPED=str(typed))

    def guess_raw(self, host: str, passwords: list[str], user: str) -> int:
        """Try passwords for a user name of any bytes, a connection each; return how many were refused."""
        command = [*self._inside(), sys.executable, "-m", "ringfence.testing.raw_ssh", host]
        wanted = json.dumps({"user": user, "passwords": passwords}).encode()
        done = subprocess.run(command, check=True, input=wanted, capture_output=True, timeout=60)  # noqa: S603
        return int(done.stdout)

    def connects(self, host: str) -> bool:
        """Return whether an sshd greets this stranger."""
        code = "import socket,sys; s=socket.create_connection((sys.argv[1],22),1.5); sys.exit(s.recv(4)!=b'SSH-')"
        command = [*self._inside(), "python3", "-I", "-c", code, host]
        return subprocess.run(command, check=False, capture_output=True, timeout=20).returncode == 0  # noqa: S603


@dataclass
class Lab:
    """The installation, and what a test asks it."""

    home: LabHome
    work: Path
    scene: ExitStack
    net: fabric.Lab
    up: "subprocess.Popen[bytes] | None" = None
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    _strangers: dict[str, Guesser] = field(default_factory=dict)
    _serving: ExitStack = field(default_factory=ExitStack)

    # the installation

    def serve(self) -> None:
        """Run `ringfence up`, again where it was killed."""
        self._serving.close()
        self.up = self._serving.enter_context(installation(self.home.path))

    def end(self) -> None:
        """End `ringfence up`."""
        self._serving.close()

    def kill(self) -> None:
        """Kill `ringfence up`, as a crash would."""
        assert self.up is not None
        self.up.kill()
        self.up.wait()

    def ask(self, *arguments: str, role: Role = Role.SECURITY, code: int = 0) -> Any:
        """Run a verb as somebody."""
        done = called(self.home.environment(role), *arguments, "--json")
        assert done.returncode == code, f"{arguments}: {done.returncode} {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def settle(self, **settings: object) -> None:
        """Change what is done about findings."""
        file = self.work / "settings.json"
        file.write_text(json.dumps(self.ask("findings", "playbook")["settings"] | settings), encoding="utf-8")
        self.ask("findings", "change", "--settings", str(file))

    # nodes and strangers

    def start(self, name: str, *, password: bool = False, training: bool = False, role: Role = Role.OWNER) -> Any:
        """Start a node whose port 22 the outside may reach, and return what is shown of it."""
        more = ["--password-file", str(password_file(self.work, self.password))] if password else []
        more += ["--training"] if training else []
        self.ask("node", "start", name, "--class", "namespace", "--expose", "22", "--cpus", "100", *more, role=role)
        return self.show(name)

    def show(self, name: str) -> Any:
        """Return what is shown of a node."""
        return self.ask("node", "show", name)

    def stream(self, name: str) -> Neighbour:
        """Return an open session on a node, by certificate, that sends lines back."""
        command = [sys.executable, "-m", "ringfence", "node", "ssh", name, "--", "cat"]
        return Neighbour(command, environment(self.home.environment(Role.ENGINEER)))

    def stranger(self, address: str) -> Guesser:
        """Return who is at an address of the outside, until the lab ends."""
        if address not in self._strangers:
            made = Guesser(self.net.fabric, "s-" + address.replace(".", "-"), address, self.work)
            self.scene.enter_context(made)
            self._strangers[address] = made
        return self._strangers[address]

    def leave(self, address: str) -> None:
        """Let a stranger go."""
        if (gone := self._strangers.pop(address, None)) is not None:
            gone.__exit__()

    # what is to be seen

    def until(self, found: Callable[[], Any], what: str) -> Any:
        """Wait for something that happens by itself."""
        return until(found, what, seconds=30)

    def finding(self, rule: str, source: str) -> Any:
        """Return a finding once everything about it was decided and done."""

        def found() -> Any:
            for one in self.ask("findings", "list", "--rule", rule)["findings"]:
                if one["source"] == source and one["actions"]:
                    settled = all(act["state"] != "desired" and act["state"] != "failed" for act in one["actions"])
                    return one if settled else None
            return None

        return self.until(found, f"a finding {rule} about {source}")

    def findings(self, rule: str = "") -> list[Any]:
        """Return the findings, without waiting."""
        more = ["--rule", rule] if rule else []
        return list(self.ask("findings", "list", "--limit", "1000", *more)["findings"])

    def isolated(self, name: str) -> Any:
        """Wait until a node is confirmed to be cut off."""
        return self.until(
            lambda: (shown := self.show(name))["containment"] == "quarantined" and shown, f"the cut of {name}"
        )

    def stated(self, predicate: str, **claims: object) -> list[Envelope]:
        """Return the statements of a kind that claim certain things, oldest first."""
        database = Database(open_home(self.home.path).database_url)
        query = STATEMENTS.select().where(STATEMENTS.c.predicate == predicate).order_by(STATEMENTS.c.id)
        try:
            with database.reading() as connection:
                known = [found for row in connection.execute(query) if (found := intact(row))]
        finally:
            database.close()
        return [one for one in known if claims.items() <= dict(one.statement.claims).items()]

    def incident(self, node: str, *, state: str = "") -> Any:
        """Return the newest open incident about a node, once there is one."""

        def found() -> Any:
            for one in self.ask("incident", "list")["incidents"]:
                shown = self.ask("incident", "show", one["incident"])
                if node in json.dumps(shown["timeline"]) + json.dumps(shown) and one["state"] != "closed":
                    return shown if not state or shown["state"] == state else None
            return None

        return self.until(found, f"an incident about {node}")

    def ruleset(self, *addresses: str) -> str:
        """Return the kernel's ruleset without counters and blocks; only the lines that name one of some addresses."""
        lines = []
        for entry in json.loads(self.net.inside("nft", "-j", "list", "ruleset"))["nftables"]:
            ((kind, body),) = entry.items()
            if kind == "metainfo" or (kind == "set" and body["name"] in _SETS):
                continue
            place = " ".join(str(body.get(name, "")) for name in ("family", "table", "name", "chain"))
            elements = body.pop("elem", [])
            lines.append(f"{kind} {place} {json.dumps({n: v for n, v in body.items() if n != 'handle'})}")
            lines += [f"element {place} {json.dumps(element)}" for element in elements]
        wanted = [line for line in lines if not addresses or any(f'"{address}"' in line for address in addresses)]
        return "\n".join(sorted(wanted))

    def left(self) -> list[str]:
        """Return the command lines of processes that belong to this home."""
        return processes_of(self.home.path)

    def close(self) -> None:
        """End it all and leave nothing: what is quarantined, too."""
        self.end()
        self.scene.close()
        end_nodes(self.home.path, lambda: self.net.fabric)
        self.net.close()


@contextmanager
def running(home: LabHome, work: Path) -> Iterator[Lab]:
    """Run an installation with everything that belongs to it, until the block ends."""
    work.mkdir(exist_ok=True)
    lab = Lab(home, work, ExitStack(), fabric.Lab(home.path / "fabric"))
    try:
        lab.serve()
        yield lab
    finally:
        lab.close()
