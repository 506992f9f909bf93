"""`ringfence ledger`: show heads and statements, prove entries, export a head."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output
from ringfence.ledger.anchoring.cli import app as timestamp
from ringfence.ledger.witness.cli import app as witness

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

app.add_typer(witness, name="witness")
app.add_typer(timestamp, name="timestamp")


@app.command()
def head(
    export: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Add the head to this trust file (made if absent), and record that."),
    ] = None,
    wait_witness: Annotated[  # noqa: FBT002
        bool, typer.Option("--wait-witness", help="Have the witnesses cosign it now; 1 where none does.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show the newest checkpoint; with -o, export it for safekeeping elsewhere."""
    from ringfence.frontends.client import connect

    with connect() as client:
        anchored = client.post("/api/v1/ledger/anchor", {"witnesses": True}) if wait_witness else None
        document = client.get("/api/v1/ledger/head", size=anchored["size"] if anchored else None)
        if export is not None:
            document |= {"exported_to": str(export), "statement": _export(client, document, export)}
        document |= {"anchored": anchored} if anchored else {}
    output(document, lambda console: _show_head(console, document), as_json)
    if anchored and not anchored["cosigned"]:
        raise typer.Exit(1)


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
    from dataclasses import replace

    from ringfence.kernel import digest, envelope
    from ringfence.kernel.errors import UsageError
    from ringfence.kernel.identifier import log_origin
    from ringfence.ledger.model import Trust
    from ringfence.ledger.succession import extended, keys_of

    first, second = document["first_log_keys"]
    fresh = Trust(log_origin(document["log"]), base64.b64decode(document["root_key"]), (first, second), ())
    if known is not None and (known.log, known.root) != (fresh.log, fresh.root):
        raise UsageError(f"{path} is the trust file of another log; name another file")
    # Whom else its reader trusts stays theirs to say; other keys of the log count as far as the root in it says so.
    replaced = [envelope.parse(digest.dumps(each)) for each in document["successions"]]
    kept = extended(known or fresh, replaced, fresh.log_keys)
    keys_of(kept).open(document["note"])
    return kept if document["note"] in kept.heads else replace(kept, heads=(*kept.heads, document["note"]))


def _show_head(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"{document['log']}: {document['size']} entries, signed {document['signed_at']}")
    console.print(f"root {document['root']}")
    for item in document.get("anchored", {}).get("cosigned", []):
        party = "us: it counts as the operator" if item["counts_as_operator"] else item["party"]
        console.print(f"cosigned {item['at']} by {item['witness']} (run by {party})")
    for sentence in document.get("anchored", {}).get("troubles", []):
        console.print(sentence)
    if "exported_to" in document:
        entry = document["statement"]["entry"]
        console.print(f"exported to {document['exported_to']} (recorded as entry {entry}); now keep it elsewhere")


@app.command("list")
def list_statements(
    subject: Annotated[str | None, typer.Option(help="Whose name begins so; sha256:… for a digest.")] = None,
    predicate: Annotated[str | None, typer.Option(help="Only this evidence type.")] = None,
    since: Annotated[str | None, typer.Option(help="Recorded from then on: 2026-11-22T01:02:03.456Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Recorded before then.")] = None,
    actor: Annotated[str | None, typer.Option(help="A role, a person, or the first 8 digits of a key.")] = None,
    strength: Annotated[str | None, typer.Option(help="Of exactly this strength, such as observed.")] = None,
    standing: Annotated[str | None, typer.Option(help="Of the key: trusted, untrusted, revoked, …")] = None,
    demo: Annotated[str | None, typer.Option(help="yes: only what is marked demo; no: only what is not.")] = None,
    before: Annotated[int | None, typer.Option(help="Only entries below this index.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    as_of: Annotated[str | None, typer.Option(help="Only what the log had by then: 2026-11-22T01:02:03.456Z.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all that matches as CSV, for a spreadsheet.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Search statements and list them, newest first."""
    from ringfence.frontends.client import connect
    from ringfence.frontends.terminal import console

    parts = {"subject": subject, "predicate": predicate, "since": since, "until": until, "actor": actor}
    parts |= {"strength": strength, "standing": standing, "demo": demo, "as_of": as_of}
    with connect() as client:
        if as_csv:
            console().file.write(client.get("/api/v1/ledger/statements.csv", **parts))
            return
        document = client.get("/api/v1/ledger/statements", **parts, before=before, limit=limit)
    output(document, lambda console: _table(console, document), as_json)


@app.command()
def sources(
    as_of: Annotated[str | None, typer.Option(help="Only what the log had by then: 2026-11-22T01:02:03.456Z.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """List who states something here, and the gaps of each sequence; 1 where there is one."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/ledger/sources", as_of=as_of)
    output(document, lambda console: _sources(console, document), as_json)
    if document["gaps"]:
        raise typer.Exit(1)


def _sources(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("source", "statements", "missing", "last entry", "last seen", box=None)
    for item in document["sources"]:
        name = f"{item['role'] or 'nobody known'} {item['key'][:8]}…"
        table.add_row(name, str(item["statements"]), _missing(item), str(item["last_entry"]), item["last_at"])
    console.print(table)
    own = document["tenant"]
    if own:
        console.print(f"entries of this tenant: numbers {own['first']} to {own['last']}, missing: {_missing(own)}")
    if document["unnumbered"]:
        console.print(f"{document['unnumbered']} older entries bear no number of the tenant")
    if document["behind"]:
        console.print(f"counted below entry {document['indexed']} only; ask again in a moment")


def _missing(series: dict[str, Any]) -> str:
    return ", ".join(series["gaps"]) + (" and more" if series["more_gaps"] else "") or "none"


def _table(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("entry", "recorded", "statement", "strength", "issuer", "subject", box=None)
    for item in document["statements"]:
        issuer = f"{item['role'] or '?'} {item['issuer'][:8]}…"
        if item["standing"] != "trusted":
            issuer += f" ({item['standing']})"
        elif item["existed"]:
            issuer += f" (ended later; older by the word of {item['existed']['party']})"
        marks = "".join(f" {mark}" for mark in ("demo", "late") if item[mark])
        subject = item["subjects"][0]["name"]
        table.add_row(
            str(item["entry"]), item["recorded_at"], item["predicate"] + marks, item["strength"], issuer, subject
        )
    console.print(table)
    if document["older"] is not None:
        many = f"{document['count']} or more" if document["or_more"] else document["count"]
        console.print(f"{len(document['statements'])} of {many} that match; older ones: --before {document['older']}")
    if document["behind"]:
        console.print(f"what was recorded from entry {document['indexed']} on is not searched yet; ask again")


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
