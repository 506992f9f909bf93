"""`ringfence oversight`: what the management body was told, and who of it was trained."""

from typing import TYPE_CHECKING

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="What the management body was told, when, over which head; and who was trained.",
)


@app.callback()
def root() -> None:
    """Take the options that stand before a verb."""


@app.command("list")
def list_shown(as_json: Json = False) -> None:  # noqa: FBT002
    """Show the oversight log, and the training of members and staff; it is read from what people signed."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/oversight")

    def human(console: "Console") -> None:
        for one in document["shown"]:
            head = f"; head of {one['head']}" if one["head"] else ""
            console.print(f"{one['at'][:16]}  entry {one['entry']}: {one['what']}, to {one['whom']}{head}")
        if not document["shown"]:
            console.print("Nothing was shown yet: `ringfence record status.report` states that management received it.")
        for course in document["courses"]:
            console.print(
                f"course {course['course']}: {course['completed']} of {course['required']}, held {course['held_on']}, "
                f"due again {course['due'] or 'never'}, entry {course['entry']}"
            )
        for member in document["members"]:
            console.print(
                f"{member['name']}: {'recorded' if member['recorded'] else 'not recorded'}, due {member['due']}"
            )

    output(document, human, as_json)
