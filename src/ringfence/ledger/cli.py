"""`ringfence ledger`: show heads and statements, prove entries, export a head."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.ledger.model import Trust

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Show heads and statements, prove entries, export a head.",
)


@app.command()
def head(
    export: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Add the head to this trust file (made if absent), and record that."),
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show the newest checkpoint; with -o, export it for safekeeping elsewhere."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/ledger/head")
        if export is not None:
            document |= {"exported_to": str(export), "statement": _export(client, document, export)}
    output(document, lambda console: _show_head(console, document), as_json)


def _export(client: Any, document: dict[str, Any], path: Path) -> dict[str, Any]:
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.identifier import PredicateName
    from ringfence.kernel.statement import Draft, Strength, Subject
    from ringfence.ledger import trust
    from ringfence.storage.files import read_bounded, write_whole

    known = trust.parse(read_bounded(path), source=str(path)) if path.exists() else None
    write_whole(path, trust.to_text(_with_head(known, document, path)).encode())
    draft = Draft(
        PredicateName("ledger.head_exported"),
        (Subject(f"head/{document['size']}", Digest.of(document["note"].encode())),),
        {"size": document["size"], "root": document["root"], "destination": "file"},
        Strength.OBSERVED,
        details={"path": str(path)},
    )
    return dict(client.state(draft, path="/api/v1/ledger/heads")["statement"])


def _with_head(known: "Trust | None", document: dict[str, Any], path: Path) -> "Trust":
    import base64

    from ringfence.kernel.errors import UsageError
    from ringfence.kernel.identifier import log_origin
    from ringfence.ledger.model import Trust

    first, second = document["log_keys"]
    fresh = Trust(log_origin(document["log"]), base64.b64decode(document["root_key"]), (first, second), ())
    if known is not None and (known.log, known.root, known.log_keys) != (fresh.log, fresh.root, fresh.log_keys):
        raise UsageError(f"{path} is the trust file of another log; name another file")
    heads = known.heads if known else ()
    if document["note"] not in heads:
        heads = (*heads, document["note"])
    return Trust(fresh.log, fresh.root, fresh.log_keys, heads)


def _show_head(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"{document['log']}: {document['size']} entries, signed {document['signed_at']}")
    console.print(f"root {document['root']}")
    if "exported_to" in document:
        entry = document["statement"]["entry"]
        console.print(f"exported to {document['exported_to']} (recorded as entry {entry}); now keep it elsewhere")


@app.command("list")
def list_statements(
    predicate: Annotated[str | None, typer.Option(help="Only this evidence type.")] = None,
    before: Annotated[int | None, typer.Option(help="Only entries below this index.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    as_of: Annotated[str | None, typer.Option(help="Only what the log had by then: 2026-11-22T01:02:03.456Z.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """List statements, newest first."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/ledger/statements", predicate=predicate, before=before, limit=limit, as_of=as_of)
    output(document, lambda console: _table(console, document), as_json)


def _table(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("entry", "recorded", "statement", "strength", "issuer", "subject", box=None)
    for item in document["statements"]:
        issuer = f"{item['role'] or '?'} {item['issuer'][:8]}…"
        if item["standing"] != "trusted":
            issuer += f" ({item['standing']})"
        marks = "".join(f" {mark}" for mark in ("demo", "late") if item[mark])
        subject = item["subjects"][0]["name"]
        table.add_row(
            str(item["entry"]), item["recorded_at"], item["predicate"] + marks, item["strength"], issuer, subject
        )
    console.print(table)


@app.command()
def prove(
    entry: Annotated[int, typer.Argument(min=0, help="Index of the entry; see `ringfence ledger list`.")],
    to: Annotated[Path | None, typer.Option("-o", "--output", help="Write the tlog-proof there.")] = None,
) -> None:
    """Print the C2SP tlog-proof of one entry."""
    from ringfence.frontends.client import connect
    from ringfence.frontends.terminal import console
    from ringfence.storage.files import write_whole

    with connect() as client:
        text = client.get(f"/api/v1/ledger/proofs/{entry}")
    if to is None:
        console().print(text, end="")
    else:
        write_whole(to, text.encode())
