"""`ringfence user review`: begin, show, decide and close reviews of access."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output
from ringfence.identity.reviews.model import MAX_DAYS, Decision

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Review who has access: somebody else decides about each, and signs it.",
)

Id = Annotated[str, typer.Argument(help="Review id; see `ringfence user review list`.")]


@app.command()
def start(
    days: Annotated[int, typer.Option(min=1, max=MAX_DAYS, help="After how many days it is due.")] = 14,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Begin a review of every person and service with access now."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post("/api/v1/reviews", {"days": days})
    output(document, lambda console: _show(console, document), as_json)


@app.command("list")
def list_reviews(as_json: Json = False) -> None:  # noqa: FBT002
    """Show the reviews of the tenant, with every entry and decision."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/reviews")

    def human(console: "Console") -> None:
        for review in document["reviews"]:
            _show(console, review)

    output(document, human, as_json)


def _show(console: "Console", review: dict[str, Any]) -> None:
    state = f"closed {review['closed_at']}" if review["closed_at"] else f"due {review['due_at']}"
    console.print(f"{review['review']} {state}")
    for entry in review["entries"]:
        by = f"by {entry['by']}" if entry["by"] else ""
        console.print(f"  {entry['subject']:<22} {entry['role']:<10} {entry['decision'] or 'undecided':<10} {by}")


@app.command()
def decide(
    review: Id,
    subject: Annotated[str, typer.Argument(help="The person or service, as the review names it.")],
    decision: Annotated[Decision, typer.Argument(help="Whether the access stays; `removed` ends it at once.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign what you found of somebody's access; never your own."""
    from ringfence.frontends.client import connect
    from ringfence.identity.reviews.statements import decided

    with connect() as client:
        document = client.state(decided(review, subject, decision), path=f"/api/v1/reviews/{review}/decisions")
    entry = document["statement"]["entry"]
    output(document, lambda console: console.print(f"{subject}: {decision.value}, entry {entry}"), as_json)


@app.command()
def close(review: Id, as_json: Json = False) -> None:  # noqa: FBT002
    """End a review and state how it ended; what was not decided is counted."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(f"/api/v1/reviews/{review}/close")
    entry = document["statement"]["entry"]
    output(document, lambda console: console.print(f"{review} is closed and stated as entry {entry}"), as_json)
