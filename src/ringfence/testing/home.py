"""A whole installation in a directory of a test: five people, one per role; statements signed by them.

home = make(tmp_path / "home", clock)            # slow (some 100 ms): make one, `copy` it
with home.services(clock) as services:
    envelope, opening = signed(services, home.people[Role.OWNER], draft("ai.classification"))
"""

import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

from ringfence.app import open_services
from ringfence.enrolment import NewPerson
from ringfence.frontends.client import InProcessTransport
from ringfence.initialise import initialise
from ringfence.installation import DATABASE, SystemClock
from ringfence.kernel import digest
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import SALT_SIZE, Opening, commit
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Issuance, Strength, Subject
from ringfence.server import create_app
from ringfence.services import Services
from ringfence.settings import Settings

if TYPE_CHECKING:
    from ringfence.testing.postgresql import Server

LOG = LogOrigin("lab.example/installation")
TENANT = Tenant("main")
ADDRESS = "http://127.0.0.1:8400"


@dataclass(frozen=True, slots=True)
class LabHome:
    """The home of an installation, and the keys of everybody in it."""

    path: Path
    people: Mapping[Role, NewPerson]
    server: "Server | None" = None  # where its database is on PostgreSQL
    database: str = ""

    @contextmanager
    def http(
        self, services: Services, role: Role | None = Role.OWNER, *, app: FastAPI | None = None
    ) -> Iterator[httpx.Client]:
        """Give a client of the whole app (or of `app`) in this process, with the token of a role or with none."""
        headers = {"authorization": f"Bearer {self.people[role].token}"} if role else {}
        with start_blocking_portal() as portal:
            transport = InProcessTransport(app or create_app(services), portal)
            with httpx.Client(base_url=ADDRESS, transport=transport, headers=headers) as client:
                yield client

    def copy(self, to: Path) -> "LabHome":
        """Return an installation of the same state elsewhere."""
        shutil.copytree(self.path, to, copy_function=shutil.copy2)
        if self.server is None:
            return replace(self, path=to)
        name = self.server.create(template=self.database)
        marker = to / "ringfence.json"
        document = digest.loads(marker.read_bytes(), source=str(marker))
        marker.write_bytes(digest.dumps({**document, "database": self.server.url(name)}) + b"\n")
        return replace(self, path=to, database=name)

    def settings(self, role: Role = Role.OWNER, **changes: Any) -> Settings:
        """Return the settings of somebody who works in this home."""
        return replace(Settings(home=self.path, operator=self.people[role].id), **changes)

    def environment(self, role: Role = Role.OWNER) -> dict[str, str]:
        """Return the same settings as the variables of a child process."""
        return {"RINGFENCE_HOME": str(self.path), "RINGFENCE_OPERATOR": self.people[role].id}

    def actor(self, role: Role = Role.OWNER) -> Person:
        """Return the person of a role."""
        return Person(self.people[role].id, TENANT, role)

    def alter(self, statement: str, *values: object) -> int:
        """Change rows past everything of ours, as whoever runs the database could; return how many."""
        if self.server is None:
            with closing(sqlite3.connect(self.path / DATABASE, isolation_level=None)) as raw:
                return raw.execute(statement, values).rowcount
        with self.server.connect(self.database) as session:
            return session.execute(statement.replace("?", "%s").encode(), values).rowcount

    def stored(self) -> bytes:
        """Return what lies in the database: its files, or every row of every table."""
        if self.server is None:
            return b"".join(path.read_bytes() for path in self.path.glob(f"{DATABASE}*"))
        return self.server.rows(self.database)

    @contextmanager
    def services(self, clock: Clock | None = None) -> Iterator[Services]:
        """Open the installation."""
        with open_services(self.settings(), clock=clock or SystemClock()) as services:
            yield services


def make(
    path: Path,
    clock: Clock | None = None,
    *,
    demo: bool = False,
    passphrase: bytes | None = None,
    server: "Server | None" = None,
    log: LogOrigin = LOG,
) -> LabHome:
    """Make an installation with one person per role; on a PostgreSQL server if one is given."""
    people = {role: NewPerson.make(f"A {role.value}", role) for role in Role}
    name = "" if server is None else server.create()
    initialise(
        path,
        log=log,
        tenant=TENANT,
        people=people.values(),
        demo=demo,
        passphrase=passphrase,
        clock=clock,
        database="" if server is None else server.url(name),
    )
    return LabHome(path, people, server, name)


def draft(
    predicate: str = "ai.classification",
    claims: Mapping[str, Any] | None = None,
    *,
    details: Mapping[str, Any] | None = None,
    idempotency_key: str = "",
) -> Draft:
    """Return a draft about a made-up system."""
    return Draft(
        PredicateName(predicate),
        (Subject("system/lab", Digest.of(b"lab")),),
        dict(claims or {"system": "lab"}),
        Strength.DOCUMENTED,
        details=dict(details or {}),
        idempotency_key=idempotency_key,
    )


def observed(**changes: Any) -> Draft:
    """Return a draft of what a service itself may state; `draft` is of what a person states."""
    return draft("lab.observed", **changes)


def signed(services: Services, person: NewPerson, wanted: Draft, **changes: Any) -> tuple[Envelope, Opening | None]:
    """Sign a draft as a person would, with `changes` of its issuance."""
    opening = commit(wanted.details, secrets.token_bytes(SALT_SIZE)) if wanted.details else None
    tenant = Tenant(changes.get("tenant", services.home.tenant))
    nonce = secrets.token_hex(16)
    issuance = Issuance(
        tenant=tenant,
        log=services.home.log,
        issuer=person.signer.key,
        strength=wanted.strength,
        sequence=services.outbox.next_sequence(tenant, person.signer.key),
        nonce=nonce,
        idempotency_key=wanted.idempotency_key or nonce,
        issued_at=services.clock.now(),
        demo=tenant in services.demo_tenants,
    )
    commitment = opening.commitment if opening else None
    issued = replace(issuance, **changes)
    return person.signer.sign(wanted.issued(issued, commitment)), opening
