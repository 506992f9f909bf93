"""One installation: the home directory, its keys, and what `init` makes.

ringfence.json   log origin and format of this home          trust.json      what outsiders should hold
ringfence.db     state and statements, unless in PostgreSQL  log/            tiles and checkpoint, to be mirrored
keys/            service keys, gateway's key, root key       operators/      one key file per person
journal/         emergency journal per tenant                revoked         people whose access has ended
kek.json         wraps dataset keys                          datasets/       sealed data
gateway/         the gateway's own: snapshot, journal        gateway.log     what its process said
practice/        an installation to practise in          practice.log     what its process said
retention.yaml   the team's own periods, where there are any
oidc.json        where people may sign in, if anywhere
"""

import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ringfence.kernel import digest, identifier
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, UsageError
from ringfence.kernel.identifier import LogOrigin, Tenant
from ringfence.storage import keyfile, location
from ringfence.storage.files import explained, read_bounded, write_whole
from ringfence.storage.vault import Vault

FORMAT = "urn:ringfence:home:v1"
DATABASE = "ringfence.db"
SERVICE_KEYS = ("control-plane", "ledger", "ledger-ml-dsa-44", "emergency")
GATEWAY_KEY = "gateway"


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the current instant in UTC, to the millisecond."""
        return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, tz=UTC)


def root_path(home: Path) -> Path:
    """Return where the root key of a home lies, unless it was exported."""
    return home / "keys" / "root.json"


@dataclass(frozen=True, slots=True)
class Home:
    """The home directory of one installation."""

    path: Path
    log: LogOrigin
    tenant: Tenant
    created_at: datetime
    root_public: bytes
    database: str = ""  # address of a PostgreSQL database; without it SQLite in the home
    tiles: str = ""  # address of an object store; without it `log/` in the home

    @property
    def database_url(self) -> str:
        """Return where state and statements are kept; opening it never makes a database that is missing.

        Raises:
            UsageError: the address is none, holds a password, or leads off this machine without a verified server.
        """
        if self.database:
            return location.checked(self.database, os.environ)
        # Quoted twice: SQLAlchemy takes one layer off its URL, SQLite the other off its file name.
        return f"sqlite:///file:{quote(quote(str(self.path / DATABASE)))}?mode=rw&uri=true"

    def service_keys(self, passphrase: bytes | None) -> keyfile.KeyFile:
        """Open the keys of control plane, ledger and emergency journal."""
        return keyfile.load(self.service_path, passphrase)

    def gateway_keys(self, passphrase: bytes | None) -> keyfile.KeyFile:
        """Open the key of the gateway, which lies apart: its process reads no other."""
        return keyfile.load(self.gateway_path, passphrase)

    def key_files(self) -> dict[str, Path]:
        """Return every key file of this home, by what it is for."""
        named = {"service keys": self.service_path, "root key": self.root_path}
        named["gateway key"] = self.gateway_path
        named["sign-in key"] = self.sign_in_path
        named["dataset KEK"] = self.path / "kek.json"
        named |= {f"dataset KEK, {which}": self.path / f"kek.{which}.json" for which in ("next", "old")}
        named |= {f"operator {path.stem}": path for path in sorted((self.path / "operators").glob("*.key"))}
        return {name: path for name, path in named.items() if path.exists()}

    def vault(self, passphrase: bytes | None) -> Vault:
        """Return what seals secrets of authenticator apps; its key file is made when it is first needed."""
        return Vault(self.sign_in_path, passphrase)

    @property
    def sign_in_path(self) -> Path:
        """Return where the key lies that seals secrets of authenticator apps."""
        return self.path / "keys" / "sign-in.json"

    @property
    def service_path(self) -> Path:
        """Return where the keys of the services lie."""
        return self.path / "keys" / "service.json"

    @property
    def gateway_path(self) -> Path:
        """Return where the gateway's key lies."""
        return self.path / "keys" / "gateway.json"

    @property
    def root_path(self) -> Path:
        """Return where the root key lies, unless it was exported."""
        return root_path(self.path)


def claim(path: Path) -> bool:
    """Take an empty or new directory for a new home; return whether it was made.

    Of two that start at once one gets it: making the folder of the keys decides.

    Raises:
        UsageError: there is a home already, or the place is no empty directory.
    """
    if (path / "ringfence.json").exists():
        raise UsageError(f"{path} is a home of Ringfence already; use it, or name another place in RINGFENCE_HOME")
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is not a directory; name an empty or a new directory in RINGFENCE_HOME")
    if path.exists() and any(path.iterdir()):
        raise UsageError(f"{path} is not empty; name an empty or a new directory in RINGFENCE_HOME")
    with explained(path, "create"):
        made = not path.exists()
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
        (path / "keys").mkdir(mode=0o700)
    return made


def create_home(
    path: Path,
    *,
    log: LogOrigin,
    tenant: Tenant,
    passphrase: bytes | None,
    root_to: Path | None,
    at: datetime,
    database: str = "",
    tiles: str = "",
) -> tuple[Home, bytes]:
    """Lay out a new home in a directory that `claim` gave, and make its keys; return it and the root's private seed.

    Raises:
        UsageError: the root key's destination exists.
    """
    with explained(path, "create"):
        for folder in (path / "operators", path / "journal", path / "log", path / "datasets"):
            folder.mkdir(mode=0o700)
        if not database:
            (path / DATABASE).touch(mode=0o600, exist_ok=False)
    root = secrets.token_bytes(32)
    keyfile.create(root_to or path / "keys" / "root.json", {"root": root}, passphrase)
    keyfile.create(path / "keys" / "service.json", {name: secrets.token_bytes(32) for name in SERVICE_KEYS}, passphrase)
    keyfile.create(path / "keys" / "gateway.json", {GATEWAY_KEY: secrets.token_bytes(32)}, passphrase)
    home = Home(path, log, tenant, at, _public(root), database, tiles)
    return home, root


def finish_home(home: Home) -> None:
    """Write the file that makes the directory a home: the last step of `init`."""
    document = {
        "format": FORMAT,
        "log": home.log,
        "tenant": home.tenant,
        "createdAt": to_text(home.created_at),
        "root": home.root_public.hex(),
        **{name: place for name, place in (("database", home.database), ("tiles", home.tiles)) if place},
    }
    write_whole(home.path / "ringfence.json", digest.dumps(document) + b"\n", replace=False)


def open_home(path: Path, *, database: str = "") -> Home:
    """Read a home; raise `NotFound` with what to do where there is none.

    Args:
        path: the directory.
        database: where the database is now, if not where the home says.
    """
    marker = path / "ringfence.json"
    if not marker.exists():
        raise NotFound(f"there is no home of Ringfence in {path}; run `ringfence init` first")
    match digest.loads(read_bounded(marker, limit=2**16), source=str(marker)):
        case {
            "format": kind, "log": log, "tenant": tenant, "createdAt": created, "root": root, **more
        } if kind == FORMAT:  # fmt: skip
            return Home(
                path,
                identifier.log_origin(log),
                identifier.tenant(tenant),
                from_text(created),
                Digest.parse(root).value,
                database or _place(more, "database"),
                _place(more, "tiles"),
            )
        case _:
            raise MalformedInput("not the marker of a home of Ringfence", source=str(marker))


def _place(more: Mapping[Any, object], name: str) -> str:
    match more.get(name, ""):
        case str() as place:
            return place
        case _:
            raise MalformedInput(f"the home's {name} is not an address")


def _public(seed: bytes) -> bytes:
    from ringfence.storage.signer import Ed25519Signer

    return Ed25519Signer.from_seed(seed).public_key
