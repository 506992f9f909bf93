"""The verbs of the installation itself: `init`, `up`."""

import os
import secrets
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence import founding
from ringfence.exports import cli as exports_cli
from ringfence.frontends.loading import loaded
from ringfence.frontends.terminal import Json, output, say
from ringfence.identity.cli import app as user
from ringfence.identity.reviews.cli import app as review
from ringfence.incidents.cli import early_warning
from ringfence.kernel.actor import Role
from ringfence.reports.cli import app as report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from socket import socket

    from rich.console import Console

    from ringfence.initialise import Initialised
    from ringfence.installation import Home
    from ringfence.kernel.actor import Person
    from ringfence.services import Services
    from ringfence.settings import Settings
    from ringfence.storage.duty import Duty

_OF_TOKENS = ("SOFTHSM2_CONF",)  # what a PKCS#11 module reads of its environment; others read a file
PATIENCE = 30.0  # seconds for whoever ran before to end its signer, once it has lost the database

user.command("add")(founding.add_person)
user.command("import")(founding.import_people)
user.command("role")(founding.change_role)
user.command("link-account")(founding.link_account)
user.command("unlink-account")(founding.unlink_account)
user.add_typer(review, name="review")
report.command("oscal")(exports_cli.oscal)
report.command("soa")(exports_cli.soa)
report.command("csv")(exports_cli.table)
report.command("annex-iv")(exports_cli.annex_iv)
report.command("early-warning")(early_warning)  # the facts are the incidents', the verb stands with the other reports


