"""`ringfence doctor`: what is missing on this machine, and how to get it."""

import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.frontends.terminal import Json, output
from ringfence.kernel.errors import RingfenceError
from ringfence.settings import DEFAULT_PORT, LOOPBACK, Settings

if TYPE_CHECKING:
    from rich.console import Console

NEEDED_SPACE = 256 * 2**20  # a few datasets of the tour's size, and the journal's reservation


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    needed: bool  # without it Ringfence does not work; otherwise only what `found` names
    found: str
    remedy: str = ""


def examine(settings: Settings) -> list[Check]:
    """Look at everything; a check that fails to run is a check that failed."""
    checks: list[Callable[[Settings], Check]] = [
        _python, _signatures, _database, _space, _home, _keys, _clock, _port, _gateway, _law, _overrides, _verity,
    ]  # fmt: skip
    return [*(_safely(check, settings) for check in checks), *_optional()]


def _safely(check: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return check(settings)
    except (RingfenceError, OSError) as error:
        return Check(check.__name__.strip("_"), ok=False, needed=True, found=str(error), remedy="see the sentence")


def _python(_: Settings) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check(
        "python", sys.version_info >= (3, 11), needed=True, found=version, remedy="install Python 3.11 or newer"
    )


def _signatures(_: Settings) -> Check:
    from cryptography import __version__
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

    try:
        Ed25519PrivateKey.generate()
        MLDSA44PrivateKey.generate()
    except UnsupportedAlgorithm as error:
        found = f"cryptography {__version__}: {error}"
        return Check(
            "signatures", ok=False, needed=True, found=found, remedy="install the cryptography wheel from PyPI"
        )
    return Check("signatures", ok=True, needed=True, found=f"Ed25519 and ML-DSA-44 by cryptography {__version__}")


def _database(settings: Settings) -> Check:
    from ringfence.installation import open_home

    made = (settings.home / "ringfence.json").exists()
    if made and (home := open_home(settings.home, database=settings.database_url)).database:
        from ringfence.storage.database import Database
        from ringfence.storage.duty import on_duty, standing_by
        from ringfence.storage.migrations import version

        database = Database(home.database_url)
        try:
            found = f"PostgreSQL answers; its tables are of version {version(database)}"
            if where := on_duty(database):
                found += f"; `ringfence up` runs at {where}"
            if waiting := standing_by(database):
                found += f"; {', '.join(waiting)} stands by"
        finally:
            database.close()
        return Check("database", ok=True, needed=True, found=found)
    remedy = "use a Python built with SQLite 3.35 or newer"
    found = f"SQLite {sqlite3.sqlite_version}"
    return Check("database", sqlite3.sqlite_version_info >= (3, 35), needed=True, found=found, remedy=remedy)


def _space(settings: Settings) -> Check:
    free = shutil.disk_usage(_nearest(settings.home)).free
    remedy = f"free {NEEDED_SPACE // 2**20} MiB on the disk of {settings.home}"
    return Check("disk space", free >= NEEDED_SPACE, needed=True, found=f"{free // 2**20} MiB free", remedy=remedy)


def _home(settings: Settings) -> Check:
    place = _nearest(settings.home)
    if not place.is_dir() or not os.access(place, os.W_OK):
        remedy = "choose a writable directory in RINGFENCE_HOME"
        return Check("home", ok=False, needed=True, found=f"{place} is not a writable directory", remedy=remedy)
    exists = (settings.home / "ringfence.json").exists()
    found = f"{settings.home}" if exists else f"{settings.home} is not made yet (`ringfence init`)"
    return Check("home", ok=True, needed=True, found=found)


def _keys(settings: Settings) -> Check:
    from ringfence.app import custody
    from ringfence.installation import open_home

    if not (settings.home / "ringfence.json").exists():
        return Check("keys", ok=True, needed=False, found="no home yet")
    held = custody(open_home(settings.home))
    plain = "file-plain" in {held.service_keys, held.root_key, held.kek, *held.operator_keys}
    found = f"service keys {held.service_keys}, root key {held.root_key}, dataset KEK {held.kek}"
    remedy = "keys lie in the plain: set RINGFENCE_PASSPHRASE_FILE and run `ringfence key protect`"
    return Check("keys", not plain, needed=False, found=found, remedy=remedy)


def _clock(settings: Settings) -> Check:
    if not (settings.home / "ringfence.json").exists():
        return Check("clock", ok=True, needed=True, found="no log yet to compare with")
    from ringfence.app import open_services

    with open_services(settings) as services:
        services.ledger.check_publishable()
    return Check("clock", ok=True, needed=True, found="not before the newest log entry")


def _port(_: Settings) -> Check:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, DEFAULT_PORT))
        except OSError:
            remedy = "end that program, or use `ringfence up --port`"
            found = f"port {DEFAULT_PORT} is in use (by `ringfence up`, perhaps)"
            return Check("port", ok=False, needed=False, found=found, remedy=remedy)
    return Check("port", ok=True, needed=False, found=f"port {DEFAULT_PORT} is free")


