"""`ringfence profile`: show profiles, compare them, and put one in force once its difference was read."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Industry profiles: health, manufacturing, documents; their numbers are proposals, unless marked as law.",
)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="One profile; without it: the one in force, and the others by name.")
    ] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show a profile: what is enforced of it, and each part that no code enforces yet."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(f"/api/v1/profiles/{name}") if name else client.get("/api/v1/profiles")

    def human(console: "Console") -> None:
        if name:
            for line in _profile(document):
                console.print(line)
            return
        found = document["in_force"]
        console.print(f"In force: {found['profile']}, entry {found['entry']}" if found else "In force: none")
        for one in document["profiles"]:
            counts = f"{len(one['required'])} controls asked, {len(one['not_enforced'])} parts not enforced yet"
            console.print(f"{one['profile']:<14} {counts}; ringfence profile show {one['profile']}")

    output(document, human, as_json)


@app.command()
def compare(as_json: Json = False) -> None:  # noqa: FBT002
    """Lay the profiles side by side."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/profiles")

    def human(console: "Console") -> None:
        names = [one["profile"] for one in document["profiles"]]
        console.print(f"{'':<38}" + "".join(f"{name:<26}" for name in names))
        for what, values in _side_by_side(document["profiles"]):
            console.print(f"{what:<38}" + "".join(f"{value[:24]:<26}" for value in values))

    output(document, human, as_json)


@app.command()
def use(
    name: Annotated[str, typer.Argument(help="health, manufacturing, documents, or none.")],
    yes: Annotated[bool, typer.Option("--yes", help="Sign once the difference was printed.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show what a profile would change, and sign it; what you sign names exactly that difference."""
    from ringfence.frontends.client import connect
    from ringfence.kernel import drafts

    with connect() as client:
        shown = client.get(f"/api/v1/profiles/{name}/difference")
        for line in _difference(shown["difference"]):
            say(line)
        if not yes:
            _agreed()
        wanted = drafts.from_json(shown["draft"])
        document = client.state(wanted, path=f"/api/v1/profiles/{name}/selection")
    entry = document["statement"]["entry"]
    output(document, lambda console: console.print(f"{name} is in force: entry {entry}"), as_json)


def _agreed() -> None:
    from ringfence.kernel.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError("nothing was signed; read the difference, and say --yes")
    say("Sign it? Write yes:")
    if sys.stdin.readline().strip().lower() != "yes":
        raise UsageError("nothing was signed")


def _minutes(count: int | None) -> str:
    return "as the contract says" if count is None else f"within {count} min"


def _profile(document: "Mapping[str, Any]") -> "Iterator[str]":
    yield f"Profile {document['profile']}, {document['digest'][:19]}"
    for one in document["enforced"]:
        yield f"  {one['what']:<36} {one['value']}"
    yield f"  controls asked: {' '.join(document['required'])}"
    yield "Not enforced yet:"
    for one in document["not_enforced"]:
        yield f"  {one['part']:<46} {_told(one['value'])}"


def _side_by_side(profiles: "list[dict[str, Any]]") -> "Iterator[tuple[str, list[str]]]":
    for group, key in (("enforced", "what"), ("not_enforced", "part")):
        tables = [{one[key]: _told(one["value"]) for one in profile[group]} for profile in profiles]
        for what in dict.fromkeys(what for table in tables for what in table):
            mark = "" if group == "enforced" else " (not enforced)"
            yield f"{what}{mark}", [table.get(what, "-") for table in tables]


def _told(value: object) -> str:
    match value:
        case dict():
            return ", ".join(f"{name} {_told(part)}" for name, part in value.items())
        case list():
            return " ".join(map(_told, value))
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _difference(found: "Mapping[str, Any]") -> "Iterator[str]":
    """Say in lines what would change; the document itself is what is signed."""
    yield f"From the profile {found['from']} to {found['to']}:"
    asked = [f"{one['control']} ({one['state'].replace('-', ' ')})" for one in found["asked"]]
    yield f"  asked from now on: {', '.join(asked) or 'nothing more'}"
    if found["no_longer_asked"]:
        yield f"  no longer asked by a profile: {', '.join(found['no_longer_asked'])}"
    for one in found["states"]:
        yield f"  {one['control']} turns from {one['before'].replace('-', ' ')} to {one['state'].replace('-', ' ')}"
    for name in found["conflicts"]:
        yield f"  conflict: a file sets {name} aside, and this profile asks for it; it counts"
    for one in found["periods"]:
        yield f"  {one['rule']}: evidence at most {one['after']} d old, until now {one['before']} d"
    for one in found["retention"]:
        law = f", {one['ref']}" if one["basis"] == "law" else ""
        yield f"  {one['class']} kept for {one['after']} d, until now {one['before']} d{law}"
    for one in found["notice"]:
        until, now = _minutes(one["before"]), _minutes(one["after"])
        yield f"  customers told of {one['kind'].replace('_', ' ')}: {now}, until now {until}"
    yield f"  not enforced yet: {', '.join(one['part'] for one in found['not_enforced']) or 'nothing'}"
