"""`ringfence events`: what a file of log lines says. `ringfence findings` stands beside it."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, cast

import typer

from ringfence.frontends.terminal import Json, output, say

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.soc.ingest import Ingest, Summary

CHUNK = 2**20
TOLD_EVERY = 64 * CHUNK

events_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Read log lines and say what was found in them.",
)


@events_app.callback()
def _events() -> None:
    """Keep `ingest` a verb of its own, although it is the only one."""


@events_app.command()
def ingest(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A log; - is standard input; gzip is seen by itself.")],
    source: Annotated[str, typer.Option(help="What wrote the lines: sshd, flow or gateway.")],
    node: Annotated[str, typer.Option(help="The node that reported; else each line's own host name counts.")] = "",
    year: Annotated[int, typer.Option(help="Year of the first line, for lines that name none.")] = 0,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Read a file of log lines and print the findings; nothing is recorded, and nobody is cut off."""
    from ringfence.soc.detection import shipped
    from ringfence.soc.ingest import Ingest

    _check(source, node, year)
    now = datetime.now(UTC)  # noqa: TID251 - without a home there are no services, and so no clock of theirs
    first = year or (_first_year(file, now) if source == "sshd" else now.year)
    run = Ingest(shipped.rules(), source, node or None, first, now)
    summary = run.run(_told(file, run))
    _say_rest(summary)
    output(summary.document(), lambda console: _print(console, summary), as_json)


def _check(source: str, node: str, year: int) -> None:
    import re

    from ringfence.kernel.errors import UsageError
    from ringfence.soc.sources.logs import SOURCES

    if source not in SOURCES:
        raise UsageError(f"there is no source {source[:40]!r}; known are {', '.join(SOURCES)}")
    if node and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", node):
        raise UsageError("a node's name has letters, digits, dots, dashes and underscores, at most 63")
    if year and not 1970 <= year <= 9998:
        raise UsageError("--year takes a year from 1970 on")


def _first_year(file: Path, now: datetime) -> int:
    """Find the year of the first line by a pass over the file; standard input can be read only once."""
    from ringfence.soc.ingest import first_year

    if str(file) == "-":
        say(f"ringfence: lines that name no year are taken as of {now.year}; --year says otherwise")
        return now.year
    found = first_year(_chunks(file), now)
    if found is not None:
        say(f"ringfence: the lines name no year and no zone; read as from {found}, UTC; --year says otherwise")
    return found or now.year


def _chunks(file: Path) -> Iterator[bytes]:
    """Yield a file's bytes, unpacked."""
    from ringfence.kernel.errors import MalformedInput

    with _opened(file) as opened:
        stream = _unpacked(opened)
        try:
            while chunk := stream.read(CHUNK):
                yield chunk
        except (EOFError, gzip.BadGzipFile) as error:
            raise MalformedInput(f"the gzip stream is damaged: {error}", source=str(file)) from None


def _opened(file: Path) -> AbstractContextManager[IO[bytes]]:
    from ringfence.kernel.errors import NotFound, UsageError

    if str(file) == "-":
        return nullcontext(sys.stdin.buffer)
    if not file.exists():
        raise NotFound(f"there is no file {file}")
    if file.is_dir():
        raise UsageError(f"{file} is a folder; name a file of log lines")
    return file.open("rb")


def _unpacked(stream: Any) -> IO[bytes]:
    peeked = stream.peek(2)[:2]
    unpacked: Any = gzip.GzipFile(fileobj=stream) if peeked == b"\x1f\x8b" else stream
    return cast("IO[bytes]", unpacked)


def _told(file: Path, run: "Ingest") -> Iterator[bytes]:
    """Yield the file's bytes, and say on standard error how far it is."""
    told = TOLD_EVERY
    for chunk in _chunks(file):
        yield chunk
        if run.seen >= told:
            say(f"ringfence: {run.seen // CHUNK} MiB read")
            told += TOLD_EVERY


def _say_rest(summary: "Summary") -> None:
    """Say what was not used, and why."""
    unread = summary.lines - summary.parsed
    left = summary.left_out
    facts = {
        f"{summary.foreign} lines are of other programs": summary.foreign,
        f"{unread} lines could not be read": unread,
        f"{summary.cut} lines were cut at their limit": summary.cut,
        f"{left.late} events came too late for their window": left.late,
        f"{left.evicted} groups were forgotten for lack of room": left.evicted,
        f"{summary.dropped} findings were left out for lack of room": summary.dropped,
    }
    said = "; ".join(text for text, number in facts.items() if number)
    if said:
        say(f"ringfence: {said}")


def _print(console: "Console", summary: "Summary") -> None:
    from ringfence.soc.ingest import utc

    console.print(f"{summary.lines} lines, {summary.parsed} read, {len(summary.findings)} findings")
    for each in summary.findings:
        when = f"{utc(each.first_seen)} to {utc(each.last_seen)}"
        console.print(
            f"{each.severity:9} {each.rule}  {each.source or '-'} on {each.subject or '-'}  {each.count}  {when}"
        )


