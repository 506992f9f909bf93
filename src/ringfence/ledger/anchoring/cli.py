"""`ringfence ledger timestamp`: have the heads of this log stamped with the time by an authority."""

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
    help="Have heads stamped with the time (RFC 3161): add, list, remove, now.",
)


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where the authority takes requests.")],
    certificate: Annotated[
        Path, typer.Option(help="The certificate at the root of the authority's, PEM or DER; it is what is trusted.")
    ],
    party: Annotated[str, typer.Option(help="Who runs it: a name, or `operator` where that is us.")],
    policy: Annotated[str, typer.Option(help="Take tokens under this policy only: a dotted OID.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Have a time-stamping authority stamp the heads of this log, at most hourly, and state that."""
    import base64

    from ringfence.frontends.client import connect
    from ringfence.storage.files import read_bounded

    data = read_bounded(certificate, limit=2**16)
    body = {"url": url, "certificate": base64.b64encode(data).decode(), "party": party, "policy": policy}
    with connect() as client:
        document = client.post("/api/v1/ledger/timestamp-authorities", body)
    entry = document["statement"]["entry"]
    output(
        document, lambda console: console.print(f"recorded as entry {entry}; trust.json in the home names it"), as_json
    )


@app.command()
def remove(
    certificate: Annotated[str, typer.Argument(help="The beginning of the certificate's digest; see `list`.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Ask an authority for no more stamps, and state that; the tokens that there are stay."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post("/api/v1/ledger/timestamp-authorities/remove", {"certificate": certificate})
    entry = document["statement"]["entry"]
    output(document, lambda console: console.print(f"recorded as entry {entry}"), as_json)


@app.command("list")
def listed(as_json: Json = False) -> None:  # noqa: FBT002
    """List the time-stamping authorities of this log, what each stamped last, and what is wrong."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/ledger/timestamp-authorities")
    output(document, lambda console: _table(console, document), as_json)


@app.command()
def now(
    to: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the head there, and each token beside it: FILE.0.tst …")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Have the newest head stamped now.

    The files are what `openssl ts -verify -data FILE -token_in -in FILE.0.tst -CAfile CERTIFICATE` takes.
    """
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post("/api/v1/ledger/anchor", {"witnesses": False, "timestamps": True})
    if to is not None:
        _write(to, document)
    output(document, lambda console: _show(console, document), as_json)


def _write(path: Path, document: dict[str, Any]) -> None:
    import base64

    from ringfence.storage.files import write_whole

    write_whole(path, document["note"].encode())
    for number, token in enumerate(document["timestamps"]):
        write_whole(path.with_name(f"{path.name}.{number}.tst"), base64.b64decode(token))


def _show(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"head of {document['size']} entries")
    for item in document["stamped"]:
        console.print(f"stamped {item['at']} by {item['authority']} ({item['party']})")
    for sentence in document["troubles"]:
        console.print(sentence)


def _table(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("authority", "party", "certificate", "stamped", "at", "", box=None)
    for item in document["authorities"]:
        party = f"{item['party']}" + (" (counts as the operator)" if item["party"] == "operator" else "")
        last = item["at"] or "never"
        table.add_row(item["subject"], party, item["certificate"][:16], str(item["size"]), last, item["trouble"])
    console.print(table)
