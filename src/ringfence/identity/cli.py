"""`ringfence user`: list, add and remove people; make a link into the console."""

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
    help="List and remove people; make a link into the console.",
)


@app.command("list")
def list_people(as_json: Json = False) -> None:  # noqa: FBT002
    """List everybody of the tenant."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/people")
    output(document, lambda console: _table(console, document), as_json)


def _table(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("person", "name", "role", "key", "access", box=None)
    for person in document["people"]:
        access = f"ended {person['removed_at']}" if person["removed_at"] else "active"
        table.add_row(person["person"], person["name"], person["role"], person["key"][:16] + "…", access)
    console.print(table)


@app.command()
def remove(
    person: Annotated[str, typer.Argument(help="Person id; see `ringfence user list`.")],
    reason: Annotated[str, typer.Option(help="A short code, for instance left or key-lost.")] = "left",
    left_at: Annotated[str, typer.Option(help="When the person left, if earlier: 2026-11-22T01:02:03.456Z.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """End a person's access at once, and revoke the key."""
    from ringfence.frontends.client import connect

    with connect() as client:
        body = {"reason": reason} | ({"left_at": left_at} if left_at else {})
        document = client.post(f"/api/v1/people/{person}/remove", body)
    statement = document["statement"]
    output(
        document,
        lambda console: console.print(f"{person} has no access any more; the revocation is {statement['stage']}"),
        as_json,
    )


@app.command()
def link(as_json: Json = False) -> None:  # noqa: FBT002
    """Make a one-time link into the console of the running installation."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post("/api/v1/links")
    output(document, lambda console: console.print(f"open {document['path']} on the console's address"), as_json)
