"""`ringfence dataset`: seal, open, verify, list."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.artifacts.local import Workbench
    from ringfence.frontends.client import Client

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Seal, open, verify and list datasets.",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name in this tenant.")]


@contextmanager
def _workbench() -> Iterator[tuple["Client", "Workbench"]]:
    import secrets

    from ringfence.artifacts.blobs import Home
    from ringfence.artifacts.local import RecordedAccess, Workbench
    from ringfence.frontends.client import connect

    with connect() as client:
        yield client, Workbench(client, RecordedAccess(client), Home(client.home), secrets.token_bytes)


@app.command()
def seal(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A folder, or one file.")],
    name: Name,
    epoch: Annotated[str, typer.Option(help="The epoch to write: auto is the next.")] = "auto",
    chunk_size: Annotated[int, typer.Option(help="Bytes per chunk: a power of two, 65536 to 4194304.")] = 2**20,
    provenance: Annotated[
        Path | None, typer.Option(help="A YAML file: source, licence, collection, steps, rights.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Seal files into a new epoch of a dataset, and state it."""
    from ringfence.artifacts.blobs import PlainFolder
    from ringfence.artifacts.chunk import checked_chunk_size
    from ringfence.artifacts.keyring import for_sealing
    from ringfence.artifacts.local import SealOrder
    from ringfence.artifacts.model import dataset_name

    order = SealOrder(dataset_name(name), checked_chunk_size(chunk_size), _epoch(epoch), _provenance(provenance))
    with _workbench() as (client, workbench), for_sealing(client.home, client.settings.passphrase()) as keyring:
        document = workbench.seal(order, PlainFolder(source), keyring)
    output(document, lambda console: _sealed(console, document), as_json)


@app.command("open")
def open_(
    name: Name,
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="A folder that does not exist yet.")],
    purpose: Annotated[str, typer.Option(help="A short code of what for; it is stated.")] = "export",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Record the opening, then write the verified files of a dataset into a new folder."""
    from ringfence.artifacts.blobs import new_folder
    from ringfence.artifacts.keyring import at_home
    from ringfence.artifacts.model import dataset_name

    with _workbench() as (client, workbench), new_folder(destination) as folder:
        document = workbench.open(
            dataset_name(name), purpose, lambda: at_home(client.home, client.settings.passphrase()), folder
        )
    document |= {"destination": str(destination)}
    output(document, lambda console: _opened(console, document), as_json)


@app.command()
def verify(
    name: Name,
    mode: Annotated[str, typer.Option(help="storage (needs no key) or audit (decrypts everything).")] = "storage",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Check every byte of the newest epoch, state the outcome, and exit 1 where anything fails."""
    from ringfence.artifacts.keyring import at_home
    from ringfence.artifacts.model import Mode, dataset_name
    from ringfence.kernel.errors import UsageError

    if mode not in {known.value for known in Mode}:
        raise UsageError(f"--mode is storage or audit, not {mode!r}")
    with _workbench() as (client, workbench):
        keyring = None if mode == Mode.STORAGE else lambda: at_home(client.home, client.settings.passphrase())
        document = workbench.verify(dataset_name(name), keyring)
    output(document, lambda console: _verified(console, document), as_json)
    if document["result"] != "pass":
        raise typer.Exit(1)


@app.command("list")
def list_(as_json: Json = False) -> None:  # noqa: FBT002
    """List the newest epoch of every dataset."""
    from ringfence.artifacts.local import API

    with _workbench() as (client, _):
        document = client.get(API)
    output(document, lambda console: _listed(console, document), as_json)


def _epoch(text: str) -> int | None:
    from ringfence.artifacts.model import epoch_number
    from ringfence.kernel.errors import UsageError

    if text == "auto":
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 10:
        raise UsageError(f"--epoch is auto or a number, not {text!r}")
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
    for failure in document["failed"]:
        chunk = "" if failure["chunk"] is None else f", chunk {failure['chunk']}"
        console.print(f"  {failure.get('path') or failure['object']}{chunk}: {failure['reason']}")


def _listed(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Column, Table

    if not document["datasets"]:
        console.print("No dataset is sealed yet: ringfence dataset seal SRC NAME")
        return
    table = Table("name", "epoch", "files", "bytes", "key custody", Column("seal", overflow="fold"), box=None)
    for row in document["datasets"]:
        cells = (row["name"], row["epoch"], row["objects"], row["bytes"], row["key_custody"], row["seal"])
        table.add_row(*map(str, cells))
    console.print(table)
