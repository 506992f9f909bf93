"""A real PostgreSQL server for a test session, on a socket in a directory of its own, and databases in it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ringfence.testing.programs import NOBODY, surroundings, tool, unprivileged

if TYPE_CHECKING:
    from psycopg import Connection

USER = "ringfence"
# Small, and as durable as in earnest: a kill must find what a commit promised.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "32MB",
    "max_connections": "64",
    "max_wal_size": "128MB",
    "logging_collector": "off",
    "log_min_messages": "fatal",
    "autovacuum": "off",  # would wake up in the middle of templates that are copied
}
_TRIES = 600


@dataclass(slots=True)
class Server:
    """One cluster: started, killed and started again as a test needs it."""

    folder: Path
    prefix: tuple[str, ...] = ()  # what its commands begin with: a namespace that they are to enter
    sockets: Path | None = None  # where its socket is, if not in its folder
    settings: Mapping[str, str] = field(default_factory=dict)
    _names: Iterator[int] = field(default_factory=count)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def data(self) -> Path:
        """Return the cluster's directory."""
        return self.folder / "data"

    @property
    def socket_folder(self) -> Path:
        """Return where clients find it."""
        return self.sockets or self.folder

    def url(self, database: str) -> str:
        """Return the address of a database, as Ringfence takes it."""
        return f"postgresql://{USER}@/{database}?host={quote(str(self.socket_folder), safe='')}"

    def make(self) -> None:
        """Make the cluster; everybody who can enter its directory is let in."""
        command = [
            *self._entered(),
            str(tool("initdb")),
            "-D",
            str(self.data),
            "-U",
            USER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        self._run([*command, "--locale=C.UTF-8"])  # as Debian makes them: not the order of bytes that SQLite keeps

    def start(self) -> None:
        """Start the server, and return when it answers."""
        command = [*self._entered(), str(tool("postgres")), "-D", str(self.data), "-k", str(self.socket_folder)]
        for name, value in {**_SETTINGS, **self.settings}.items():
            command += ["-c", f"{name}={value}"]
        log = (self.socket_folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(  # noqa: S603
                command, env=surroundings(), stdout=log, stderr=log, cwd="/", **self._user()
            )
        self._wait()

    def stop(self) -> None:
        """Stop the server at once, losing what was not committed: as a machine that loses power."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """Kill the server without a word; its children notice and end."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let the server's first process stand still."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def create(self, template: str = "template0") -> str:
        """Make a database, a copy of another; return its name."""
        name = f"test_{next(self._names)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Drop a database and whoever is still connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str, *, database: str = "postgres") -> list[Any]:
        """Run one statement outside of everything of ours; return its rows."""
        with self.connect(database) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def rows(self, database: str) -> bytes:
        """Return every row of every table of ours, as the server prints it in its binary format."""
        tables = self.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=database)
        found = []
        with self.connect(database) as connection:
            for (table,) in tables:
                with connection.cursor().copy(f'COPY "{table}" TO STDOUT (FORMAT binary)'.encode()) as copied:
                    found += [bytes(piece) for piece in copied]
        return b"".join(found)

    def connect(self, database: str) -> "Connection[Any]":
        """Open a bare connection."""
        import psycopg

        return psycopg.connect(host=str(self.socket_folder), user=USER, dbname=database, autocommit=True)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def _wait(self) -> None:
        import psycopg

        for _ in range(_TRIES):
            try:
                self.connect("postgres").close()
            except psycopg.OperationalError:
                assert self._process is not None
                assert self._process.poll() is None, (self.socket_folder / "log").read_text()
                time.sleep(0.02)
            else:
                return
        raise AssertionError("the server never answered")

    def _entered(self) -> tuple[str, ...]:
        """Return what enters a namespace as root, and is nobody then."""
        if not self.prefix:
            return ()
        user = pwd.getpwnam(NOBODY)
        return (*self.prefix, "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")

    def _user(self) -> dict[str, Any]:
        return {} if self.prefix else unprivileged()

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(  # noqa: S603
            command, env=surroundings(), cwd="/", capture_output=True, text=True, check=False, **self._user()
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def server() -> Iterator[Server]:
    """Run a server of its own while the block lasts."""
    with folder() as place, running(Server(place)) as made:
        yield made


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder in which a server can be, which is somebody else than us."""
    tool("postgres")
    # Not below pytest's own folder: that one only its owner may enter.
    made = Path(tempfile.mkdtemp(prefix="ringfence-pg-"))
    try:
        if os.geteuid() == 0:
            os.chown(made, pwd.getpwnam(NOBODY).pw_uid, -1)
        yield made
    finally:
        shutil.rmtree(made)


@contextmanager
def running(made: Server) -> Iterator[Server]:
    """Make a cluster and run its server while the block lasts."""
    made.make()
    made.start()
    try:
        yield made
    finally:
        with suppress(ProcessLookupError):
            made.stop()
