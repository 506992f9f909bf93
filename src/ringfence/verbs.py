"""The verbs of the installation itself: `init`, `up`, `record`."""

import secrets
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence import founding
from ringfence.frontends.terminal import Json, output, say
from ringfence.identity.cli import app as user
from ringfence.identity.reviews.cli import app as review
from ringfence.incidents.cli import early_warning
from ringfence.kernel.actor import Role
from ringfence.reports.cli import app as report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from ringfence.app import Services
    from ringfence.initialise import Initialised
    from ringfence.kernel.actor import Person
    from ringfence.settings import Settings

user.command("add")(founding.add_person)
user.command("import")(founding.import_people)
user.command("role")(founding.change_role)
user.command("link-account")(founding.link_account)
user.command("unlink-account")(founding.unlink_account)
user.add_typer(review, name="review")
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
    from ringfence.kernel.actor import Role
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

    Listens on loopback and on the socket in the home; Ctrl-C stops it.
    """
    from ringfence.app import open_services
    from ringfence.installation import open_home
    from ringfence.settings import Settings
    from ringfence.signing.worker import running

    settings = Settings.from_environment()
    home = open_home(settings.home)
    with running(home.path, home.log, _passed(settings)) as signer, open_services(settings, signer=signer) as services:
        serve(services, host=host, port=port, gateway_port=gateway_port, root_key=root_key, shares=root_share or ())


def _passed(settings: "Settings") -> dict[str, str]:
    """Return what a child that opens key files has to know."""
    return {"RINGFENCE_PASSPHRASE_FILE": str(settings.passphrase_file)} if settings.passphrase_file else {}


def serve(
    services: "Services",
    *,
    host: str,
    port: int,
    gateway_port: int = 8401,
    root_key: Path | None = None,
    shares: "Sequence[Path]" = (),
) -> None:
    """Serve wired services until a signal ends it."""
    from ringfence import loops
    from ringfence.frontends.client import SOCKET
    from ringfence.frontends.listening import listen
    from ringfence.server import create_app, listen_on_socket, run_server
    from ringfence.settings import Settings

    # Before the gateway starts: a signal that came before the server listens for it would leave that behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    owner = _who_opens(services)
    door = listen(host, port)
    # By its name, not its number: browsers bind passkeys to names.
    console = Settings.from_environment().console or f"http://localhost:{door.getsockname()[1]}"
    local = listen_on_socket(services.home.path / SOCKET)
    try:
        services.replay_journals()
        with loops.running(loops.of(services), services.cutoff.watching()):
            link = services.identity.issue_link(owner)
            say(f"console       {console}/login?token={link}")
            say("              (opens one session, once, within ten minutes; another: `ringfence user link`)")
            with _gateway(services, gateway_port, root_key, shares):
                say("stop          Ctrl-C")
                run_server(create_app(services, console=console), [door, local])
    finally:
        services.cutoff.rest()
        (services.home.path / SOCKET).unlink(missing_ok=True)


@contextmanager
def _gateway(services: "Services", port: int, root_key: Path | None, shares: "Sequence[Path]") -> "Iterator[None]":
    """Run the gateway while the block runs; where it cannot start, say why: the console is needed all the same."""
    from ringfence.initialise import enrol_gateway
    from ringfence.kernel.errors import RingfenceError
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    try:
        enrol_gateway(services, settings.passphrase(), root_key or services.home.root_path, shares)
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
        services.serving.pulse.expect(supervisor.ask)
        yield
    finally:
        services.serving.pulse.expect(None)
        supervisor.stop()


def _who_opens(services: "Services") -> "Person":
    """Return whom the printed link lets in: the first owner whose access has not ended, else the first person."""
    from ringfence.kernel.errors import Refused

    active = [person for person in services.identity.register(services.home.tenant) if person.removed_at is None]
    owners = [person for person in active if person.role is Role.OWNER]
    for person in [*owners, *active]:
        return person.actor
    raise Refused("nobody in this home has access any more; enrol somebody with the root key")


def record(
    evidence_type: Annotated[str, typer.Argument(help="For instance log.chain_verified.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Run the collector of an evidence type and record what it found."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(f"/api/v1/records/{evidence_type}")
    statement = document["statement"]
    output(
        document,
        lambda console: console.print(f"{document['type']} {statement['stage']} as entry {statement['entry']}"),
        as_json,
    )