findings_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="List findings, show what was done about them, and settle what is done.",
)


@findings_app.command("list")
def list_findings(
    rule: Annotated[str, typer.Option(help="Only findings of this rule.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """List findings, the one seen last first."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/findings", rule=rule or None, limit=limit)
    output(document, lambda console: _list(console, document), as_json)


def _list(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"{len(document['findings'])} of {document['total']} findings")
    for each in document["findings"]:
        said = next((one["says"] for one in each["actions"]), "nothing was decided yet")
        console.print(f"{each['finding']}  {each['last_seen']}  {each['rule']} on {each['node_name']}: {said}")


@findings_app.command()
def show(
    finding: Annotated[str, typer.Argument(help="Reference of a finding; see `ringfence findings list`.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show one finding: what was seen, what was decided, and how long each step took."""
    from urllib.parse import quote

    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(f"/api/v1/findings/{quote(finding, safe='')}")
    output(document, lambda console: _show(console, document), as_json)


def _show(console: "Console", document: dict[str, Any]) -> None:
    for name in ("finding", "rule", "title", "severity", "node_name", "source", "first_seen", "last_seen", "count"):
        console.print(f"{name.replace('_', ' '):12}{document[name]}")
    for one in document["actions"]:
        acted = f", done after {one['acted_ms']} ms" if one["acted_ms"] is not None else ""
        console.print(f"- {one['says']} ({one['reason']}; decided {one['decided_ms']} ms after the line{acted})")
    for one in document["alerts"]:
        console.print(f"- alert by {one['channel']}: {one['state']}, {one['attempts']} attempts")


@findings_app.command()
def settle(
    finding: Annotated[str, typer.Argument(help="Reference of a finding that waits for a person.")],
    reason: Annotated[str, typer.Option(help="What was done about it; kept in an erasable side record.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Say what you did about a finding that waits for a person; it is stated, and waits no longer."""
    from urllib.parse import quote

    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(f"/api/v1/findings/{quote(finding, safe='')}/settle", {"reason": reason})
    output(document, lambda console: console.print(f"{finding} is settled"), as_json)


@findings_app.command()
def playbook(as_json: Json = False) -> None:  # noqa: FBT002
    """Show what is done about findings: the playbooks, and the settings of the tenant."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/playbook")
    output(document, lambda console: _playbook(console, document), as_json)


def _playbook(console: "Console", document: dict[str, Any]) -> None:
    for entry in document["playbooks"]:
        console.print(f"{entry['rule']:28}{', '.join(entry['actions'])}")
    console.print(f"settings, version {document['version']}")
    for name, value in document["settings"].items():
        console.print(f"  {name:18}{value if value != [] else 'none'}")


@findings_app.command()
def change(
    mode: Annotated[str, typer.Option(help="act or dry-run.")] = "",
    on_attempts: Annotated[
        str, typer.Option(help="On training nodes, guessing alone leads to: block or isolate.")
    ] = "",
    never_isolate: Annotated[list[str] | None, typer.Option(help="Add a node by name or id.")] = None,
    never_block: Annotated[list[str] | None, typer.Option(help="Add an address or a network.")] = None,
    never_block_key: Annotated[list[str] | None, typer.Option(help="Add an API key by its id, k-….")] = None,
    rule_off: Annotated[list[str] | None, typer.Option(help="Do nothing about this rule but record and alert.")] = None,
    settings: Annotated[
        Path | None, typer.Option(help="Take all settings from this JSON file instead, as `playbook --json` prints.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Change what is done about findings; the change is signed into the log and alerted."""
    from ringfence.frontends.client import connect
    from ringfence.kernel import digest
    from ringfence.storage.files import read_bounded

    given = digest.loads(read_bounded(settings, limit=2**20), source=str(settings)) if settings else None
    added = {"never_isolate": never_isolate, "never_block": never_block, "rules_off": rule_off}
    added["never_block_keys"] = never_block_key
    with connect() as client:
        known = client.get("/api/v1/playbook")
        wanted = given if given is not None else dict(known["settings"])
        if isinstance(wanted, dict) and isinstance(wanted.get("settings"), dict):
            wanted = wanted["settings"]  # a whole answer of `playbook --json`
        if isinstance(wanted, dict):
            wanted |= {name: value for name, value in (("mode", mode), ("on_attempts", on_attempts)) if value}
            wanted |= {name: [*wanted.get(name, []), *more] for name, more in added.items() if more}
        document = client.put("/api/v1/playbook", {"version": known["version"], "settings": wanted})
    said = "changed" if document["statement"] else "nothing differs"
    output(document, lambda console: console.print(f"{said}; version {document['version']}"), as_json)
