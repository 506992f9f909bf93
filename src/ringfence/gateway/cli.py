"""`ringfence key issue | revoke | block | unblock | callers`: the keys with which callers reach the gateway."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, say

if TYPE_CHECKING:
    from rich.console import Console

API = "/api/v1/api-keys"
Key = Annotated[str, typer.Argument(help="The key's id; see `ringfence key callers`.")]


def issue(
    name: Annotated[str, typer.Argument(help="Who calls with it; it stays in the database.")],
    deployment: Annotated[list[str] | None, typer.Option(help="For this deployment; repeatable; all without.")] = None,
    days: Annotated[int, typer.Option(help="Days until it expires.")] = 90,
    requests_per_minute: Annotated[int, typer.Option(help="Most requests in a minute.")] = 600,
    concurrent: Annotated[int, typer.Option(help="Most requests at a time.")] = 16,
    body_bytes: Annotated[int, typer.Option(help="Longest body of a request.")] = 2**20,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Give a caller a key for the gateway; it is shown once."""
    body = {
        "name": name,
        "deployments": deployment or [],
        "days": days,
        "requests_per_minute": requests_per_minute,
        "concurrent": concurrent,
        "body_bytes": body_bytes,
    }
    document = _post(API, body)

    def human(console: "Console") -> None:
        key = document["key"]
        scope = ", ".join(key["deployments"]) or "every deployment of the tenant"
        console.print(f"{document['secret']}")
        until = key["expires_at"].partition(".")[0]
        say(f"\nKey {key['key']} of {key['name']}, for {scope}, until {until}Z.")  # beside: a file gets the key alone
        say("It is shown this once: we keep its SHA-256 only.")

    output(document, human, as_json)


def revoke(key: Key, as_json: Json = False) -> None:  # noqa: FBT002
    """End a caller's key for ever, now."""
    document = _post(f"{API}/{key}/revoke")
    _said(document, f"{key} is revoked; the gateway refuses it from now on.", f"{key} had ended already.", as_json)


def block(
    key: Key,
    reason: Annotated[str, typer.Option(help="Why, in a sentence; kept beside the log, and erasable.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Refuse a caller's key until somebody unblocks it."""
    document = _post(f"{API}/{key}/block", {"reason": reason})
    _said(document, f"{key} is blocked: ringfence key unblock {key}", f"{key} was blocked or ended already.", as_json)


def unblock(key: Key, as_json: Json = False) -> None:  # noqa: FBT002
    """Let a blocked key in again."""
    document = _post(f"{API}/{key}/unblock")
    _said(document, f"{key} is let in again.", "", as_json)


def callers(as_json: Json = False) -> None:  # noqa: FBT002
    """List the callers' keys: whose, for what, until when, how much used."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(API)
    output(document, lambda console: _callers(console, document), as_json)


def _callers(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Column, Table

    if not document["keys"]:
        console.print("Nobody has a key yet: ringfence key issue NAME")
        return
    rest = ("name", "state", "for", "until", "requests", "tokens in", "tokens out")
    table = Table(Column("key", no_wrap=True), *rest, box=None)
    for key in document["keys"]:
        used, state = key["usage"], key["state"] + (f": {key['blocked']}" if key["state"] == "blocked" else "")
        counted = (str(used[name]) for name in ("requests", "prompt_tokens", "completion_tokens"))
        until = key["expires_at"].partition("T")[0]
        table.add_row(key["key"], key["name"], state, ", ".join(key["deployments"]) or "all", until, *counted)
    console.print(table)


def _post(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    from ringfence.frontends.client import connect

    with connect() as client:
        return dict(client.post(path, body))


def _said(document: dict[str, Any], done: str, nothing: str, as_json: bool) -> None:  # noqa: FBT001
    output(document, lambda console: console.print(done if document["statement"] else nothing), as_json)
