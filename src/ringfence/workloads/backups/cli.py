"""`ringfence backup` and `ringfence drill`: copies of sealed datasets and models, and proof that they come back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.frontends.client import Client
    from ringfence.workloads.backups.restoring import Restored, Stated

API = "/api/v1/backups"
backup = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Copy sealed datasets and imported models elsewhere, by digest; list the copies.",
)
drill = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Restore a copy for practice, against the clock, and state what came back.",
)
Target = Annotated[str, typer.Argument(metavar="TARGET", help="A folder, or an address that fsspec reaches.")]
Keys = Annotated[str, typer.Option("--keys", metavar="TARGET", help="Where the wrapped keys go: elsewhere.")]
Length = Annotated[str, typer.Option(help="As declared: 90s, 30m, 4h or 2d.")]


@backup.command()
def make(target: Target, keys: Keys, as_json: Json = False) -> None:  # noqa: FBT002
    """Copy every sealed epoch and every imported model; what lies there already is not written again."""
    from ringfence.frontends.client import connect
    from ringfence.installation import SystemClock
    from ringfence.kernel.clock import to_text
    from ringfence.settings import Settings
    from ringfence.workloads.backups import statements
    from ringfence.workloads.backups.making import Making, check_apart, off_host, wanted_of
    from ringfence.workloads.backups.target import target_of

    settings = Settings.from_environment()
    first, second = target_of(target), target_of(keys)
    check_apart(first, second, settings.home)
    with connect(settings) as client:
        epochs, models = _held(client)
        making = Making(first, second, lambda: to_text(SystemClock().now()))
        done = making(wanted_of(settings.home, epochs, models))
        places = {"target": target, "keys": keys}
        away = off_host(first, settings.home)
        draft = statements.made(client.tenant, done, first.kind, places, off_host=away)
        document = dict(draft.claims) | {"absent": list(done.missing)} | client.state(draft, path=API)
    output(document, lambda console: _made(console, document), as_json)


@backup.command("list")
def list_(as_json: Json = False) -> None:  # noqa: FBT002
    """List what was copied, and which drills restored it."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(API)
    output(document, lambda console: _listed(console, document), as_json)


@drill.callback()
def of_drills() -> None:
    """Restore a copy for practice, against the clock, and state what came back."""


