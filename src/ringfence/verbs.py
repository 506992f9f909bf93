"""The verbs of the installation itself: `init`, `up`, `record`."""

import secrets
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, say
from ringfence.gateway import cli as callers
from ringfence.identity.cli import app as user
from ringfence.incidents.cli import early_warning
from ringfence.kernel.actor import Role
from ringfence.reports.cli import app as report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from ringfence.app import Services
    from ringfence.initialise import Initialised
    from ringfence.kernel.actor import Person
    from ringfence.storage.signer import Ed25519Signer

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
) -> None:
    """Serve API, console and gateway, and print a one-time link.

    Listens on loopback and on the socket in the home; Ctrl-C stops it.
    """
    from ringfence.app import open_services
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    with open_services(settings) as services:
        serve(services, host=host, port=port, gateway_port=gateway_port, root_key=root_key)


def serve(
    services: "Services", *, host: str, port: int, gateway_port: int = 8401, root_key: Path | None = None
) -> None:
    """Serve wired services until a signal ends it."""
    from ringfence import loops
    from ringfence.frontends.client import SOCKET
    from ringfence.server import create_app, listen, listen_on_socket, run_server

    # From the first child on: a signal that came before the server listens for it would leave the gateway behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    owner = _who_opens(services)
    door = listen(host, port)
    local = listen_on_socket(services.home.path / SOCKET)
    try:
        services.replay_journals()
        with loops.running(loops.of(services), services.cutoff.watching()):
            link = services.identity.issue_link(owner)
            say(f"console       http://{host}:{door.getsockname()[1]}/login?token={link}")
            say("              (opens one session, once, within ten minutes; another: `ringfence user link`)")
            with _gateway(services, gateway_port, root_key):
                say("stop          Ctrl-C")
                run_server(create_app(services), [door, local])
    finally:
        services.cutoff.rest()
        (services.home.path / SOCKET).unlink(missing_ok=True)


@contextmanager
def _gateway(services: "Services", port: int, root_key: Path | None) -> "Iterator[None]":
    """Run the gateway while the block runs; where it cannot start, say why: the console is needed all the same."""
    from ringfence.initialise import enrol_gateway
    from ringfence.kernel.errors import RingfenceError
    from ringfence.settings import Settings

    settings = Settings.from_environment()
    try:
        enrol_gateway(services, settings.passphrase(), root_key or services.home.root_path)
        services.serving.turn()
    except RingfenceError as error:
        say(f"gateway       does not run: {error}")
        yield
        return
    passed = {"RINGFENCE_PASSPHRASE_FILE": str(settings.passphrase_file)} if settings.passphrase_file else {}
    supervisor = services.serving.supervisor(port, passed)
    try:
        if supervisor.start():
            say(f"gateway       http://127.0.0.1:{supervisor.port}/v1")
        else:
            say(f"gateway       does not run, and is tried again: {supervisor.because}")
        yield
    finally:
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


key = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Issue, revoke and list callers' keys; show and protect the key files of this home.",
)
for verb in (callers.issue, callers.revoke, callers.block, callers.unblock, callers.callers):
    key.command()(verb)


@key.command("list")
def list_keys(as_json: Json = False) -> None:  # noqa: FBT002
    """Show every key file of this home, and what protects it."""
    from ringfence.installation import open_home
    from ringfence.settings import Settings
    from ringfence.storage import keyfile

    found = open_home(Settings.from_environment().home).key_files()
    rows = [{"keys": name, "file": str(path), "custody": keyfile.custody(path)} for name, path in found.items()]

    def human(console: "Console") -> None:
        for row in rows:
            console.print(f"{row['custody']:<16} {row['keys']:<28} {row['file']}")

    output({"keys": rows}, human, as_json)


@key.command()
def protect(as_json: Json = False) -> None:  # noqa: FBT002
    """Put every plain key file of this home under the passphrase in RINGFENCE_PASSPHRASE_FILE."""
    from ringfence.installation import open_home
    from ringfence.kernel.errors import UsageError
    from ringfence.settings import Settings
    from ringfence.storage import keyfile

    settings = Settings.from_environment()
    passphrase = settings.passphrase()
    if passphrase is None:
        raise UsageError("name a file that holds the passphrase in RINGFENCE_PASSPHRASE_FILE, and keep a copy of it")
    found = open_home(settings.home).key_files()
    changed = [name for name, path in found.items() if keyfile.protect(path, passphrase)]

    def human(console: "Console") -> None:
        console.print(
            f"{len(changed)} of {len(found)} key files are newly under the passphrase; without it they are lost."
        )
        console.print("State it: ringfence record key.lifecycle")

    output({"protected": changed, "key_files": len(found)}, human, as_json)


@user.command("add")
def add_person(
    name: Annotated[str, typer.Argument(help="The person's name; it stays in the database.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    root_key: Annotated[
        Path | None, typer.Option(help="The root key, where it is kept offline; by default the one in the home.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Enrol a person: the root signs for a fresh key, and the person's key file is written to be handed over."""
    from ringfence.enrolment import NewPerson, operator_enrolled
    from ringfence.frontends.client import connect
    from ringfence.identity.service import hashed
    from ringfence.installation import SystemClock, root_path

    person = NewPerson.make(name, role)
    with connect() as client:
        root = _root_signer(root_key or root_path(client.home), client.settings.passphrase())
        held = person.write(client.home / "operators", client.settings.passphrase())
        draft = operator_enrolled(person, held.custody, SystemClock().now())
        body = {"name": name, "role": role.value, "token_hash": hashed(person.token).hex()}
        path = client.home / "operators" / f"{person.id}.key"
        try:
            answer = client.state(draft, path="/api/v1/people", body=body, signer=root)
        except BaseException:
            path.unlink(missing_ok=True)  # a key that nobody enrolled is worth nothing, and only confuses
            raise
    document = {"person": person.id, "role": role.value, "key_file": str(path), "statement": answer["statement"]}

    def human(console: "Console") -> None:
        console.print(f"{person.id} ({role.value}) is enrolled as entry {document['statement']['entry']}.")
        console.print(f"Hand over {path}: it holds the signing key and the API token, and nobody else should keep it.")

    output(document, human, as_json)


def _root_signer(path: Path, passphrase: bytes | None) -> "Ed25519Signer":
    from ringfence.kernel.errors import UsageError
    from ringfence.storage import keyfile
    from ringfence.storage.signer import Ed25519Signer

    if not path.exists():
        raise UsageError(f"the root key is not at {path}; name the place where it is kept with --root-key")
    return Ed25519Signer.from_seed(keyfile.load(path, passphrase).secret("root"))
