"""`ringfence model`: the verbs over models here, and those by which a model from outside comes in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.artifacts.models.cli import app as models
from ringfence.frontends.terminal import Json, announce, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.artifacts.models.keyring import Held
    from ringfence.artifacts.models.local import Posting
    from ringfence.artifacts.models.model import ModelName
    from ringfence.frontends.client import Client
    from ringfence.kernel.digest import Digest
    from ringfence.settings import Settings
    from ringfence.workloads.intake.quarantine import Place

API = "/api/v1/intakes"
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help=models.info.help,
)
app.add_typer(models)


@app.callback()
def wires(context: typer.Context) -> None:
    """Hand the verbs below what asks an authority for a time stamp: the log's own client."""

    def asked(url: str, signed: bytes) -> bytes:
        from ringfence.workloads.timestamping import stamp

        return stamp(url, signed)

    context.obj = asked


Name = Annotated[str, typer.Argument(metavar="NAME", help="The model's name in this tenant.")]


@app.command()
def intake(
    source: Annotated[str, typer.Argument(metavar="SRC", help="A folder, a file, or an address that gate.yaml names.")],
    name: Name,
    digest: Annotated[str, typer.Option(help="What it must be, known before: sha256:… of the file, or of the model.")],
    licence: Annotated[str, typer.Option(help="The licence, as SPDX calls it: Apache-2.0, LicenseRef-ours, …")],
    owner: Annotated[str, typer.Option(help="Who owns the model.")],
    country: Annotated[str, typer.Option(help="Where the owner sits: two letters, such as FR.")],
    origin: Annotated[str, typer.Option("--from", help="Where it comes from, in words or as an address.")],
    files: Annotated[
        Path | None, typer.Option(help="From a server: the list of files, as sha256sum prints it.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Bring a model from outside into quarantine: exactly the bytes demanded, scanned there, and stated."""
    from ringfence.artifacts.models.model import model_name
    from ringfence.artifacts.provenance import licence as spdx
    from ringfence.frontends.client import connect
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.errors import VerificationFailed
    from ringfence.settings import Settings
    from ringfence.storage.files import read_bounded
    from ringfence.workloads.intake import fetching
    from ringfence.workloads.intake.model import Told, country_code
    from ringfence.workloads.intake.quarantine import Quarantine

    settings, called, expected = Settings.from_environment(), model_name(name), Digest.parse(digest)
    announce("fetching, hashing and scanning: some seconds for each gigabyte that lies here")
    told = Told(expected, spdx(licence), country_code(country), owner, origin)
    listed = read_bounded(files, limit=fetching.MAX_LIST) if files else None
    asked = fetching.wanted(source, expected, listed)
    with connect(settings) as client:
        rules = _rules(client)
        quarantine = Quarantine(settings.home)
        try:
            with quarantine.filling(called, told) as place:
                fetching.fetch(place, asked, expected, rules.intake)
                document = _stated(client, place, called, asked, told, rules.digest)
        except VerificationFailed:
            quarantine.discard(called)  # other bytes than were demanded lie nowhere
            raise
    document |= {"name": called, "path": str(place.path)}
    output(document, lambda console: _brought(console, document), as_json)
    if document["verdict"] == "refused":
        raise typer.Exit(1)


@app.command()
def waiting(as_json: Json = False) -> None:  # noqa: FBT002
    """List the models that came from outside: what they are, what was decided, by whom."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(API)
    output(document, lambda console: _listed(console, document), as_json)


@app.command()
def decide(
    name: Name,
    because: Annotated[str, typer.Option(help="Why: it goes into the erasable details.")],
    accept: Annotated[bool, typer.Option("--accept/--refuse", help="Let it in, or not.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign whether a model from outside may come in; what was never decided is neither signed nor served."""
    from ringfence.frontends.client import connect
    from ringfence.kernel import drafts

    with connect() as client:
        found = _newest(client, name)
        path = f"{API}/{found['intake']}"
        decision = "accept" if accept else "refuse"
        draft = drafts.from_json(client.post(f"{path}/draft", {"decision": decision, "reason": because})["draft"])
        document = client.state(draft, path=f"{path}/decision")
    output(document, lambda console: _decided(console, name, document), as_json)


@app.command()
def release(name: Name, as_json: Json = False) -> None:  # noqa: FBT002
    """Move an accepted model out of quarantine: copy it, compare the copy with the decision, sign it, state it."""
    import secrets

    from ringfence.artifacts.models import keyring
    from ringfence.artifacts.models.local import Posting
    from ringfence.artifacts.models.model import model_name
    from ringfence.frontends.client import connect, operator_path
    from ringfence.kernel.digest import Digest
    from ringfence.settings import Settings
    from ringfence.workloads.intake.quarantine import Quarantine

    settings, called = Settings.from_environment(), model_name(name)
    announce("copying, comparing and signing: some seconds for each gigabyte")
    with connect(settings) as client:
        found, quarantine = _newest(client, called), Quarantine(settings.home)
        place = quarantine.one(called)
        _check_accepted(found)
        held = keyring.of_operator(operator_path(settings), settings.passphrase())
        expected, posting = Digest.parse(found["digest"]), Posting(client, secrets.token_bytes)
        statement, path = _moved(settings, place, called, expected, held, posting)
    quarantine.discard(called)
    document = {"name": called, "digest": found["digest"], "path": str(path), "statement": statement}
    output(document, lambda console: _released(console, document), as_json)


@app.command()
def discard(name: Name, as_json: Json = False) -> None:  # noqa: FBT002
    """Remove the files of a model that was refused, or never decided about, from the quarantine on this machine."""
    from ringfence.artifacts.models.model import model_name
    from ringfence.settings import Settings
    from ringfence.workloads.intake.quarantine import Quarantine

    called = model_name(name)
    Quarantine(Settings.from_environment().home).discard(called)
    document = {"name": called, "removed": True}
    output(document, lambda console: console.print(f"{called} is gone from the quarantine; its record stays."), as_json)


def _rules(client: "Client") -> Any:
    """Return the tenant's rules as the server has them."""
    from ringfence.workloads.intake.remote import rules_of

    return rules_of(client.get(API))


def _stated(client: "Client", place: "Place", name: "ModelName", asked: Any, told: Any, policy: Any) -> dict[str, Any]:
    import secrets

    from ringfence.artifacts.models import catalogue
    from ringfence.artifacts.models.local import API as MODELS
    from ringfence.artifacts.models.local import Posting
    from ringfence.artifacts.models.store import scan_folder
    from ringfence.kernel.errors import InternalError
    from ringfence.workloads.intake.statements import quarantined

    with place.opened() as folder:
        looked = scan_folder(folder)
        size = sum(one.size for one in folder.hashed().values())
    scanned = Posting(client, secrets.token_bytes).scanned(name, looked.manifest, looked.report)
    model = catalogue.id_in(client.get(MODELS), name)
    if model is None:
        raise InternalError("the scan that was recorded names no model")
    draft = quarantined(model, name, looked.manifest, size, asked.source, told, policy)
    done = client.state(draft, path=API)
    return {
        "model": model,
        "digest": str(looked.manifest.digest),
        "files": len(looked.manifest.files),
        "bytes": size,
        "verdict": looked.report.verdict.value,
        "findings": [one.to_json() for one in looked.report.all_findings[:100]],
        "scan": scanned,
        "not_acceptable": _newest(client, name)["not_acceptable"],
        **done,
    }


def _newest(client: "Client", name: str) -> dict[str, Any]:
    from ringfence.kernel.errors import NotFound

    found = next((one for one in client.get(API)["intakes"] if one["name"] == name), None)
    if found is None:
        raise NotFound(f"no model {name[:64]} was brought in from outside; `ringfence model waiting` lists them")
    return dict(found)


def _check_accepted(found: dict[str, Any]) -> None:
    from ringfence.kernel.errors import Refused

    if found["state"] != "accepted":
        raise Refused(f"{found['name']} is {found['state']}: only a model that a person accepted leaves the quarantine")


def _moved(
    settings: "Settings", place: "Place", name: "ModelName", expected: "Digest", held: "Held", posting: "Posting"
) -> tuple[Any, Path]:
    """Copy a model onto the shelf and sign the copy.

    It appears there only if it is what was decided about, and the log took the signature: a release that broke off,
    or that came after the decision was taken back, leaves nothing, and can be asked for again.
    """
    from ringfence.artifacts.models.blobs import model_folder
    from ringfence.artifacts.models.statements import Signature
    from ringfence.artifacts.models.store import Shelf, copy_model, sign_folder
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.errors import VerificationFailed

    shelf = Shelf(settings.home)
    with shelf.new(name) as staged:
        with place.opened() as source:
            copy_model(source, staged)
        with model_folder(staged) as copy:
            done = sign_folder(copy, staged, held.key)
        if done.manifest.digest != expected:
            raise VerificationFailed(
                f"what lies in quarantine is {done.manifest.digest}, and not what was decided about"
            )
        signature = Signature(done.manifest, done.size, Digest.of(done.bundle), held.key.public, held.custody)
        statement = posting.signed(name, signature)
    return statement, shelf.path(name)


def _brought(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"{document['name']} lies in quarantine: {document['files']} files, {document['bytes']} bytes.")
    console.print(f"digest     {document['digest']}")
    console.print(f"scan       {document['verdict']}")
    for finding in document["findings"][:10]:
        console.print(f"  {finding['weight']}: {finding['text']}")
    console.print(f"statement  {document['statement']['stage']}, {document['statement']['envelope']}")
    if document["not_acceptable"]:
        console.print(f"not yet    {document['not_acceptable']}: until then nobody can accept it")
    console.print(f"next       another person: ringfence model decide {document['name']} --accept --because …")


def _listed(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Column, Table

    if not document["intakes"]:
        console.print("No model came from outside yet: ringfence model intake SRC NAME --digest …")
        return
    table = Table("name", "state", "scan", "licence", "country", "owner", Column("because", overflow="fold"), box=None)
    for one in document["intakes"]:
        because = one["not_acceptable"] or (one["decision"] or {}).get("reason", "")
        cells = (
            one["name"],
            one["state"],
            one["scan"] or "none",
            one["licence"],
            one["country"],
            one["owner"],
            because,
        )
        table.add_row(*map(str, cells))
    console.print(table)


def _decided(console: "Console", name: str, document: dict[str, Any]) -> None:
    console.print(f"{name} is {document['state']}: entry {document['statement']['entry']}")
    if document["state"] == "accepted":
        console.print(f"next       on the machine where it lies: ringfence model release {name}")


def _released(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"{document['name']} is out of quarantine, and signed: {document['path']}")
    console.print(f"digest     {document['digest']}")
