"""`ringfence customer`: the register, answers to questionnaires, packs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.customers.model import Regime
from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.frontends.client import Client

_API = "/api/v1/customers"

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Keep customers and their contracts; answer their questions; hand them packs.",
)

Called = Annotated[str, typer.Argument(metavar="CUSTOMER", help="Name or id; see `ringfence customer list`.")]
Regimes = Annotated[list[Regime] | None, typer.Option("--regime", help="What the customer is under (repeatable).")]
Country = Annotated[str | None, typer.Option(help="ISO code, such as DE.")]
Reference = Annotated[str | None, typer.Option(help="Of the contract; kept apart, and erasable.")]
Incident = Annotated[int | None, typer.Option("--incident-hours", min=1, help="Notice of an incident within.")]
Breach = Annotated[int | None, typer.Option("--breach-hours", min=1, help="Notice of a personal data breach within.")]
Subprocessor = Annotated[
    int | None, typer.Option("--subprocessor-hours", min=1, help="Notice of a change of subprocessor within.")
]
Clauses = Annotated[
    list[str] | None,
    typer.Option("--clause", help="A clause that the contract has (repeatable); see `show --clauses`."),
]
Datasets = Annotated[list[str] | None, typer.Option("--dataset", help="A dataset of theirs (repeatable).")]
Deployments = Annotated[list[str] | None, typer.Option("--deployment", help="A deployment for them (repeatable).")]
Models = Annotated[list[str] | None, typer.Option("--model", help="A model of theirs (repeatable).")]
Nodes = Annotated[list[str] | None, typer.Option("--node", help="A node of theirs (repeatable).")]


@app.command("list")
def list_customers(as_json: Json = False) -> None:  # noqa: FBT002
    """List customers: regime, hours of notice, last pack."""
    from ringfence.customers import lines
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(_API)
    output(document, lambda console: lines.listed(console, document["customers"]), as_json)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name; kept apart from the log, and erasable.")],
    regime: Regimes = None,
    country: Country = None,
    reference: Reference = None,
    incident: Incident = None,
    breach: Breach = None,
    subprocessor: Subprocessor = None,
    clause: Clauses = None,
    dataset: Datasets = None,
    deployment: Deployments = None,
    model: Models = None,
    node: Nodes = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Enter a customer. What is theirs is named as `ringfence dataset list`, `deploy list`, `node list` name it."""
    from ringfence.customers import options

    things = (dataset, deployment, model, node)
    given = options.said(regime, country, reference, (incident, breach, subprocessor), clause, things)
    _add([{"name": name, **given}], as_json=as_json)


