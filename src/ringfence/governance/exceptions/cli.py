"""`ringfence exception`: ask that a control be excepted, approve another's request, end one."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Ask that a control be excepted, approve another's request, end one. The computed status stays.",
)

Id = Annotated[str, typer.Argument(metavar="EXCEPTION", help="Exception id; see `ringfence exception list`.")]
Reason = Annotated[str, typer.Option(help="Why; kept apart, and erasable.")]
PATH = "/api/v1/exceptions"


@app.command()
def add(
    control: Annotated[str, typer.Argument(help="The control, for instance MOD-01.")],
    reason: Reason,
    until: Annotated[str, typer.Option(help="Its last day: within 365 days.")],
    owner: Annotated[str, typer.Option(help="Who answers for it: a person's id; you, by default.")] = "",
    instead: Annotated[list[str] | None, typer.Option(help="Control that stands in its place (repeatable).")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Ask for an exception; nothing is excepted until another person approves it."""
    import secrets

    from ringfence.frontends.client import connect
    from ringfence.governance import reading
    from ringfence.governance.exceptions.model import ExceptionId, Wanted
    from ringfence.governance.exceptions.statements import requested

    name, last = ExceptionId(f"exception-{secrets.token_hex(6)}"), reading.day(until, "--until")
    with connect() as client:
        who = reading.person(owner, "owner") or client.person
        wanted = Wanted(name, control, who, tuple(sorted(instead or ())), last, reason)
        document = client.state(requested(wanted), path=PATH)
    document["exception"] = name
    entry = document["statement"]["entry"]
    said = f"{name} asked for, entry {entry}; another person approves it: ringfence exception approve {name}"
    output(document, lambda console: console.print(said), as_json)


@app.command()
def approve(exception: Id, as_json: Json = False) -> None:  # noqa: FBT002
    """Approve another person's request; signed with your passkey, on the page that is named."""
    from ringfence.frontends.client import connect
    from ringfence.governance.exceptions.model import exception_id
    from ringfence.governance.exceptions.statements import approved
    from ringfence.kernel.digest import Digest

    name = exception_id(exception)
    with connect() as client:
        known = client.get(f"{PATH}/{name}")
        draft = approved(name, Digest.parse(known["request"]))
        document = client.state(draft, path=f"{PATH}/{name}/approvals", with_passkey=True)
    entry = document["statement"]["entry"]
    said = f"{name} is in force until {known['until']}, entry {entry}; {known['control']} stays as it is computed"
    output(document, lambda console: console.print(said), as_json)


@app.command()
def end(exception: Id, reason: Reason, as_json: Json = False) -> None:  # noqa: FBT002
    """End an exception before its time, or take a request back."""
    from ringfence.frontends.client import connect
    from ringfence.governance.exceptions.model import exception_id
    from ringfence.governance.exceptions.statements import ended

    name = exception_id(exception)
    with connect() as client:
        document = client.state(ended(name, reason), path=f"{PATH}/{name}/ends")
    entry = document["statement"]["entry"]
    output(document, lambda console: console.print(f"{name} ended, entry {entry}"), as_json)


@app.command("list")
def list_exceptions(
    as_of: Annotated[str | None, typer.Option("--as-of", help="As it was at this time, UTC.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show every exception, also those that have ended; the newest first."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(PATH, as_of=as_of)

    def human(console: "Console") -> None:
        for one in document["exceptions"]:
            who = one["approval"]["by"] if one["approval"] else "nobody"
            console.print(f"{one['exception']} {one['control']} {one['state']}, until {one['until']}")
            console.print(f"  asked for by {one['asked_by']}, approved by {who}: {one['reason']}", markup=False)

    output(document, human, as_json)
