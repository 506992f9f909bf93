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


@app.command()
def passkey(
    passkey: Annotated[str, typer.Argument(help="The credential of your passkey; without it, list yours.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """List your passkeys, or let one of them sign acts in the console: your own key signs its enrolment."""
    from ringfence.frontends.client import connect
    from ringfence.kernel import drafts
    from ringfence.kernel.errors import NotFound

    with connect() as client:
        known = client.get("/api/v1/passkeys")["passkeys"]
        if not passkey:
            output({"passkeys": known}, lambda console: _passkeys(console, known), as_json)
            return
        named = [one for one in known if one["passkey"].startswith(passkey)]
        if len(named) != 1:
            raise NotFound(f"{len(named)} of your passkeys begin with {passkey[:64]}; see `ringfence user passkey`")
        path = f"/api/v1/passkeys/{named[0]['passkey']}/enrolment"
        document = client.state(drafts.from_json(client.get(path)), path=path)
    said = f"{named[0]['name']} signs acts now; for acts of two people it counts after 24 hours"
    output(document, lambda console: console.print(said), as_json)


def _passkeys(console: "Console", known: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table("credential", "name", "key", "signs acts", box=None)
    for one in known:
        table.add_row(one["passkey"][:16], one["name"], one["key"][:16] + "…", "yes" if one["signs"] else "no")
    console.print(table)


@app.command()
def reset(
    person: Annotated[str, typer.Argument(help="Person id; see `ringfence user list`.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Forget every passkey and code of somebody who lost them, and end their sessions; they begin again with a link."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(f"/api/v1/people/{person}/reset")
    sentence = f"{person} has no passkey and no code any more ({document['passkeys']} removed); hand over a new link"
    output(document, lambda console: console.print(sentence), as_json)
