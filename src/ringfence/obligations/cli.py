"""`ringfence status` and `ringfence scope`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, say

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console


def scope(
    file: Annotated[Path | None, typer.Argument(help="The organisation, in YAML or JSON.")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Print a commented organisation to start from.")] = False,  # noqa: FBT002
    on: Annotated[str | None, typer.Option("--on", help="Another day, such as 2027-12-02.")] = None,
    sign: Annotated[bool, typer.Option("--sign", help="Sign the answer into the log; needs a home.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Say which duties bind an organisation, by which provision, since when, and what is not determined."""
    import sys

    from ringfence.kernel.errors import UsageError
    from ringfence.obligations.scope import sheet
    from ringfence.obligations.scope.classify import classify
    from ringfence.obligations.scope.document import MAX_TEXT
    from ringfence.obligations.scope.organisation import parse
    from ringfence.obligations.scope.rules import sample as sample_text
    from ringfence.storage.files import read_bounded

    if sample:
        sys.stdout.write(sample_text())
        return
    if file is None:
        raise UsageError("name a file, or start from `ringfence scope --sample > organisation.yaml`")
    data = read_bounded(file, limit=16 * MAX_TEXT)  # the parser refuses with a position what is a little too long
    document = classify(parse(data, source=str(file)), _day(on))
    if sign:
        _sign(document, data)
    output(document, lambda console: sheet.show(document, console), as_json)


def _day(text: str | None) -> "date":
    import time
    from datetime import date

    from ringfence.kernel.clock import from_millis
    from ringfence.kernel.errors import MalformedInput

    try:
        return date.fromisoformat(text) if text else from_millis(time.time_ns() // 1_000_000).date()
    except ValueError as error:
        raise MalformedInput(f"--on takes a day such as 2027-12-02, not {str(text)[:40]!r}") from error


def _sign(document: dict[str, Any], data: bytes) -> None:
    """State the classification of the entity and of each system under the operator's key."""
    import secrets

    from ringfence.frontends.client import connect
    from ringfence.kernel.commitment import SALT_SIZE
    from ringfence.obligations.scope.statement import Signing, drafts

    with connect() as client:
        signing = Signing(client.tenant, _descriptor_secret(client.home), secrets.token_bytes(SALT_SIZE))
        for draft in drafts(document, data.decode("utf-8-sig"), signing):
            client.state(draft)
            say(f"signed {draft.predicate} about {draft.subjects[0].name}")


def _descriptor_secret(home: Path) -> bytes:
    """Return the home's secret that makes names of systems opaque; make it once."""
    import secrets

    from ringfence.kernel.commitment import SALT_SIZE
    from ringfence.kernel.errors import MalformedInput
    from ringfence.storage.files import read_private, write_whole

    path = home / "descriptor.secret"
    if not path.exists():
        write_whole(path, secrets.token_bytes(SALT_SIZE), mode=0o600)
    secret = read_private(path)
    if len(secret) != SALT_SIZE:
        raise MalformedInput(f"{path} has {len(secret)} bytes, not {SALT_SIZE}; restore it from a backup")
    return secret


def status(
    as_of: Annotated[str | None, typer.Option("--as-of", help="Another time, such as 2026-11-22T09:00:00Z.")] = None,
    control: Annotated[str | None, typer.Option(help="One control, with its whole reason chain.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show the computed status of every control."""
    from ringfence.frontends.client import connect
    from ringfence.obligations import lines

    with connect() as client:
        document = client.get("/api/v1/status", as_of=as_of, control=control)

    def human(console: "Console") -> None:
        for line in lines.chain(document) if control else lines.summary(document):
            console.print(line)

    output(document, human, as_json)
