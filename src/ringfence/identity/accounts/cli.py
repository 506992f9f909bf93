"""`ringfence service`: enrol, list and revoke programs with keys of their own."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output
from ringfence.identity.accounts.model import MAX_DAYS
from ringfence.kernel.actor import Role

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Enrol, list and revoke programs with scoped keys.",
)


@app.command("add")
def add_service(
    name: Annotated[str, typer.Argument(help="What the program is; it stays in the database.")],
    role: Annotated[Role, typer.Option(help="No action is in scope that this role does not permit.")],
    scope: Annotated[list[str], typer.Option(help="An action that it may ask for; repeat it for more.")],
    days: Annotated[int, typer.Option(min=1, max=MAX_DAYS, help="For how long its key is good.")] = 90,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Enrol a program, and show its key this once."""
    from ringfence.frontends.client import connect

    body = {"name": name, "role": role.value, "scope": scope, "days": days}
    with connect() as client:
        document = client.post("/api/v1/services", body)

    def human(console: "Console") -> None:
        console.print(document["secret"], soft_wrap=True)
        console.print(f"{document['service']} until {document['expires_at']}; the key is not shown again.")
        console.print("Give it to the program as RINGFENCE_TOKEN, or as: Authorization: Bearer …")

    output(document, human, as_json)


@app.command("list")
def list_services(as_json: Json = False) -> None:  # noqa: FBT002
    """List the services of the tenant, and when each was last there."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/services")
    output(document, lambda console: _table(console, document), as_json)


def _table(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("service", "name", "role", "scope", "until", "last there", box=None)
    for row in document["services"]:
        until = f"revoked {row['revoked_at']}" if row["revoked_at"] else row["expires_at"]
        scope = " ".join(row["scope"])
        table.add_row(row["service"], row["name"], row["role"], scope, until, row["last_used_at"] or "never")
    console.print(table)


@app.command()
def revoke(
    service: Annotated[str, typer.Argument(help="Service id; see `ringfence service list`.")],
    reason: Annotated[str, typer.Option(help="A short code, for instance key-leaked.")] = "not-needed",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """End a program's access at once."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(f"/api/v1/services/{service}/revoke", {"reason": reason})
    stage = document["statement"]["stage"]
    output(
        document,
        lambda console: console.print(f"{service} has no access any more; the revocation is {stage}"),
        as_json,
    )
