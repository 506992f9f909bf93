"""`ringfence opinion`: what auditors think of the computed status of a control; it changes nothing."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.frontends.terminal import Json, output
from ringfence.governance.opinions.model import Method, Verdict

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Give, withdraw and list auditors' opinions; they stand beside the computed status and change nothing.",
)

PATH = "/api/v1/opinions"


@app.command()
def add(
    control: Annotated[str, typer.Argument(help="The control, for instance MOD-01.")],
    verdict: Annotated[Verdict, typer.Argument(help="How you see its computed status.")],
    sentence: Annotated[str, typer.Option(help="Why, in a sentence; kept apart, and erasable.")],
    until: Annotated[str, typer.Option(help="Its last day: within 366 days.")],
    method: Annotated[Method, typer.Option(help="How you looked.")] = Method.EXAMINE,
    basis: Annotated[
        list[int] | None, typer.Option(help="Entry that you examined (repeatable); by default those behind the status.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Give your opinion as an auditor; signed with your passkey, on the page that is named."""
    import secrets

    from ringfence.frontends.client import connect
    from ringfence.governance import reading
    from ringfence.governance.opinions.model import Given, OpinionId
    from ringfence.governance.opinions.statements import given
    from ringfence.kernel.digest import Digest

    name, last = OpinionId(f"opinion-{secrets.token_hex(6)}"), reading.day(until, "--until")
    with connect() as client:
        about = client.get(f"{PATH}/about", control=control)
        seen = tuple(sorted(about["entries"] if basis is None else set(basis)))
        rules = Digest.parse(about["rules"])
        one = Given(name, control, verdict, method, seen, rules, about["status"], last, sentence)
        document = client.state(given(one), path=PATH, with_passkey=True)
    document["opinion"] = name
    entry = document["statement"]["entry"]
    said = f"{name} on {control}, which stays {about['status']}: entry {entry}"
    output(document, lambda console: console.print(said), as_json)


@app.command()
def withdraw(
    opinion: Annotated[str, typer.Argument(help="Opinion id; see `ringfence opinion list`.")],
    reason: Annotated[str, typer.Option(help="Why; kept apart, and erasable.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Take your own opinion back; both stay on record."""
    from ringfence.frontends.client import connect
    from ringfence.governance.opinions.model import opinion_id
    from ringfence.governance.opinions.statements import withdrawn

    name = opinion_id(opinion)
    with connect() as client:
        path = f"{PATH}/{name}/withdrawals"
        document = client.state(withdrawn(name, reason), path=path, with_passkey=True)
    entry = document["statement"]["entry"]
    output(document, lambda console: console.print(f"{name} withdrawn, entry {entry}"), as_json)


@app.command("list")
def list_opinions(
    control: Annotated[str | None, typer.Argument(help="One control; every one by default.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="As it was at this time, UTC.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show the opinions on a control, or on every one; the newest first."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(PATH, control=control, as_of=as_of)

    def human(console: "Console") -> None:
        for one in document["opinions"]:
            console.print(f"{one['opinion']} {one['control']} {one['verdict']} {one['state']}, until {one['until']}")
            status = one["status_then"]
            console.print(f"  by {one['by']} on {status}, entry {one['entry']}: {one['sentence']}", markup=False)

    output(document, human, as_json)
