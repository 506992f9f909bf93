"""`ringfence rules`: check a team's overrides, compare versions of the rules, sign what sets a control aside."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, say, today
from ringfence.obligations.comparing.cli import changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

    from ringfence.obligations.difference import Difference
    from ringfence.obligations.model import Catalog

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Your overrides of the rules, in the home: stricter rules count as read; a control is set aside by signature.",
)
app.command()(changes)


@app.command()
def check(as_json: Json = False) -> None:  # noqa: FBT002
    """Read the files in the home's folder `overrides`, and refuse them with file, line and column.

    `ringfence up` reads them when it starts: start it again after a change.
    """
    found, shipped = _here(), _shipped()
    changed = _difference(shipped, found).changed
    document: dict[str, Any] = {
        "rules": str(found.digest),
        "files": [file.name for file in found.overrides.files],
        "rows": found.overrides.rows,
        "set_aside": sorted(found.overrides.set_aside),
        "changed": [change.to_json() for change in changed],
    }

    def human(console: "Console") -> None:
        counted = f"Rows: {document['rows']}, files: {len(document['files'])}"
        console.print(f"{counted}; no rule is loosened; rules {document['rules'][:19]}")
        for line in _lines(document["changed"]):
            console.print(line)
        for name in document["set_aside"]:
            console.print(f"{name} is set aside once that is signed: ringfence rules sign {name}")

    output(document, human, as_json)


@app.command()
def diff(
    old: Annotated[
        Path | None, typer.Argument(help="An earlier edition, as `ringfence rules show --edition` wrote it.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Say what differs: the shipped rules from yours, or an earlier edition from the shipped ones; the looser first."""
    from ringfence.obligations.weakening import ordered, weakened

    before, after = (_edition(old), _shipped()) if old else (_shipped(), _here())
    found = _difference(before, after)
    document: dict[str, Any] = {
        "old": str(found.old),
        "new": str(found.new),
        "removed": [f"{entry.kind} {entry.id}" for entry in found.removed],
        "added": [f"{entry.kind} {entry.id}" for entry in found.added],
        "changed": [change.to_json() | {"weakened": weakened(change)} for change in ordered(found)],
    }

    def human(console: "Console") -> None:
        console.print(f"From rules {document['old'][:19]} to {document['new'][:19]}")
        for word in ("removed", "added"):
            for name in document[word]:
                console.print(f"{word}  {name}")
        for line in _lines(document["changed"]):
            console.print(line)
        if not found:
            console.print("nothing differs")

    output(document, human, as_json)


@app.command()
def show(
    edition: Annotated[bool, typer.Option("--edition", help="Print the shipped rules, for a later `diff`.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show which overrides count, and which controls they set aside."""
    import sys

    from ringfence.frontends.client import connect
    from ringfence.obligations.edition import shipped

    if edition:
        sys.stdout.write(shipped().decode())
        return
    with connect() as client:
        document = client.get("/api/v1/overrides")
    output(document, lambda console: _show(console, document), as_json)


@app.command()
def sign(
    control: Annotated[str, typer.Argument(help="The control that a file of yours says does not apply.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign that a control does not apply until the day in your file: it is counted apart from then on.

    Where a duty binds you whose period the law sets, that is refused. The headline counts it in both ways.
    """
    from ringfence.frontends.client import connect
    from ringfence.kernel.errors import NotFound
    from ringfence.obligations.overriding.statement import draft

    row = _here().overrides.set_aside.get(control)
    if row is None:
        raise NotFound(f"no file of overrides says that {control[:16]!r} does not apply; see `ringfence rules check`")
    say(f"You sign: {control} does not apply until {row.expires}, says the {row.owner}: {row.reason}")
    with connect() as client:
        document = client.state(draft(row), path=f"/api/v1/overrides/{control}/signature")
    entry = document["statement"]["entry"]
    output(
        document, lambda console: console.print(f"{control} is set aside until {row.expires}: entry {entry}"), as_json
    )


def _here() -> "Catalog":
    from ringfence.obligations.blobs import checked
    from ringfence.settings import Settings

    return checked(Settings.from_environment().home, today())


def _shipped() -> "Catalog":
    from ringfence.obligations import catalog

    return catalog.load()


def _edition(path: Path) -> "Catalog":
    from ringfence.obligations import edition
    from ringfence.storage.files import read_bounded

    return edition.parse(read_bounded(path, limit=edition.MAX_EDITION), source=str(path))


def _difference(before: "Catalog", after: "Catalog") -> "Difference":
    from ringfence.obligations.difference import difference

    return difference(before, after)


def _lines(changed: "list[Mapping[str, Any]]") -> "Iterator[str]":
    for change in changed:
        mark = "looser  " if change.get("weakened") else ""
        field = change["field"].replace("_", " ")
        yield f"{mark}{change['id']}  {field}: {_told(change['ours'])} -> {_told(change['here'])}"


def _told(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} of them"
    return "none" if value is None else str(value)[:80]


def _show(console: "Console", document: dict[str, Any]) -> None:
    if document["refused"]:
        console.print(f"■ overrides refused, and none of them counts: {document['refused']}")
    console.print(f"Rules {document['rules'][:19]}" + ("" if document["files"] else ": as shipped, no overrides"))
    for row in document["rows"]:
        console.print(f"{row['file']}  {row['about']}  because: {row['because']}")
    for line in _lines(document["changed"]):
        console.print(line)
    for one in document["set_aside"]:
        state = f"set aside until {one['expires']}" if one["counts"] else f"counts as before: {one['why_not']}"
        console.print(f"{one['control']}  {state}  ({one['owner']}: {one['reason']})")