def _gateway(settings: Settings) -> Check:
    """Look at the processes of this home: a gateway without `up` refuses soon, and `up` without one serves nobody."""
    from ringfence.frontends.client import SOCKET, listening
    from ringfence.gateway.worker import Place, running
    from ringfence.workloads.serving import FOLDER

    log = settings.home / "gateway.log"
    serves = bool(running(Place(settings.home / FOLDER, log, 0)))
    up = listening(settings.home / SOCKET)
    if serves == up:
        found = "it runs" if up else "it does not run, and neither does `ringfence up`"
        return Check("gateway", ok=True, needed=False, found=found)
    if up:
        found, remedy = "`ringfence up` runs and its gateway does not", f"read the end of {log}"
    else:
        found = "it runs without `ringfence up`: it refuses every caller once keys and routes are too old"
        remedy = "start `ringfence up`, which replaces it"
    return Check("gateway", ok=False, needed=False, found=found, remedy=remedy)


def _optional() -> Iterator[Check]:
    has_demo = util.find_spec("sklearn") is not None
    yield Check(
        "demo data",
        has_demo,
        needed=False,
        found="scikit-learn is there" if has_demo else "scikit-learn is missing: no tour",
        remedy="install the extra: ringfence[demo]",
    )
    yield from _nodes()
    openssl = shutil.which("openssl")
    yield Check(
        "openssl",
        openssl is not None,
        needed=False,
        found=openssl or "missing: timestamps cannot be checked by a second tool",
        remedy="install the package openssl",
    )


NODE_PROGRAMS = (
    ("network", ("ip", "nft", "nsenter", "unshare"), "no node can be cut off, so none is started"),
    ("namespace", ("bwrap", "sshd", "ssh"), "no namespace nodes"),
    ("vm", ("qemu-system-x86_64",), "no virtual machines"),
    ("measured-vm", ("qemu-system-x86_64", "swtpm"), "no node can show what it was started with"),
)


def _law(_: Settings) -> Check:
    from ringfence.installation import SystemClock
    from ringfence.obligations.age import LOOK_AGAIN, aged
    from ringfence.obligations.catalog import load

    old = aged(load(), SystemClock().now().date())
    found = "; ".join(one.text for one in old) or f"every entry was looked up in the last {LOOK_AGAIN.days} days"
    remedy = "install a newer release, or look up what changed before you rely on dates and numbers"
    return Check("law data", not old, needed=False, found=found, remedy=remedy)


def _verity(settings: Settings) -> Check:
    """Try fs-verity where models are stored; nothing is missing without it."""
    from ringfence.artifacts.models.verity import probe

    place = _nearest(settings.home)
    without = "models are served from sealed memory, which needs none"
    try:
        there = probe(place)
    except OSError as error:
        return Check("fs-verity", ok=True, needed=False, found=f"it cannot be tried in {place}: {error}; {without}")
    found = "the kernel holds stored models by it" if there else f"the file system of {place} has none: {without}"
    return Check("fs-verity", ok=True, needed=False, found=found)


def _overrides(settings: Settings) -> Check:
    from ringfence.installation import SystemClock
    from ringfence.obligations.blobs import effective

    rules = effective(settings.home, SystemClock().now().date())
    made = rules.catalog.overrides
    found = rules.refused or (f"rows: {made.rows}, files: {len(made.files)}" if made else "none: the rules as shipped")
    remedy = "change the file, and look again with `ringfence rules check`; until then none of them counts"
    return Check("overrides", not rules.refused, needed=False, found=found, remedy=remedy)


def _nodes() -> Iterator[Check]:
    """Look for the programs that nodes need, and for what the extras bring."""
    from ringfence import components

    for name, programs, without in NODE_PROGRAMS:
        missing = [program for program in programs if not components.present(program)]
        found = f"missing {', '.join(missing)}: {without}" if missing else ", ".join(programs)
        yield Check(name, not missing, needed=False, found=found, remedy="run `make setup`, or install them")
    for name, module, extra, without in (
        ("detection", "sigma", "soc", "no findings"),
        ("documents", "typst", "documents", "no PDF of an early warning"),
    ):
        there = util.find_spec(module) is not None
        found = f"{module} is there" if there else f"{module} is missing: {without}"
        yield Check(name, there, needed=False, found=found, remedy=f"install the extra: ringfence[{extra}]")


def _nearest(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


def doctor(as_json: Json = False) -> None:  # noqa: FBT002
    """Say what is missing on this machine, and how to get it; ends with 4 where something needed is."""
    checks = examine(Settings.from_environment())
    ok = all(check.ok for check in checks if check.needed)
    document = {"ok": ok, "checks": [asdict(check) for check in checks]}
    output(document, lambda console: _tell(console, checks), as_json)
    if not ok:
        raise SystemExit(4)


def _tell(console: "Console", checks: list[Check]) -> None:
    for check in checks:
        mark = "●" if check.ok else ("■" if check.needed else "▲")
        console.print(f"{mark} {check.name:<12} {check.found}")
        if not check.ok:
            console.print(f"  {'':<12} → {check.remedy}")
