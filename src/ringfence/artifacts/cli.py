"""`ringfence dataset`: seal, open, verify, list."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.artifacts.checks.cli import check, screen, show
from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.artifacts.local import Workbench
    from ringfence.artifacts.model import DatasetName
    from ringfence.artifacts.ports import Crew, Moved, Wrappings
    from ringfence.artifacts.resuming import Plan
    from ringfence.frontends.client import Client

_NOT_SHOWN = (
    "It does not show that no copy of the plain files is left, nor of key.json in a backup: replace the KEK "
    "(`ringfence key rotate kek`) and let backups run out. A key that a program holds now lives until that ends."
)
_ERASURES = {"done": "erased", "held": "held: not erased", "requested": "being erased"}
_WORTH_TELLING = 256 * 2**20  # bytes from which on progress is shown

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Seal, open, check, screen, verify, erase, show and list datasets.",
)
app.command()(check)
app.command()(screen)
app.command()(show)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name in this tenant.")]

Epoch = Annotated[str, typer.Option("--epoch", metavar="N", help="Which epoch; the newest where none is named.")]


@contextmanager
def _workbench(crew: "Crew | None" = None) -> Iterator[tuple["Client", "Workbench"]]:
    import secrets

    from ringfence.artifacts.blobs import Home
    from ringfence.artifacts.local import RecordedAccess, Workbench
    from ringfence.artifacts.reconcile import HomeWrappings
    from ringfence.frontends.client import connect

    with connect() as client:
        workbench = Workbench(client, RecordedAccess(client), Home(client.home), secrets.token_bytes, crew)
        wrappings = HomeWrappings(client.home)
        if (client.home / "datasets").is_dir():
            _finish(workbench, wrappings)
        yield client, workbench


def _finish(workbench: "Workbench", wrappings: "Wrappings") -> None:
    """Carry out an erasure that was announced and cut off; what is asked for now goes on in any case."""
    from ringfence.frontends.terminal import say
    from ringfence.kernel.errors import RingfenceError

    try:
        for done in workbench.finish_erasures(wrappings):
            say(f"Finished what was announced: epoch {done['epoch']} of {done['name']} is erased.")
    except RingfenceError as error:
        say(f"An erasure that was announced is not finished: {error}")


@app.command()
def seal(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A folder, or one file.")],
    name: Name,
    epoch: Annotated[str, typer.Option(help="The epoch to write: auto is the next.")] = "auto",
    chunk_size: Annotated[int, typer.Option(help="Bytes per chunk: a power of two, 65536 to 4194304.")] = 2**20,
    provenance: Annotated[
        Path | None, typer.Option(help="A YAML file: source, licence, collection, steps, rights.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that seal; by default one per processor, at most 4.")] = 0,
    anew: Annotated[bool, typer.Option(help="Start anew where an unfinished seal of this name could go on.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Seal files into a new epoch of a dataset, and state it; where that was interrupted, go on with it."""
    from ringfence.artifacts.blobs import PlainFolder
    from ringfence.artifacts.chunk import checked_chunk_size
    from ringfence.artifacts.keyring import for_sealing
    from ringfence.artifacts.local import SealOrder
    from ringfence.artifacts.model import dataset_name
    from ringfence.artifacts.worker import Workers

    order = SealOrder(dataset_name(name), checked_chunk_size(chunk_size), _epoch(epoch), _provenance(provenance), anew)
    crew = Workers(workers or min(4, len(os.sched_getaffinity(0))))
    with (
        _workbench(crew) as (client, workbench),
        _resumable(),
        for_sealing(client.home, client.settings.passphrase()) as keyring,
    ):
        document = workbench.seal(order, PlainFolder(source), keyring, _planned)
    output(document, lambda console: _sealed(console, document), as_json)


