"""`ringfence resolution` and `ringfence approve`: put something to the management body, vote, see what came of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output
from ringfence.governance.resolutions.model import MAX_DAYS, MEASURES, USUAL_DAYS, Shown
from ringfence.kernel.voting import Choice

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.frontends.client import Client

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Put a resolution to the management body; each member signs a vote by passkey.",
)
BASE = "/api/v1/resolutions"
APPROVES = "GOV-05"  # the control that a resolution on the measures meets

Id = Annotated[str, typer.Argument(help="Resolution id; see `ringfence resolution list`.")]
Text = Annotated[Path | None, typer.Option("--text", help="File with the text; without one, a short text of ours.")]
Quorum = Annotated[int, typer.Option(min=0, help="How many members must take part; 0: more than half.")]
Agreements = Annotated[int, typer.Option(min=0, help="How many must agree; 0: more than half of those named.")]
Days = Annotated[int, typer.Option(min=1, max=MAX_DAYS, help="After how many days it ends at the latest.")]
Members = Annotated[
    list[str] | None, typer.Option("--member", help="A member who is asked; may be repeated; none: all of them.")
]
What = Annotated[list[Shown] | None, typer.Option("--shown", help="What the members have before them; repeat it.")]
Files = Annotated[
    list[Path] | None, typer.Option("--attach", help="A document they have before them; it stays with you.")
]
Records = Annotated[
    list[int] | None, typer.Option("--record", min=0, help="An entry of the log they have before them, such as a pack.")
]
Overdue = Annotated[int, typer.Option(min=0, help="How many tasks from earlier resolutions are past their date.")]


@app.command("open")
def open_(
    title: Annotated[str, typer.Option(help="One line; without one, a title of ours.")] = "",
    text: Text = None,
    about: Annotated[str, typer.Option(help="`measures`, or a control such as BCM-05.")] = MEASURES,
    quorum: Quorum = 0,
    agreements: Agreements = 0,
    days: Days = USUAL_DAYS,
    member: Members = None,
    shown: What = None,
    attach: Files = None,
    record: Records = None,
    tasks_overdue: Overdue = 0,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Put something to the members; you sign it, and from then on nothing about it changes."""
    wanted = {
        "about": about,
        "title": title,
        "text": _read(text),
        "quorum": quorum,
        "agreements": agreements,
        "days": days,
        "members": member or [],
        "shown": [each.value for each in shown or []],
        "files": [_attached(path) for path in attach or []],
        "records": record or [],
        "tasks_overdue": tasks_overdue,
    }
    _put(wanted, as_json)


