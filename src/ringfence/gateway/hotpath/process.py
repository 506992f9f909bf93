"""The process: bind, give up rights, open the journal, serve, and drain at the end."""

import argparse
import asyncio
import concurrent.futures.thread
import contextlib
import encodings.idna
import json
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ringfence.gateway import guard
from ringfence.gateway.blobs import ReceiptFiles, ReceiptIndex, SegmentFiles
from ringfence.gateway.hotpath.access import AccessFile
from ringfence.gateway.hotpath.closing import Closer
from ringfence.gateway.hotpath.connections import CallerConnection
from ringfence.gateway.hotpath.desk import Desk
from ringfence.gateway.hotpath.journal import FileJournal
from ringfence.gateway.hotpath.pools import verifying
from ringfence.gateway.hotpath.recovery import open_journal
from ringfence.gateway.hotpath.snapshots import SnapshotFile, control_key
from ringfence.gateway.hotpath.tuning import Tuning, tuned
from ringfence.gateway.hotpath.wallclock import WallClock
from ringfence.kernel import digest, identifier
from ringfence.kernel.errors import MalformedInput, RingfenceError, Unavailable
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.settings import Settings
from ringfence.storage import keyfile
from ringfence.storage.files import read_bounded
from ringfence.storage.signer import Ed25519Signer

LOOK = 0.25  # seconds between looks at the snapshot's file
TICK = 0.2  # seconds between looks at deadlines
BACKLOG = 1024
_log = logging.getLogger("ringfence.gateway")
# Imported on their first use otherwise, when a process that gave up its rights may not read them any more.
_EARLY = (concurrent.futures.thread, encodings.idna)


@dataclass(frozen=True, slots=True)
class Options:
    """What the supervisor says."""

    folder: Path
    port: int
    host: str
    uid: int | None
    gid: int | None
    tuning: Tuning


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is read before rights are given up."""

    signer: Ed25519Signer
    log: LogOrigin
    demo_tenants: frozenset[Tenant]
    control: bytes


def options(arguments: Sequence[str]) -> Options:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="ringfence.gateway.hotpath", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8401)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--tune", action="append", default=[], metavar="NAME=NUMBER", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    return Options(chosen.folder, chosen.port, chosen.host, chosen.uid, chosen.gid, tuned(chosen.tune))


def origin(folder: Path) -> tuple[LogOrigin, frozenset[Tenant]]:
    """Read which log the segments are for, and which tenants are demonstrations.

    Raises:
        MalformedInput: the file does not say so.
    """
    path = folder / "origin.json"
    match digest.loads(read_bounded(path, limit=2**20), source=str(path)):
        case {"log": log, "demoTenants": list() as demos, **extra} if not extra:
            return identifier.log_origin(log), frozenset(identifier.tenant(each) for each in demos)
        case _:
            raise MalformedInput("it holds log and demoTenants", source=str(path))


def secrets_of(folder: Path, settings: Settings) -> Secrets:
    """Read keys and names; nothing of it is printed anywhere."""
    held = keyfile.load(folder / ".." / "keys" / "gateway.json", settings.passphrase())
    log, demos = origin(folder)
    return Secrets(Ed25519Signer.from_seed(held.secret("gateway")), log, demos, control_key(folder))


def bound(host: str, port: int) -> socket.socket:
    """Take the port; nobody can connect yet.

    Raises:
        Unavailable: somebody else has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise Unavailable(f"the gateway cannot take {host} port {port}: {error.strerror}") from error
    return taken