@app.command("import")
def import_customers(
    file: Annotated[Path, typer.Argument(help="YAML or CSV; docs/how-to/customers.md shows both.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Enter customers from a file, all or none."""
    from ringfence.customers import importing, tables
    from ringfence.storage.files import read_bounded

    found = importing.read(read_bounded(file, limit=tables.MAX_FILE), source=file.name)
    _add([importing.document_of(one) for one in found], as_json=as_json)


@app.command()
def show(
    customer: Called = "",
    clauses: Annotated[bool, typer.Option("--clauses", help="List the clauses that can be ticked.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show a customer: contract, things, inherited controls with our status of each, packs."""
    from ringfence.customers import lines
    from ringfence.frontends.client import connect
    from ringfence.kernel.errors import UsageError

    if clauses == bool(customer):
        raise UsageError("say either a customer or --clauses")
    with connect() as client:
        document = {"clauses": client.get(_API)["clauses"]} if clauses else client.get(_path(client, customer))
    told = lines.clauses if clauses else lines.shown
    output(document, lambda console: told(console, document), as_json)


@app.command()
def change(
    customer: Called,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    regime: Regimes = None,
    country: Country = None,
    reference: Reference = None,
    incident: Incident = None,
    breach: Breach = None,
    subprocessor: Subprocessor = None,
    clause: Clauses = None,
    dataset: Datasets = None,
    deployment: Deployments = None,
    model: Models = None,
    node: Nodes = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Change what is named here; the rest stays. A list that is given replaces the old one; `none` empties it."""
    from ringfence.customers import options, shown
    from ringfence.frontends.client import connect

    given = options.said(
        regime,
        country,
        reference,
        (incident, breach, subprocessor),
        clause,
        (dataset, deployment, model, node),
    )
    with connect() as client:
        path = _path(client, customer)
        before = shown.entry(client.get(path))
        hours = {**before["hours"], **given.pop("hours", {})}
        entry = before | given | {"hours": hours} | ({"name": name} if name else {})
        document = client.put(path, entry)
    output(document, lambda console: console.print(f"{document['customer']} is changed; {_stated(document)}"), as_json)


@app.command()
def announce(
    subprocessor: Annotated[str, typer.Argument(metavar="NAME", help="The new subprocessor; kept apart, erasable.")],
    customer: Annotated[
        list[str] | None,
        typer.Option(help="Whom you told (repeatable); everybody whose contract names hours by default."),
    ] = None,
    at: Annotated[str, typer.Option(help="When you told them, with its zone; now by default.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Record that you told customers of a new subprocessor; says from when on it may begin for each."""
    from ringfence.customers import lines
    from ringfence.frontends.client import connect

    with connect() as client:
        told = [_path(client, one).removeprefix(f"{_API}/") for one in customer or ()]
        body = {"subprocessor": subprocessor, "customers": told, "announced_at": at}
        document = client.post(f"{_API}/announcements", body)
    output(document, lambda console: lines.told(console, document), as_json)


@app.command()
def remove(
    customer: Called,
    because: Annotated[str, typer.Option("--because", help="Why; kept apart, and erasable.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """End the entry of a customer; records stay, and clocks that run go on."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(f"{_path(client, customer)}/remove", {"because": because})
    output(document, lambda console: console.print(f"{document['customer']} is removed; {_stated(document)}"), as_json)


@app.command()
def answer(
    customer: Called,
    file: Annotated[Path, typer.Argument(metavar="QUESTIONS", help="CSV or XLSX with a column called question.")],
    to: Annotated[Path, typer.Option("-o", "--output", help="File to write: .csv or .xlsx.")],
    mapped: Annotated[
        Path | None, typer.Option("--map", help="YAML that says which controls each question is about.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Answer a questionnaire with our status, record ids and strength, or with the words: no evidence.

    A question is about the controls that its columns control, provision and keyword name, or that the map names;
    nothing is guessed.
    """
    from ringfence.customers import questions, tables, workbooks
    from ringfence.customers.answering import COLUMNS
    from ringfence.frontends.client import connect
    from ringfence.storage.files import read_bounded, write_whole

    _check_free(to, force=force)
    rows = workbooks.read(read_bounded(file, limit=tables.MAX_FILE), source=file.name)
    pointers = questions.read_map(read_bounded(mapped, limit=questions.MAX_MAP), source=mapped.name) if mapped else {}
    asked = [questions.document(one) for one in questions.of_table(rows, pointers, source=file.name)]
    workbooks.write([rows[0]], to.name)  # whether it can be written is found out before anything is recorded
    with connect() as client:
        path = f"{_path(client, customer)}/answers"
        document = client.post(path, {"file": file.name[:255], "questions": asked})
    cells = [each["cells"] for each in document["answers"]]
    table = [(*rows[0], *COLUMNS), *((*row, *more) for row, more in zip(rows[1:], cells, strict=True))]
    write_whole(to, workbooks.write(table, to.name), replace=force)
    document = {"file": str(to), **document}

    def human(console: "Console") -> None:
        without = sum(each["no_evidence"] for each in document["answers"])
        console.print(f"{to}: {len(cells)} questions, {without} with no evidence; {_stated(document)}")

    output(document, human, as_json)


@app.command()
def pack(
    customer: Called,
    to: Annotated[Path, typer.Option("-o", "--output", help="File to write; the leaf goes beside it, as .txt.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the files if they exist.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Hand a customer what is recorded of their things, as a signed file that they can check, and a leaf about it.

    Records about other customers, and about what two of them share, are in it as digests only.
    """
    from ringfence.frontends.client import connect
    from ringfence.kernel import drafts
    from ringfence.storage.files import write_whole

    beside = to.with_name(f"{to.name}.txt")
    for path in (to, beside):
        _check_free(path, force=force)
    with connect() as client:
        address = f"{_path(client, customer)}/pack"
        draft = drafts.from_json(client.get(address)["draft"])
        answer = client.state(draft, path=address)
    write_whole(to, answer["pack"].encode("ascii"), replace=force)
    write_whole(beside, answer["leaf"].encode(), replace=force)
    document = {"pack": str(to), "leaf": str(beside), **answer["made"], "records": answer["pack"].count("\n")}

    def human(console: "Console") -> None:
        console.print(f"{to}: for {customer}, log size {document['size']}; what it is not: {beside}")
        console.print(f"check it with: ringfence verify {to} --trust TRUST")

    output(document, human, as_json)


def _add(entries: list[dict[str, Any]], *, as_json: bool) -> None:
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(_API, {"customers": entries})

    def human(console: "Console") -> None:
        for entry, done in zip(entries, document["added"], strict=True):
            console.print(f"{done['customer']}  {entry['name']}; {_stated(done)}")

    output(document, human, as_json)


def _path(client: "Client", called: str) -> str:
    """Return the address of a customer by name or id."""
    from ringfence.kernel.errors import NotFound

    known = client.get(_API)["customers"]
    for one in known:
        if called in (one["customer"], one["name"]):
            return f"{_API}/{one['customer']}"
    raise NotFound(f"no customer is called {called[:60]}; see `ringfence customer list`")


def _check_free(path: Path, *, force: bool) -> None:
    from ringfence.kernel.errors import UsageError

    if path.exists() and not force:
        raise UsageError(f"{path} exists; name another file, or replace it with --force")


def _stated(document: dict[str, Any]) -> str:
    return f"entry {document['statement']['entry']}"
