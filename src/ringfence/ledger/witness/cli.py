"""`ringfence ledger witness`: cosign other organisations' heads; and say who cosigns ours."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, say

if TYPE_CHECKING:
    import socket

    from rich.console import Console

    from ringfence.ledger.witness.service import Witnessing

DEFAULT_PORT = 8403

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    invoke_without_command=True,
)


@app.callback()
def witness(
    ctx: typer.Context,
    log: Annotated[
        list[str] | None, typer.Option(help="A verifier key of a log to watch; give all of the log's. Repeatable.")
    ] = None,
    name: Annotated[str, typer.Option(help="The witness's name, for ever: witness.example/w1. Asked once.")] = "",
    folder: Annotated[
        Path | None, typer.Option(help="Where the witness keeps its keys and what it saw [~/.ringfence-witness].")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; TLS is a proxy's in front.")] = (
        DEFAULT_PORT
    ),
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
) -> None:
    """Run a witness: it cosigns each head that continues the last one it saw, and no other.

    It needs no installation of Ringfence and belongs at another organisation; Ctrl-C stops it. The verbs below it say
    who cosigns the heads of our own log.
    """
    if ctx.invoked_subcommand is None:
        _run(log or [], name, folder or Path.home() / ".ringfence-witness", host, port)


def _run(vkeys: list[str], name: str, folder: Path, host: str, port: int) -> None:
    from ringfence.frontends.listening import listen
    from ringfence.ledger.witness.deciding import known_logs
    from ringfence.ledger.witness.service import Witnessing
    from ringfence.ledger.witness.store import WallClock, WitnessFolder
    from ringfence.settings import Settings

    logs, place = known_logs(vkeys), WitnessFolder(folder.absolute())
    with place.alone():
        keys = place.prepare(name, Settings.from_environment().passphrase())
        for key in keys:
            say(f"vkey          {key.public}")
        for origin in sorted(logs):
            say(f"log           {origin}")
        door = listen(host, port)
        door.listen()  # whoever reads the line below may connect
        say(f"witness       http://{host}:{door.getsockname()[1]}  (Ctrl-C stops it)")
        _serve(Witnessing(logs, place.heads, keys, WallClock()), door)


def _serve(witness: "Witnessing", door: "socket.socket") -> None:
    import signal

    import uvicorn

    from ringfence.ledger.witness.api import config, create_app

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.Server(config(create_app(witness))).run(sockets=[door])


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where the witness takes heads: its submission prefix.")],
    vkey: Annotated[list[str], typer.Option(help="A verifier key of the witness. Repeatable.")],
    party: Annotated[str, typer.Option(help="Who runs it: a name, or `operator` where that is us.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Have a witness cosign the heads of this log, and state that."""
    _posted("/api/v1/ledger/witnesses", {"url": url, "vkeys": vkey, "party": party}, as_json)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="The witness's name; see `ringfence ledger witness list`.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Submit no more heads to a witness, and state that; what it cosigned stays."""
    _posted("/api/v1/ledger/witnesses/remove", {"name": name}, as_json)


@app.command()
def quorum(
    count: Annotated[int, typer.Argument(min=0, help="How many other parties have to have cosigned a head.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Say how many other parties have to cosign before a statement counts as witnessed, and state that."""
    _posted("/api/v1/ledger/quorum", {"quorum": count}, as_json)


@app.command("list")
def listed(as_json: Json = False) -> None:  # noqa: FBT002
    """List the witnesses of this log, how far each has cosigned, and what is wrong."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/ledger/witnesses")
    output(document, lambda console: _table(console, document), as_json)


def _posted(path: str, body: dict[str, Any], as_json: bool) -> None:  # noqa: FBT001
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(path, body)
    entry = document["statement"]["entry"]
    output(
        document, lambda console: console.print(f"recorded as entry {entry}; trust.json in the home names it"), as_json
    )


def _table(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("witness", "party", "cosigned", "at", "", box=None)
    for item in document["witnesses"]:
        party = f"{item['party']}" + (" (counts as the operator)" if item["party"] == "operator" else "")
        table.add_row(item["name"], party, str(item["size"]), item["at"] or "never", item["trouble"])
    console.print(table)
    console.print(f"quorum {document['quorum']} of other parties")
