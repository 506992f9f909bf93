"""`ringfence lineage`: where things come from, and what is missing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Where models, datasets and answers come from, and what is missing.",
)
PATH = "/api/v1/lineage"
AsOf = Annotated[str | None, typer.Option("--as-of", help="Another time, such as 2026-11-22T09:00:00Z.")]


@app.command()
def show(
    thing: Annotated[
        str, typer.Argument(help="A name, a digest, KIND:DIGEST, the id of a request, or the file of a receipt.")
    ],
    as_of: AsOf = None,
    dot: Annotated[bool, typer.Option("--dot", help="Print a graph for Graphviz.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show what a model, dataset, run, deployment or answer comes from, what became of it, and what is missing."""
    from ringfence.frontends.client import connect
    from ringfence.kernel.errors import UsageError
    from ringfence.lineage import dot as graphs
    from ringfence.lineage import lines

    if dot and as_json:
        raise UsageError("choose --dot or --json")
    request, leaf = _request(thing)
    if request and as_of:
        raise UsageError("an answer has a time of its own; leave out --as-of")
    with connect() as client:
        if request:
            document = client.get(f"{PATH}/answers/{request}")
            _check_same(document, leaf)
        else:
            query = {"name": thing} | ({"as_of": as_of} if as_of else {})
            document = client.get(f"{PATH}/things", **query)
    if dot:
        typer.echo(graphs.written(document), nl=False)
    else:
        output(document, lambda console: _print(console, lines.shown(document)), as_json)


@app.command()
def gaps(as_of: AsOf = None, as_json: Json = False) -> None:  # noqa: FBT002
    """Say what is missing behind every signed model and every deployment; ends with 1 where anything is."""
    from ringfence.frontends.client import connect
    from ringfence.lineage import lines

    with connect() as client:
        document = client.get(PATH, **({"as_of": as_of} if as_of else {}))
    output(document, lambda console: _print(console, lines.surveyed(document)), as_json)
    if document["gaps"]:
        raise typer.Exit(1)


def _request(thing: str) -> tuple[str, bytes]:
    """Return the request that an id or the file of a receipt is about, and of a file the bytes of its record."""
    from ringfence.gateway import receipt
    from ringfence.storage.files import read_bounded

    if thing.startswith("req-"):
        return thing, b""
    path = Path(thing)
    if ("/" in thing or path.suffix) and path.is_file():
        found = receipt.parse(read_bounded(path, limit=receipt.MAX_RECEIPT), source=thing)
        return found.record.admitted.request, found.leaf
    return "", b""


def _check_same(document: dict[str, Any], leaf: bytes) -> None:
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.errors import VerificationFailed

    if leaf and document["answer"]["record"] != str(Digest.of(leaf)):
        raise VerificationFailed("this file's record is not the one that the gateway keeps of that request")


def _print(console: "Console", told: Any) -> None:
    for line in told:
        console.print(line)
