"""`ringfence scope`: classify a file, ask for what would stand in one, sign, compare with the scope in force."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, say, today

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

WRITTEN = Path("organisation.yaml")


def scope(
    file: Annotated[
        Path | None,
        typer.Argument(help="The organisation, in YAML or JSON, or - for standard input; without it you are asked."),
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Print a commented organisation to start from.")] = False,  # noqa: FBT002
    on: Annotated[str | None, typer.Option("--on", help="Another day, such as 2027-12-02.")] = None,
    sign: Annotated[bool, typer.Option("--sign", help="Sign the answer into the log; needs a home.")] = False,  # noqa: FBT002
    signed: Annotated[bool, typer.Option("--signed", help="Show the scope in force instead; needs a home.")] = False,  # noqa: FBT002
    diff: Annotated[bool, typer.Option("--diff", help="Say what signing FILE would change; needs a home.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Say which duties bind an organisation, by which provision, since when, and what is not determined.

    Without a file, on a terminal, at most ten questions about the organisation and five about each AI system are
    asked, and the file is written. --signed shows what was signed, what that changed, and what changed since.
    """
    import sys

    from ringfence.kernel.errors import UsageError

    if sample:
        from ringfence.obligations.scope.rules import sample as sample_text

        sys.stdout.write(sample_text())
    elif signed:
        if file or sign or diff:
            raise UsageError("--signed shows the scope in force; it takes no file, and signs nothing")
        _show_signed(on, as_json=as_json)
    elif file is None:
        if as_json or sign or diff or not sys.stdin.isatty():
            raise UsageError("name a file, or start from `ringfence scope --sample > organisation.yaml`")
        _ask(_day(on))
    else:
        _classify(file, _day(on), sign=sign, diff=diff, as_json=as_json)


def _classify(file: Path, on: "date", *, sign: bool, diff: bool, as_json: bool) -> None:
    from ringfence.kernel.errors import UsageError
    from ringfence.obligations.scope import sheet
    from ringfence.obligations.scope.classify import classify
    from ringfence.obligations.scope.organisation import parse

    data = _read(file)
    if sign and on != today():
        raise UsageError("--sign signs what holds today; leave --on out")
    document = classify(parse(data, source="standard input" if str(file) == "-" else str(file)), on)
    if sign:
        _sign(document, data)
    if diff:
        _show_difference(document, as_json=as_json)
        return
    output(document, lambda console: sheet.show(document, console), as_json)


def _read(file: Path) -> bytes:
    """Read the file, or standard input for `-`; the parser refuses with a position what is a little too long."""
    import sys

    from ringfence.kernel.errors import UsageError
    from ringfence.obligations.scope.document import MAX_TEXT
    from ringfence.storage.files import read_bounded

    if str(file) == "-":
        return sys.stdin.buffer.read(16 * MAX_TEXT)
    if file.is_dir():
        raise UsageError(f"{file} is a folder; name a file, or start from `ringfence scope --sample`")
    return read_bounded(file, limit=16 * MAX_TEXT)


def _ask(on: "date") -> None:
    from rich.console import Console

    from ringfence.obligations.scope import sheet
    from ringfence.obligations.scope.wizard.interview import Interview
    from ringfence.storage.files import write_whole

    found = Interview(input, say, on).hold()
    sheet.show(found.document, Console())
    text = input(f"Write the file where? [{WRITTEN}] ").strip()
    path = Path(text).expanduser() if text else WRITTEN
    write_whole(path, found.text.encode(), mode=0o600, replace=False)
    say(f"written: {path}; `ringfence scope {path} --sign` signs it")


def _show_signed(on: str | None, *, as_json: bool) -> None:
    from ringfence.frontends.client import connect
    from ringfence.obligations.scope import sheet

    with connect() as client:
        found = client.get("/api/v1/scope", as_of=None if on is None else f"{_day(on)}T23:59:59Z")

    def human(console: "Console") -> None:
        for line in sheet.in_force(found):
            console.print(line)
        if found["document"]:
            sheet.show(found["document"], console)

    output(found, human, as_json)


def _show_difference(document: dict[str, Any], *, as_json: bool) -> None:
    from ringfence.frontends.client import connect
    from ringfence.obligations.scope import sheet
    from ringfence.obligations.scope.difference import between

    with connect() as client:
        found = client.get("/api/v1/scope")
    changes = [change.to_json() for change in between(found["document"], document)]
    answer = {"against": found["signed"] and found["signed"]["entry"], "changes": changes}

    def human(console: "Console") -> None:
        for line in sheet.differences(changes, answer["against"]):
            console.print(line)

    output(answer, human, as_json)


def _day(text: str | None) -> "date":
    from datetime import date

    from ringfence.kernel.errors import MalformedInput

    try:
        return date.fromisoformat(text) if text else today()
    except ValueError as error:
        raise MalformedInput(f"--on takes a day such as 2027-12-02, not {str(text)[:40]!r}") from error


def _sign(document: dict[str, Any], data: bytes) -> None:
    """State the classification of the entity and of each system under the operator's key, as it was shown."""
    from ringfence.frontends.client import connect
    from ringfence.kernel import drafts
    from ringfence.obligations.scope.statement import check_shown

    text = data.decode("utf-8-sig")
    with connect() as client:
        # Names of systems become ids by a secret of the home, so the server drafts; what is signed is looked at here.
        asked = client.post("/api/v1/scope/drafts", {"profile": text})
        made = [drafts.from_json(one) for one in asked["drafts"]]
        check_shown(made, document, text, client.tenant)
        for draft in made:
            client.state(draft)
            say(f"signed {draft.predicate} about {draft.subjects[0].name}")