@app.command("open")
def open_(
    name: Name,
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="A folder that does not exist yet.")],
    purpose: Annotated[str, typer.Option(help="A short code of what for; it is stated.")] = "export",
    epoch: Epoch = "newest",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Record the opening, then write the verified files of a dataset into a new folder."""
    from ringfence.artifacts.blobs import new_folder
    from ringfence.artifacts.keyring import at_home
    from ringfence.artifacts.model import dataset_name

    number = _epoch(epoch)
    with _workbench() as (client, workbench), new_folder(destination) as folder:
        document = workbench.open(
            dataset_name(name), purpose, lambda: at_home(client.home, client.settings.passphrase()), folder, number
        )
    document |= {"destination": str(destination)}
    output(document, lambda console: _opened(console, document), as_json)


@app.command()
def export(
    name: Name,
    to: Annotated[list[str], typer.Option("--to", help="A recipient: age1…, or a public SSH key; again for more.")],
    file: Annotated[Path, typer.Option("--output", "-o", help="The age file; it must not exist yet.")],
    purpose: Annotated[str, typer.Option(help="A short code of what for; it is stated.")] = "export",
    epoch: Epoch = "newest",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Record the opening, then write a tar of the files for people, encrypted to their keys (`age -d` opens it)."""
    from ringfence.artifacts import export as exporting
    from ringfence.artifacts.keyring import at_home
    from ringfence.artifacts.model import dataset_name
    from ringfence.artifacts.plain import new_file

    recipients, number = exporting.recipients(to), _epoch(epoch)
    with _workbench() as (client, workbench), new_file(file) as sink:
        keyring = partial(at_home, client.home, client.settings.passphrase())
        with workbench.opened(dataset_name(name), purpose, keyring, number) as (dataset, opened):
            size = exporting.export(opened, recipients, sink)
    document = {"name": dataset.name, "epoch": dataset.epoch, "bytes": size, "recipients": len(to), "file": str(file)}
    output(document, lambda console: _exported(console, document), as_json)