def raise_limit(wanted: int) -> None:
    """Allow as many open connections as the tuning does, as far as this user may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def drop(uid: int | None, gid: int | None) -> None:
    """Become an unprivileged user for good, where we are root and were told whom.

    Raises:
        Unavailable: we are root and may not stay it.
    """
    if os.geteuid() != 0 or uid is None or gid is None:
        return
    if uid == 0 or gid == 0:
        raise Unavailable("the gateway does not listen as root: name another user")
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def opened(folder: Path, secrets: Secrets) -> tuple[FileJournal, ReceiptFiles]:
    """Open the journal, and close what a killed gateway left."""
    files, index = SegmentFiles(folder), ReceiptIndex(folder / "index")
    closer = Closer(files, index, secrets.signer, secrets.log, secrets.demo_tenants, WallClock(), os.urandom)
    journal = open_journal(folder, closer)
    return journal, ReceiptFiles(files, index, journal.holds)


async def serve(chosen: Options, secrets: Secrets, taken: socket.socket) -> None:
    """Serve until told to stop."""
    folder = Path()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_stumbled)
    journal, receipts = opened(folder, secrets)
    accesses = AccessFile(folder / "access.log")
    desk = Desk(loop, WallClock(), chosen.tuning, journal, accesses, receipts, cache(verifying))
    snapshots = SnapshotFile(folder, secrets.control)
    await look(desk, snapshots)
    tick(desk, accesses)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: CallerConnection(desk), sock=taken, backlog=BACKLOG)
    print(json.dumps({"port": taken.getsockname()[1]}), flush=True)  # noqa: T201 -- the supervisor waits for it
    following = loop.create_task(follow(desk, snapshots))
    await stop.wait()
    server.close()
    await drained(desk)
    following.cancel()
    desk.close()
    await loop.run_in_executor(None, journal.close)
    accesses.close()


async def look(desk: Desk, snapshots: SnapshotFile) -> None:
    """Take over the newest keys and routes, where there are any."""
    try:
        newest = await desk.loop.run_in_executor(None, snapshots.newest)
    except Unavailable:
        return
    if newest is not desk.snapshot:
        desk.use(newest)


async def follow(desk: Desk, snapshots: SnapshotFile) -> None:
    """Look at the snapshot for ever."""
    while True:
        await asyncio.sleep(LOOK)
        await look(desk, snapshots)


def tick(desk: Desk, accesses: AccessFile) -> None:
    """Act on deadlines and write access records, again and again: whatever stumbles this time."""
    desk.loop.call_later(TICK, tick, desk, accesses)
    desk.sweep()
    accesses.flush()


async def drained(desk: Desk) -> None:
    """Let running answers end, for a while; then break them off."""
    desk.draining = True
    if not desk.connections:
        desk.empty.set()
    for connection in tuple(desk.connections):
        connection.drain()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(desk.tuning.drain):
            await desk.empty.wait()
    for connection in tuple(desk.connections):
        connection.abort()


def _stumbled(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:  # noqa: ARG001
    """Write one line about a fault of our own: never what callers sent."""
    error = context.get("exception")
    place = error.__traceback__ if isinstance(error, BaseException) else None
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "unknown place"
    _log.error("internal: %s at %s: %s", type(error).__name__, where, context.get("message"))


def main(arguments: Sequence[str]) -> int:
    """Run the gateway; return its exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    os.umask(0o077)
    try:
        chosen = options(arguments)
        os.chdir(chosen.folder)  # the way to it may be closed to whom we become
        secrets = secrets_of(Path(), Settings.from_environment(os.environ | {"RINGFENCE_HOME": ".."}))
        guard.shipped()
        raise_limit(2 * (chosen.tuning.callers + chosen.tuning.engines) + 256)
        with contextlib.closing(bound(chosen.host, chosen.port)) as taken:
            drop(chosen.uid, chosen.gid)
            _run(chosen, secrets, taken)
    except RingfenceError as error:
        _log.error("%s", error)
        return error.exit_code
    except OSError as error:
        _log.error("the gateway cannot start: %s", error.strerror)
        return Unavailable.exit_code
    return 0


def _run(chosen: Options, secrets: Secrets, taken: socket.socket) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(chosen, secrets, taken))
    else:
        uvloop.run(serve(chosen, secrets, taken))