def approve(
    control: Annotated[str, typer.Argument(help="Control that the management body is asked to approve.")],
    text: Text = None,
    quorum: Quorum = 0,
    agreements: Agreements = 0,
    days: Days = USUAL_DAYS,
    shown: What = None,
    attach: Files = None,
    record: Records = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Open a resolution that asks the management body to approve a control; its members vote by passkey.

    GOV-05 asks for the approval of all measures in force. A resolution on another control is recorded beside it and
    leaves its computed status alone.
    """
    wanted = {
        "about": MEASURES if control == APPROVES else control,
        "title": "",
        "text": _read(text),
        "quorum": quorum,
        "agreements": agreements,
        "days": days,
        "shown": [each.value for each in shown or []],
        "files": [_attached(path) for path in attach or []],
        "records": record or [],
    }
    _put(wanted, as_json)


def _put(wanted: dict[str, Any], as_json: bool) -> None:  # noqa: FBT001
    from ringfence.frontends.client import connect
    from ringfence.kernel import drafts

    with connect() as client:
        draft = drafts.from_json(client.post(f"{BASE}/draft", wanted))
        document = client.state(draft, path=BASE)
        document = client.get(f"{BASE}/{document['resolution']}")
    output(document, lambda console: _show(console, document), as_json)


def _read(path: Path | None) -> str:
    from ringfence.kernel.errors import MalformedInput
    from ringfence.storage.files import read_bounded

    if path is None:
        return ""
    try:
        return read_bounded(path, limit=64 * 2**10).decode().strip()
    except UnicodeDecodeError as error:
        raise MalformedInput("the text of a resolution is UTF-8", source=str(path)) from error


def _attached(path: Path) -> dict[str, str]:
    import secrets

    from ringfence.kernel.commitment import SALT_SIZE
    from ringfence.kernel.digest import Digest
    from ringfence.storage.files import read_bounded

    salt = secrets.token_bytes(SALT_SIZE)
    return {"name": path.name, "salt": salt.hex(), "digest": str(Digest.of(salt + read_bounded(path.expanduser())))}


@app.command("list")
def list_(as_json: Json = False) -> None:  # noqa: FBT002
    """Show every resolution, the newest first."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(BASE)

    def human(console: "Console") -> None:
        for one in document["resolutions"]:
            console.print(f"{one['resolution']}  {_state(one):<12} {_counts(one)}  {one['title']}", markup=False)
        if not document["resolutions"]:
            console.print("No resolution was put to the body yet: `ringfence approve GOV-05` opens one.")

    output(document, human, as_json)


@app.command()
def show(resolution: Id, as_json: Json = False) -> None:  # noqa: FBT002
    """Show a resolution: text, rule, what was shown, every vote that stands."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(f"{BASE}/{resolution}")
    output(document, lambda console: _show(console, document), as_json)


@app.command()
def vote(
    resolution: Id,
    choice: Annotated[Choice, typer.Argument(help="Who disagrees says why with --sentence.")],
    sentence: Annotated[str, typer.Option(help="Recorded beside the vote, in an erasable side record.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Prepare your vote, and print the page on which your passkey signs it; a second one corrects the first."""
    from ringfence.frontends.client import connect
    from ringfence.governance.resolutions.model import resolution_id
    from ringfence.governance.resolutions.statements import voted
    from ringfence.kernel.digest import Digest

    with connect() as client:
        found = client.get(f"{BASE}/{resolution_id(resolution)}")
        mine = _vote_of(found, client)
        draft = voted(
            resolution_id(resolution),
            Digest.parse(found["opening"]),
            choice,
            corrects=Digest.parse(mine["envelope"]) if mine else None,
            sentence=sentence,
        )
        client.signed_in_browser(draft, f"{BASE}/{resolution}/votes")
        document = client.get(f"{BASE}/{resolution}")
    output(document, lambda console: _show(console, document), as_json)


def _vote_of(found: dict[str, Any], client: "Client") -> dict[str, Any] | None:
    return next((each for each in found["votes"] if each["member"] == client.person), None)


@app.command()
def close(resolution: Id, as_json: Json = False) -> None:  # noqa: FBT002
    """End what is decided whatever the missing votes say; the rest ends by itself, at its date at the latest."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(f"{BASE}/{resolution}/close")
    output(document, lambda console: _show(console, document), as_json)


def _state(one: dict[str, Any]) -> str:
    return str(one["outcome"] or "open")


def _counts(one: dict[str, Any]) -> str:
    return (
        f"{one['voted']} of {len(one['members'])} voted ({one['quorum']} must), "
        f"{one['in_favour']} agree ({one['agreements_needed']} must)"
    )


def _show(console: "Console", one: dict[str, Any]) -> None:
    console.print(f"{one['resolution']}: {one['title']}", markup=False)
    console.print(one["text"], markup=False)
    console.print(
        f"{_state(one)}; {_counts(one)}; ends {one['ends_at']}; shown: {', '.join(one['shown']) or 'the text'}"
    )
    console.print(f"opening {one['opening']}; measures {one['measure_set']}; head of {one['head']['size']} entries")
    for each in one["votes"]:
        why = f": {each['sentence']}" if each["sentence"] else ""
        console.print(f"  {each['member']} {each['choice']}{why}", markup=False)
    console.print(one["note"])
