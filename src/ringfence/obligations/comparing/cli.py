"""`ringfence rules changes`: hold the rules that count against others, and see which states would differ."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console


def changes(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="An edition (`ringfence rules show --edition`) or a pack; without it: the rules as shipped."
        ),
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Another time, such as 2026-11-22T09:00:00Z.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Compare the rules that count here with others, and say which states would be other ones by those."""
    import base64

    from ringfence.frontends.client import connect
    from ringfence.obligations.comparing.lines import lines
    from ringfence.obligations.comparing.service import MAX_FILE
    from ringfence.storage.files import read_bounded

    path = "/api/v1/frameworks/changes"
    with connect() as client:
        if file is None:
            document = client.get(path, as_of=as_of)
        else:
            sent = {"file": base64.b64encode(read_bounded(file, limit=MAX_FILE)).decode()}
            document = client.post(path + (f"?as_of={as_of}" if as_of else ""), sent)

    def human(console: "Console") -> None:
        for line in lines(document):
            console.print(line)

    output(document, human, as_json)