def init(
    tenant: Annotated[str, typer.Option(help="Short name of the tenant.")] = "main",
    owner: Annotated[str, typer.Option(help="Name of the first person; it stays in the database.")] = "Owner",
    log: Annotated[str, typer.Option(help="Origin of the log, for instance example.eu/log; made up by default.")] = "",
    root_key: Annotated[
        Path | None, typer.Option(help="Write the root key there, to be kept offline, instead of into the home.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="Also write what outsiders should hold there: root, log keys, first head.")
    ] = None,
    database: Annotated[
        str, typer.Option(help="Empty PostgreSQL database, its address without a password; by default SQLite.")
    ] = "",
    tiles: Annotated[
        str, typer.Option(help="Where the log is published, for instance s3://bucket/log; by default in the home.")
    ] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Make a home: keys, first people, first head to keep elsewhere.

    With RINGFENCE_PASSPHRASE_FILE set, every key file is protected by that passphrase; without it the keys lie in
    the plain, and the control on key management says so.
    """
    from ringfence.enrolment import NewPerson
    from ringfence.initialise import initialise
    from ringfence.kernel import identifier
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    done = initialise(
        settings.home,
        log=identifier.log_origin(log or f"localhost/ringfence-{secrets.token_hex(4)}"),
        tenant=identifier.tenant(tenant),
        people=[NewPerson.make(owner, Role.OWNER)],
        demo=False,
        passphrase=settings.passphrase(),
        root_to=root_key,
        trust_to=trust,
        database=database or settings.database_url,
        tiles=tiles,
    )
    document = _described(done)
    output(document, lambda console: _tell(console, document), as_json)


def _described(done: "Initialised") -> dict[str, Any]:
    from ringfence.ledger.trust import fingerprint, spoken_fingerprint

    return {
        "home": str(done.home.path),
        "tenant": done.home.tenant,
        "log": done.home.log,
        "root_fingerprint": fingerprint(done.home.root_public),
        "root_fingerprint_spoken": spoken_fingerprint(done.home.root_public),
        "head": {"size": done.head.checkpoint.size, "root": done.head.checkpoint.root.hex()},
        "trust": str(done.trust_path),
        "people": [{"person": person.id, "role": person.role.value} for person in done.people],
    }


def _tell(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"Home          {document['home']}")
    console.print(f"Tenant        {document['tenant']} in the log {document['log']}")
    console.print(f"Root key      {document['root_fingerprint_spoken']}")
    console.print(f"First head    {document['head']['size']} entries, root {document['head']['root'][:16]}…")
    console.print("")
    console.print(
        f"Keep {document['trust']} outside this machine (a colleague, an auditor, paper for the fingerprint):"
    )
    console.print("only against a copy kept elsewhere can anybody show that the log was not rebuilt or rolled back.")


def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of console and API on loopback.")] = 8400,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    gateway_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the gateway on loopback.")] = 8401,
    root_key: Annotated[
        Path | None, typer.Option(help="The root key, to enrol the gateway's key once in a home from before it.")
    ] = None,
    root_share: founding.RootShare = None,
) -> None:
    """Serve API, console and gateway, and print a one-time link.

    Listens on loopback and on the socket in the home; Ctrl-C stops it. Of several on one PostgreSQL database one
    runs the installation; the others stand by, and one of them takes over when that one ends.
    """
    loaded("ringfence.server")
    from ringfence.app import open_services
    from ringfence.installation import open_home
    from ringfence.log_keys import finish_begun
    from ringfence.settings import Settings
    from ringfence.signing.worker import running

    settings = Settings.from_environment()
    home = open_home(settings.home, database=settings.database_url)
    if finish_begun(settings):
        say("keys          a replacement of the log's keys was broken off, and is finished")
    with (
        _on_duty(home, host, port) as (door, turn),
        running(home.path, home.log, _passed(settings), within=PATIENCE if turn else 0) as signer,
        open_services(settings, signer=signer) as services,
    ):
        shares = root_share or ()
        serve(services, door=door, turn=turn, gateway_port=gateway_port, root_key=root_key, shares=shares)


@contextmanager
def _on_duty(home: "Home", host: str, port: int) -> "Iterator[tuple[socket, Duty | None]]":
    """Open the door, and wait until it is us who run the installation; of SQLite the signer's lock says so."""
    from ringfence.frontends.listening import listen
    from ringfence.frontends.standby import wait_for_duty
    from ringfence.installation import SystemClock
    from ringfence.storage.database import Database
    from ringfence.storage.duty import Duty, on_duty, place_of

    door = listen(host, port)
    if not home.database:
        yield door, None
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    database = Database(home.database_url)
    turn = Duty(database, place_of(home.path))
    try:
        wait_for_duty(turn, door, lambda: on_duty(database), SystemClock())
        yield door, turn
    finally:
        turn.leave()
        database.close()


def _passed(settings: "Settings") -> dict[str, str]:
    """Return what a child that opens key files has to know, or the module of a token that holds keys."""
    named = {"RINGFENCE_PASSPHRASE_FILE": str(settings.passphrase_file)} if settings.passphrase_file else {}
    return named | {name: value for name in _OF_TOKENS if (value := os.environ.get(name))}


def serve(
    services: "Services",
    *,
    door: "socket",
    turn: "Duty | None" = None,
    gateway_port: int = 8401,
    root_key: Path | None = None,
    shares: "Sequence[Path]" = (),
) -> None:
    """Serve wired services until a signal ends it."""
    from ringfence import loops
    from ringfence.frontends.client import SOCKET
    from ringfence.frontends.hosts import parse_names
    from ringfence.frontends.listening import listen_on_socket
    from ringfence.server import create_app, run_server
    from ringfence.settings import Settings

    # Before the gateway starts: a signal that came before the server listens for it would leave that behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    owner = _who_opens(services)
    # By its name, not its number: browsers bind passkeys to names.
    settings = Settings.from_environment()
    console, hosts = settings.console or f"http://localhost:{door.getsockname()[1]}", parse_names(settings.hosts)
    local = listen_on_socket(services.home.path / SOCKET)
    guard = loops.Guard(turn)
    try:
        _go_on(services)
        with guard, loops.running([*loops.of(services), *guard.loops], services.cutoff.watching()):
            link = services.identity.issue_link(owner)
            say(f"console       {console}/login?token={link}")
            say("              (opens one session, once, within ten minutes; another: `ringfence user link`)")
            with services.practice.serving(), _gateway(services, gateway_port, root_key, shares):
                say("stop          Ctrl-C")
                run_server(create_app(services, console=console, hosts=hosts), [door, local])
    finally:
        services.cutoff.rest()
        (services.home.path / SOCKET).unlink(missing_ok=True)


def _go_on(services: "Services") -> None:
    """Take up what whoever ran before left: a mark that is older than the log, statements of the journals."""
    from ringfence.kernel.errors import RingfenceError
    from ringfence.signing.catching_up import catch_up

    try:
        if catch_up(services.signer, services.ledger, services.clock.now()):
            say("signer        its mark was older than the log, which was shown to continue it")
    except RingfenceError as error:  # containment goes on all the same
        say(f"log           cannot go on: {error}")
    services.replay_journals()


@contextmanager
def _gateway(services: "Services", port: int, root_key: Path | None, shares: "Sequence[Path]") -> "Iterator[None]":
    """Run the gateway while the block runs; where it cannot start, say why: the console is needed all the same."""
    from ringfence.initialise import enrol_gateway
    from ringfence.kernel.errors import RingfenceError
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    try:
        enrol_gateway(services, settings.passphrase(), root_key or services.home.root_path, shares)
        _check_gateway(services, settings)
        services.serving.turn()
    except RingfenceError as error:
        sentence = str(error)
        say(f"gateway       does not run: {sentence}")
        services.serving.pulse.expect(lambda: sentence)
        yield
        services.serving.pulse.expect(None)
        return
    supervisor = services.serving.supervisor(port, _passed(settings))
    try:
        if supervisor.start():
            say(f"gateway       http://127.0.0.1:{supervisor.port}/v1")
        else:
            say(f"gateway       does not run, and is tried again: {supervisor.because}")
        services.serving.pulse.expect(supervisor.ask, lambda: supervisor.port)
        yield
    finally:
        services.serving.pulse.expect(None)
        supervisor.stop()


def _check_gateway(services: "Services", settings: "Settings") -> None:
    from ringfence.installation import GATEWAY_KEY
    from ringfence.kernel.envelope import key_id_of
    from ringfence.storage.signer import Ed25519Signer
    from ringfence.workloads.receiving import check_folder

    seed = services.home.gateway_keys(settings.passphrase()).secret(GATEWAY_KEY)
    tenants = [record.tenant for record in services.identity.people.tenants()]
    check_folder(services.home, services.outbox, key_id_of(Ed25519Signer.from_seed(seed).public_key), tenants)


def _who_opens(services: "Services") -> "Person":
    """Return whom the printed link lets in: the first owner whose access has not ended, else the first person."""
    from ringfence.kernel.errors import Refused

    active = [person for person in services.identity.register(services.home.tenant) if person.removed_at is None]
    owners = [person for person in active if person.role is Role.OWNER]
    for person in [*owners, *active]:
        return person.actor
    raise Refused("nobody in this home has access any more; enrol somebody with the root key")