@app.command()
def erase(
    name: Name,
    because: Annotated[str, typer.Option(help="Why; it is recorded as a detail.")],
    epoch: Epoch = "newest",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Destroy every wrapping of an epoch's key, for good: announced first, stated afterwards; nobody opens it again."""
    from ringfence.artifacts.model import dataset_name
    from ringfence.artifacts.reconcile import HomeWrappings

    number = _epoch(epoch)
    with _workbench() as (client, workbench):
        document = workbench.erase(dataset_name(name), because, HomeWrappings(client.home), number)
    document |= {"not_shown": _NOT_SHOWN}
    output(document, lambda console: _erased(console, document), as_json)


@app.command()
def statements(
    name: Name,
    file: Annotated[Path, typer.Option("--output", "-o", help="Where to write them; it must not exist yet.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Write the signed statements by which whoever stores a dataset checks it: `dataset verify --folder`."""
    from ringfence.artifacts.auditing import print_statements
    from ringfence.artifacts.local import API
    from ringfence.artifacts.local import found as one
    from ringfence.artifacts.model import dataset_name
    from ringfence.artifacts.plain import new_file

    with _workbench() as (client, _), new_file(file) as sink:
        known = one(client, dataset_name(name), None)
        found = client.get(f"{API}/{known.dataset}/statements")["statements"]
        sink.write(print_statements(found))
    document = {"dataset": known.dataset, "epoch": known.epoch, "statements": len(found), "file": str(file)}
    output(document, lambda console: console.print(f"{len(found)} statements, to epoch {known.epoch}: {file}"), as_json)


@app.command()
def verify(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name; none with --folder.")] = "",
    mode: Annotated[str, typer.Option(help="storage (needs no key) or audit (decrypts everything).")] = "storage",
    epoch: Epoch = "newest",
    folder: Annotated[
        Path | None, typer.Option(help="The folder of a dataset's epochs, or of one: checked offline, without a home.")
    ] = None,
    said: Annotated[
        Path | None, typer.Option("--statements", help="With --folder: the file of `dataset statements`.")
    ] = None,
    trust: Annotated[Path | None, typer.Option(help="With --folder: the trust file; it comes by another way.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Check every byte of an epoch, state the outcome, and exit 1 where anything fails."""
    from ringfence.artifacts.model import Mode, dataset_name
    from ringfence.kernel.errors import UsageError

    if mode not in {known.value for known in Mode}:
        raise UsageError(f"--mode is storage or audit, not {mode!r}")
    if folder or said or trust:
        if name or mode != Mode.STORAGE or not (folder and said and trust):
            raise UsageError("offline name --folder, --statements and --trust, no dataset and no other mode")
        document = _audited(folder, said, trust, _epoch(epoch))
        output(document, lambda console: _audit_shown(console, document), as_json)
    else:
        document = _verify_recorded(dataset_name(name), mode, _epoch(epoch))
        output(document, lambda console: _verified(console, document), as_json)
    if document["result"] != "pass":
        raise typer.Exit(1)


def _verify_recorded(name: "DatasetName", mode: str, epoch: int | None) -> dict[str, Any]:
    from ringfence.artifacts.keyring import at_home

    with _workbench() as (client, workbench):
        keyring = None if mode == "storage" else partial(at_home, client.home, client.settings.passphrase())
        return workbench.verify(name, keyring, epoch)


def _audited(folder: Path, said: Path, trust: Path, epoch: int | None) -> dict[str, Any]:
    from ringfence.artifacts import auditing
    from ringfence.artifacts.blobs import directory_vault
    from ringfence.kernel.errors import NotFound, VerificationFailed
    from ringfence.storage.files import read_bounded

    root = auditing.root_of(read_bounded(trust, limit=auditing.MAX_TRUST), source=str(trust))
    envelopes = auditing.parse_statements(read_bounded(said, limit=auditing.MAX_FILE), source=str(said))
    epochs = auditing.signed_epochs(envelopes, root)
    if not epochs:
        raise VerificationFailed(f"{said} holds no seal")
    if not folder.is_dir():
        raise NotFound(f"{folder} is not a folder")
    single = (folder / "seal.json").exists()
    if epoch is not None and epoch not in epochs:
        raise NotFound(f"{said} holds no seal of epoch {epoch}; its newest is {max(epochs)}")
    if single or epoch is not None:
        number = epoch or max(epochs)
        epochs = {number: epochs[number]}
    present = [] if single or epoch is not None else sorted(path.name for path in folder.iterdir())
    found = auditing.audit(
        epochs, lambda _dataset, number: directory_vault(folder if single else folder / str(number)), present
    )
    return {"tenant": auditing.tenants_of(envelopes)[0], **auditing.to_json(list(found))}


@app.command("list")
def list_(
    epochs: Annotated[bool, typer.Option("--epochs", help="Every epoch, not the newest alone.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """List the newest epoch of every dataset."""
    from ringfence.artifacts.local import API

    with _workbench() as (client, _):
        document = client.get(f"{API}/epochs") if epochs else client.get(API)
        rows = document["epochs" if epochs else "datasets"]
        for row in rows:
            row["here"] = (client.home / "datasets" / row["dataset"] / str(row["epoch"])).is_dir()
    output(document, lambda console: _listed(console, rows), as_json)


@contextmanager
def _resumable() -> Iterator[None]:
    """Say that what was sealed is kept where somebody stops it."""
    from ringfence.frontends.terminal import say

    try:
        yield
    except KeyboardInterrupt:
        say("Stopped. What was sealed is kept: the same command goes on with it.")
        raise


def _planned(plan: "Plan") -> "Moved":
    """Say on standard error how far it is: each twentieth of the bytes, on a terminal in place."""
    from ringfence.frontends.terminal import say

    for because in plan.dropped:
        say(f"An unfinished seal was removed, since this one cannot go on with it: {because}.")
    if plan.finished:
        say(f"Going on: {plan.finished} of {plan.files} files were sealed before, and are checked.")
    if plan.begun:
        say(f"Going on inside {plan.begun} large file{'s' * (plan.begun > 1)}, as far as they are what they were.")
    moved = told = 0

    def heard(size: int) -> None:
        nonlocal moved, told
        moved += size
        part = 20 * moved // max(1, plan.size)
        if plan.size >= _WORTH_TELLING and part > told:
            told = part
            say(f"{moved // 2**20} of {plan.size // 2**20} MiB")

    return heard


def _epoch(text: str) -> int | None:
    from ringfence.artifacts.model import epoch_number
    from ringfence.kernel.errors import UsageError

    if text in {"auto", "newest"}:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 10:
        raise UsageError(f"--epoch is a number, not {text!r}")
    return epoch_number(int(text))


def _provenance(path: Path | None) -> Any:
    from ringfence.artifacts.provenance import MAX_FILE, parse_provenance
    from ringfence.storage.files import read_bounded

    return None if path is None else parse_provenance(read_bounded(path, limit=MAX_FILE), source=str(path))


def _sealed(console: "Console", document: dict[str, Any]) -> None:
    console.print(
        f"Sealed {document['name']}, epoch {document['epoch']}: {document['objects']} files, {document['bytes']} bytes."
    )
    console.print(f"seal             {document['seal']}")
    console.print(f"ciphertext root  {document['ciphertext_root']}")
    console.print(f"statement        {document['statement']['stage']}, {document['statement']['envelope']}")
    if document["key_custody"] == "file-plain":
        console.print(
            "The key that wraps the dataset key lies unprotected in this home: at-rest controls are not satisfied."
        )


def _opened(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"Opened {document['name']}, epoch {document['epoch']}, into {document['destination']}.")


def _verified(console: "Console", document: dict[str, Any]) -> None:
    head = f"{document['name']}, epoch {document['epoch']}, {document['mode']}: {document['chunks']} chunks read"
    if document["result"] == "pass":
        console.print(f"{head}, nothing wrong.")
        return
    console.print(f"{head}, {len(document['failed'])} wrong:")
    _failures(console, document["failed"])


def _failures(console: "Console", failed: list[dict[str, Any]]) -> None:
    for failure in failed:
        chunk = "" if failure["chunk"] is None else f", chunk {failure['chunk']}"
        console.print(f"  {failure.get('path') or failure['object']}{chunk}: {failure['reason']}")


def _exported(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"Wrote {document['name']}, epoch {document['epoch']}, for {document['recipients']} recipients.")
    console.print(f"Whoever has one of their keys opens it: age -d -i KEY {document['file']} | tar x")


def _erased(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"Erased {document['name']}, epoch {document['epoch']}: nobody opens it any more.")
    for one in document["wrappings"]:
        console.print(f"destroyed        {one['place']}, wrapped by {one['kek']}")
    console.print(f"statement        {document['statement']['stage']}, {document['statement']['envelope']}")
    console.print(document["not_shown"])


def _audit_shown(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"dataset {document['dataset']}, stated by the tenant {document['tenant']}")
    for row in document["epochs"]:
        wrong = f"{len(row['failed'])} wrong:" if row["failed"] else "nothing wrong."
        console.print(f"epoch {row['epoch']}: {row['chunks']} chunks read, {wrong}")
        _failures(console, row["failed"])


def _listed(console: "Console", rows: list[dict[str, Any]]) -> None:
    from rich.table import Column, Table

    if not rows:
        console.print("No dataset is sealed yet: ringfence dataset seal SRC NAME")
        return
    table = Table("name", "epoch", "files", "bytes", "key custody", Column("seal", overflow="fold"), box=None)
    for row in rows:
        custody = row["key_custody"] if row["here"] else "not here"
        if row["erasure"]:
            custody = _ERASURES[row["erasure"]["state"]]
        cells = (row["name"], row["epoch"], row["objects"], row["bytes"], custody, row["seal"])
        table.add_row(*map(str, cells))
    console.print(table)
