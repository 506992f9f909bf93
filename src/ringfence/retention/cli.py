"""`ringfence retention`: what is kept and until when; hold, release, erase, sweep."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output
from ringfence.kernel.clock import given, to_text

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Show what is kept and until when; hold it, release it, erase it.",
)

Because = Annotated[str, typer.Option("--because", help="Why; kept apart, and erasable itself.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and do nothing.")]


@app.command("list")
def list_classes(as_json: Json = False) -> None:  # noqa: FBT002
    """Show every class with its period, what is due, and the holds."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/retention")
    output(document, lambda console: _overview(console, document), as_json)


def _overview(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("class", "kept for", "at least", "at most", "there are", "due", "held", box=None)
    for row in document["classes"]:
        limits = (f"{row['days']} days", f"{row['minimum_days']}", f"{row['maximum_days']}")
        table.add_row(row["class"], *limits, *(str(row[name]) for name in ("count", "due", "held")))
    console.print(table)
    for row in document["holds"]:
        state = f"released {row['released_at']}" if row["released_at"] else f"since {row['placed_at']}"
        console.print(f"{row['hold']} {state}: {row['covers']}")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Class; see `ringfence retention list`.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show one class: what is in it, why it is kept, who says so."""
    from urllib.parse import quote

    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(f"/api/v1/retention/classes/{quote(name, safe='')}")

    def human(console: "Console") -> None:
        console.print(f"{document['title']}: {document['holds']}")
        console.print(f"kept for {document['days']} days ({document['set_by']}), to: {document['purpose']}")
        for minimum in document["minima"]:
            since = ", ".join(minimum["since"])
            console.print(f"at least {minimum['days']} days: {minimum['provision']} ({minimum['basis']}) {since}")
        console.print(f"at most {document['maximum_days']} days; the clock starts {document['starts']}")
        console.print(f"a sweep destroys: {document['destroys']}")
        console.print(f"{document['count']} there, {document['due']} due, {document['held']} held")

    output(document, human, as_json)


@app.command()
def hold(
    because: Because,
    person: Annotated[str, typer.Option(help="All that names this person.")] = "",
    incident: Annotated[str, typer.Option(help="All that names this incident.")] = "",
    predicate: Annotated[str, typer.Option(help="Statements of this kind, for instance incident.")] = "",
    start: Annotated[str, typer.Option("--from", help="From this time on, UTC.")] = "",
    end: Annotated[str, typer.Option("--until", help="Until this time, UTC.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Keep what is named until the hold is released, whatever its period says."""
    from ringfence.frontends.client import connect

    times = {name: to_text(given(text)) for name, text in (("start", start), ("end", end)) if text}
    body = {"person": person, "incident": incident, "family": predicate, "because": because} | times
    with connect() as client:
        document = client.post("/api/v1/retention/holds", body)
    entry = document["statement"]["entry"]
    output(document, lambda console: console.print(f"{document['hold']}: {document['covers']}; entry {entry}"), as_json)


@app.command()
def release(
    name: Annotated[str, typer.Argument(help="Hold; see `ringfence retention list`.")],
    because: Because,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """End a hold; what is past its period goes with the next sweep."""
    from urllib.parse import quote

    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(f"/api/v1/retention/holds/{quote(name, safe='')}/release", {"because": because})
    entry = document["statement"]["entry"]
    output(document, lambda console: console.print(f"{name} is released; entry {entry}"), as_json)


@app.command()
def erase(
    because: Because,
    statement: Annotated[str, typer.Option(help="Digest of one statement's envelope.")] = "",
    subject: Annotated[str, typer.Option(help="Name or digest of a subject, or the id of a receipt.")] = "",
    person: Annotated[str, typer.Option(help="Id of a person: all that names them.")] = "",
    dry_run: Dry = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Destroy details and salts for good; envelopes, proofs and every status stay as they are."""
    from ringfence.frontends.client import connect

    body = {"statement": statement, "subject": subject, "person": person, "because": because, "dry_run": dry_run}
    with connect() as client:
        document = client.post("/api/v1/retention/erasures", body)

    def human(console: "Console") -> None:
        for item in document.get("items", ()):
            console.print(f"{item['fate']:<8} {item['type']} of {item['since'][:10]}: {item['because']}")
        if "statement" in document:
            kept = f"{document['held']} held, {document['kept']} kept"
            console.print(f"{document['destroyed']} erased, {kept}; entry {document['statement']['entry']}")
            console.print(document["not_erased"])

    output(document, human, as_json)


@app.command()
def sweep(dry_run: Dry = False, as_json: Json = False) -> None:  # noqa: FBT002
    """Destroy what is past its period; `ringfence up` does so every hour."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/retention") if dry_run else client.post("/api/v1/retention/sweeps", {})

    def human(console: "Console") -> None:
        for row in document.get("classes", ()):
            if row["due"] or row["held"]:
                console.print(f"{row['class']}: {row['due']} would go, {row['held']} are held")
        for run in document.get("runs", ()):
            console.print(f"{run['class']}: {run['destroyed']} destroyed, {run['held']} held, {run['kept']} kept")
        if not document.get("runs") and not any(row["due"] for row in document.get("classes", ())):
            console.print("nothing is past its period")

    output(document, human, as_json)