@drill.command()
def restore(
    target: Target,
    keys: Keys,
    into: Annotated[Path, typer.Option(help="An empty folder; what came back stays there, for you to remove.")],
    rto: Length = "4h",
    rpo: Length = "1d",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Restore the newest stated copy into an empty place, verify every byte, compare with RTO and RPO, state it."""
    import time

    from ringfence.artifacts.models.keys import parse_public
    from ringfence.artifacts.models.local import API as MODELS
    from ringfence.frontends.client import connect
    from ringfence.settings import Settings
    from ringfence.workloads.backups import statements
    from ringfence.workloads.backups.restoring import Restoring
    from ringfence.workloads.backups.target import target_of

    limits, settings = (seconds(rto), seconds(rpo)), Settings.from_environment()
    with connect(settings) as client:
        trusted = [parse_public(str(pem).encode("ascii", "replace")) for pem in client.get(MODELS)["trusted"]]
        stated, made = _newest(client)
        running = Restoring(
            target_of(target), target_of(keys), into.absolute(), trusted, time.monotonic_ns, time.time_ns
        )
        done = running(stated)
        lost = _lost(client, settings.home, made, done)
        draft = statements.restored(client.tenant, stated, done, lost, *limits)
        document = dict(draft.claims) | {"failures": list(done.failures)}
        document |= client.state(draft, path=f"{API}/restored")
    output(document, lambda console: _restored(console, document), as_json)
    if not (document["withinRto"] and document["withinRpo"]):
        raise typer.Exit(1)


def seconds(text: str) -> int:
    """Parse a length of time, or raise `UsageError`."""
    from ringfence.kernel.errors import UsageError

    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not (number.isascii() and number.isdigit()) or len(number) > 6:
        raise UsageError(f"{text[:20]!r} is no length of time: 90s, 30m, 4h or 2d")
    return int(number) * units[unit]


def _held(client: "Client") -> tuple[list[dict[str, Any]], dict[str, str]]:
    from ringfence.artifacts.models.local import API as MODELS

    epochs = client.get("/api/v1/datasets/epochs")["epochs"]
    models = {str(one["name"]): str(one["digest"]) for one in client.get(MODELS)["models"] if one["name"]}
    return list(epochs), models


def _newest(client: "Client") -> "tuple[Stated, dict[str, Any]]":
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.errors import NotFound
    from ringfence.workloads.backups.restoring import Stated
    from ringfence.workloads.backups.statements import MADE

    found = next((one for one in client.get(API)["backups"] if one["predicate"] == MADE), None)
    if found is None:
        raise NotFound("no backup of datasets and models is stated yet: ringfence backup make TARGET --keys TARGET")
    return Stated(Digest.parse(found["index"]), Digest.parse(found["keysIndex"])), dict(found)


def _lost(client: "Client", home: Path, made: dict[str, Any], done: "Restored") -> int:
    """Return how much would be lost now: the age of the copy, where it lacks something that is recorded, else 0.

    Where it lacked something when it was made, no copy of that is known, and its age is no measure: the most there is.
    """
    from ringfence.installation import SystemClock
    from ringfence.kernel.clock import from_text
    from ringfence.workloads.backups.making import wanted_of
    from ringfence.workloads.backups.statements import LONGEST

    wanted = {(f"{one.kind}s/{one.name}", one.digest) for one in wanted_of(home, *_held(client))}
    if done.held and wanted <= done.held:
        return 0
    if made["missing"]:
        return LONGEST
    return max(0, round((SystemClock().now() - from_text(made["at"])).total_seconds()))


def _made(console: "Console", document: dict[str, Any]) -> None:
    things = f"{document['datasets']} epochs of datasets and {document['models']} models"
    console.print(f"Copied {things}: {document['files']} files, {document['bytes']} bytes.")
    console.print(f"written    {document['bytesWritten']} bytes; what lay there already was not written again")
    for one in document["absent"]:
        console.print(f"missing    {one}: it is recorded, and does not lie here")
    console.print(f"index      {document['index']}")
    console.print(f"statement  {document['statement']['stage']}, entry {document['statement']['entry']}")


def _restored(console: "Console", document: dict[str, Any]) -> None:
    what = f"{document['datasets']} epochs of datasets, {document['models']} models, {document['keys']} wrapped keys"
    console.print(f"{'Restored' if document['restored'] else 'NOT restored'}: {what}, {document['bytes']} bytes.")
    for one in document["failures"][:10]:
        console.print(f"  {one}")
    took = _beside(document["seconds"], document["rtoSeconds"], within=document["withinRto"])
    console.print(f"took       {document['seconds']} s, {took} s that are declared")
    lost = _beside(document["lostSeconds"], document["rpoSeconds"], within=document["withinRpo"])
    console.print(f"lost       {document['lostSeconds']} s, {lost} s that are declared")
    console.print(f"statement  {document['statement']['stage']}, entry {document['statement']['entry']}")


def _beside(seconds: int, declared: int, *, within: bool) -> str:
    """Say how a time stands to the one that was declared; what was not restored is within nothing."""
    if within:
        return f"within the {declared}"
    return f"BEYOND the {declared}" if seconds > declared else f"NOT shown to be within the {declared}"


def _listed(console: "Console", document: dict[str, Any]) -> None:
    if not document["backups"]:
        console.print("No backup of datasets and models is stated yet: ringfence backup make TARGET --keys TARGET")
    for one in document["backups"]:
        if one["predicate"] == "backup.artifacts_made":
            said = f"copied {one['datasets']} epochs, {one['models']} models, {one['bytes']} bytes"
        else:
            said = (
                f"{'restored' if one['restored'] else 'NOT restored'} in {one['seconds']} s, {one['damaged']} damaged"
            )
        console.print(f"{one['at']}  entry {one['entry']}  {one['index'][:19]}  {said}")
