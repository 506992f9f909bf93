"""`ringfence dataset check`, `screen` and `show`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.artifacts.checks.decisions import Decisions
    from ringfence.artifacts.checks.local import Subject
    from ringfence.artifacts.checks.policy import Policy
    from ringfence.artifacts.checks.profile import Profile
    from ringfence.artifacts.checks.running import Order
    from ringfence.frontends.client import Client

JOBS = ("github", "gitlab")
_PURPOSE, _SCREENING = "check", "screen"
_SHOWN = 5  # findings of each check on a terminal


def check(
    source: Annotated[
        str, typer.Argument(metavar="SRC|NAME", help="A folder or file, or the name of a sealed dataset (NAME@EPOCH).")
    ] = "",
    against: Annotated[
        str, typer.Option(metavar="NAME@EPOCH|FILE", help="A sealed epoch, or a baseline file, to compare with.")
    ] = "",
    split: Annotated[
        list[str] | None, typer.Option(metavar="NAME=PATTERN", help="The files of a split; again for each.")
    ] = None,
    label: Annotated[str, typer.Option(metavar="COLUMN", help="The column of labels.")] = "",
    text: Annotated[str, typer.Option(metavar="COLUMN", help="The column of text; by default the wordiest.")] = "",
    schema: Annotated[Path | None, typer.Option(help="A schema (ours or Table Schema), YAML or JSON.")] = None,
    policy: Annotated[Path | None, typer.Option(help="The gate's policy, YAML.")] = None,
    key: Annotated[list[Path] | None, typer.Option(metavar="PEM", help="A public key whose signature counts.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Write a SARIF 2.1.0 report.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit XML report.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the whole report as JSON.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Write a baseline of these data, to compare with later.")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="State the outcome; for sealed datasets.")] = False,  # noqa: FBT002
    print_job: Annotated[
        str, typer.Option(metavar="github|gitlab", help="Print a ready CI job, and nothing else.")
    ] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Check training data before they are used; exit 1 where the policy's gate stays shut."""
    import secrets

    from ringfence.artifacts.checks import junit as junits
    from ringfence.artifacts.checks import local, profile
    from ringfence.artifacts.checks import report as reports
    from ringfence.artifacts.checks import sarif as sarifs
    from ringfence.kernel.errors import UsageError
    from ringfence.storage.files import write_whole

    if print_job:
        _print_job(print_job)
        return
    if not source:
        raise UsageError("name a folder, a file or a sealed dataset: ringfence dataset check SRC|NAME")
    order = _order(_policy(policy, label, text), split or [], schema, against)
    with _subject(source, key or []) as (subject, client):
        _check_record(subject, wanted=record)
        done, found = local.check(subject, replace(order, signature=subject.signature))
        printed, document = reports.printed(done), done.to_json()
        made = ((sarif, sarifs.printed(done)), (junit, junits.printed(done)), (report, printed))
        for path, data in (*made, (baseline, profile.printed(found))):
            if path is not None:
                write_whole(path, data)
        if record and client is not None:
            document["statement"] = local.state(client, subject, done, printed, secrets.token_bytes)
    output(document, lambda console: _shown(console, document), as_json)
    if not done.passed:
        raise typer.Exit(1)


def _print_job(name: str) -> None:
    from importlib import resources

    from ringfence.kernel.errors import UsageError

    if name not in JOBS:
        raise UsageError(f"--print-job is {' or '.join(JOBS)}, not {name[:40]!r}")
    job = resources.files("ringfence.artifacts.checks") / "jobs" / f"{name}.yml"
    typer.echo(job.read_text(encoding="utf-8"), nl=False)


def _policy(path: Path | None, label: str, text: str) -> "Policy":
    from ringfence.artifacts.checks.policy import MAX_POLICY, parse

    rules = parse({} if path is None else _document(path, MAX_POLICY), str(path or ""))
    return replace(rules, label=label or rules.label, text=text or rules.text)


def _document(path: Path, limit: int) -> Any:
    """Read a small YAML or JSON file, strictly: aliases and duplicate keys are refused."""
    from ringfence.artifacts.checks.documents import parse
    from ringfence.storage.files import read_bounded

    return parse(read_bounded(path, limit=limit), str(path))


def _order(rules: "Policy", given: list[str], schema: Path | None, against: str) -> "Order":
    from ringfence.artifacts.checks import schema as schemas
    from ringfence.artifacts.checks.policy import MAX_POLICY
    from ringfence.artifacts.checks.reading import parse_splits
    from ringfence.artifacts.checks.running import Order

    splits = parse_splits(given, rules.split)
    held = None if schema is None else schemas.parse(_document(schema, MAX_POLICY), str(schema))
    order = Order(rules, splits, held)
    return replace(order, baseline=_baseline(against, order)) if against else order


def _baseline(against: str, order: "Order") -> "Profile":
    """Read a baseline from a file, or take it from a sealed epoch, whose opening is recorded."""
    from ringfence.artifacts.checks import profile
    from ringfence.artifacts.checks.running import described
    from ringfence.storage.files import read_bounded

    path = Path(against)
    if path.suffix == ".json" or path.is_file():
        return profile.parse(read_bounded(path, limit=profile.MAX_BASELINE), against)
    with _sealed(against) as (subject, _):
        return described(subject.files, order)


@contextmanager
def _subject(source: str, keys: list[Path]) -> Iterator[tuple["Subject", "Client | None"]]:
    """Open a path if there is one of that name, else the sealed dataset."""
    from ringfence.artifacts.checks.blobs import PlainFiles, signature_of
    from ringfence.artifacts.checks.local import Subject
    from ringfence.kernel.errors import MalformedInput, NotFound

    path = Path(source)
    if path.exists():
        files = PlainFiles(path)
        yield Subject(files, source, files.digest, signature_of(path, keys)), None
        return
    try:
        with _sealed(source) as opened:
            yield opened
    except MalformedInput as error:
        if "/" in source or "." in source:
            raise NotFound(f"there is no file or folder {source}") from error
        raise


@contextmanager
def _sealed(name: str, purpose: str = _PURPOSE) -> Iterator[tuple["Subject", "Client"]]:
    """Open a sealed dataset after that was recorded."""
    import secrets
    from functools import partial

    from ringfence.artifacts.blobs import Home
    from ringfence.artifacts.checks.blobs import UnsealedFiles, sealed_result
    from ringfence.artifacts.checks.local import Subject
    from ringfence.artifacts.keyring import at_home
    from ringfence.artifacts.local import RecordedAccess, Workbench
    from ringfence.artifacts.model import reference
    from ringfence.frontends.client import connect

    named = reference(name)
    with connect() as client:
        bench = Workbench(client, RecordedAccess(client), Home(client.home), secrets.token_bytes)
        keyring = partial(at_home, client.home, client.settings.passphrase())
        with bench.opened(named.name, purpose, keyring, named.epoch) as (sealed, opened):
            signature = sealed_result(opened, sealed.seal)
            yield Subject(UnsealedFiles(opened), name, lambda: sealed.seal, signature, sealed), client


def _check_record(subject: "Subject", *, wanted: bool) -> None:
    from ringfence.kernel.errors import UsageError

    if wanted and subject.sealed is None:
        raise UsageError("--record states about sealed bytes: seal them, then check the dataset by its name")


def screen(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sealed dataset; its newest epoch is screened.")],
    label: Annotated[str, typer.Option(metavar="COLUMN", help="The column of labels.")] = "",
    text: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column of text; several are screened as one.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="The policy whose columns, seed and bounds count, YAML.")] = None,
    decisions: Annotated[
        Path | None, typer.Option(help="What was decided about flagged items: decisions.json, filled in.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where report.json, quarantine.json and decisions.json go: NAME-screen."),
    ] = None,
    unrecorded: Annotated[bool, typer.Option("--no-record", help="State nothing.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Screen every item of a sealed dataset for poison, count what of planted cases is found, and state it.

    The outcome is stated also where something is left to do; it exits with 1 then, and says what.
    """
    import secrets

    from ringfence.artifacts.checks import local
    from ringfence.artifacts.checks.screening import Order
    from ringfence.frontends.terminal import today
    from ringfence.storage.files import write_whole

    texts = tuple(text or ())
    order = Order(_policy(policy, label, texts[0] if len(texts) == 1 else ""), texts)
    decided = _decided(decisions)
    with _sealed(name, _SCREENING) as (subject, client):
        outcome = local.screen(client, subject, order, decided, stated=not unrecorded)
        files, folder = outcome.files(), out or Path(f"{outcome.dataset.name}-screen")
        folder.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            write_whole(folder / file, data)
        document = outcome.report() | {"out": str(folder)}
        if not unrecorded:
            document["statement"] = local.state_screen(client, outcome, files, secrets.token_bytes, today())
    output(document, lambda console: _screen_shown(console, document), as_json)
    if document["open"]:
        raise typer.Exit(1)


def _decided(path: Path | None) -> "Decisions":
    import secrets

    from ringfence.artifacts.checks import decisions
    from ringfence.kernel.commitment import SALT_SIZE
    from ringfence.storage.files import read_bounded

    if path is None:
        return decisions.Decisions(secrets.token_bytes(SALT_SIZE))
    return decisions.parse(read_bounded(path, limit=decisions.MAX_FILE), str(path))


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name in this tenant, or its id.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show what the log says of each epoch: opened, verified, checked, screened, used by runs, erased."""
    from ringfence.artifacts.local import API, recorded_epochs
    from ringfence.frontends.client import connect
    from ringfence.kernel.errors import NotFound

    with connect() as client:
        known = next((one for one in recorded_epochs(client) if name in {one.name, one.dataset}), None)
        if known is None:
            raise NotFound(f"no dataset {name[:80]} is recorded in this tenant; see `ringfence dataset list`")
        document = client.get(f"{API}/{known.dataset}/history")
    output(document, lambda console: _history_shown(console, document), as_json)


def _screen_shown(console: "Console", document: dict[str, Any]) -> None:
    for one in document["screens"]:
        found = f"{one['flagged']} flagged; found {one['found']} of {one['planted']} planted"
        console.print(f"{one['screen']:<14} {found if one['counts'] else one['reason']}")
    decided = f"{document['cleared']} cleared, {document['quarantined']} taken out, {document['undecided']} undecided"
    console.print(f"{document['screened']} of {document['items']} items screened; {decided}; {document['order']}.")
    for sentence in document["open"]:
        console.print(f"open: {sentence}")
    console.print(f"report, quarantine and decisions  {document['out']}")
    stated = document.get("statement")
    console.print(f"statement  {stated['stage']}, {stated['envelope']}" if stated else "nothing is stated")
    console.print(document["note"])


def _history_shown(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"{document['name']}  {document['dataset']}")
    for one in document["epochs"]:
        state = "" if one["erasure"] is None else f", erasure {one['erasure']['state']}"
        used = f"opened {one['opened']} times, used by {one['runs']} runs"
        console.print(f"epoch {one['epoch']}: {one['objects']} files, {one['bytes']} bytes; {used}{state}")
        for kind in ("verified", "audited", "checked"):
            if one[kind]:
                console.print(f"    {kind:<9} {one[kind].get('result')}, entry {one[kind]['entry']}")
        if one["screened"]:
            said = one["screened"]
            told = f"{said.get('flagged')} flagged, {said.get('undecided')} undecided, entry {said['entry']}"
            console.print(f"    screened  {told}")


def _shown(console: "Console", document: dict[str, Any]) -> None:
    for one in document["checks"]:
        mark = {"passed": "passed", "off": "off"}.get(one["outcome"], f"{one['outcome']}, {one['level']}s")
        mark = mark.replace("fails", "fails the gate")
        console.print(f"{one['check']:<14} {mark}{': ' if one['reason'] else ''}{one['reason']}")
        for finding in one["findings"][:_SHOWN]:
            where = ":".join(str(part) for part in (finding["file"], finding["row"]) if part)
            console.print(f"    {where}{' ' if where else ''}{finding['text']}")
        if one["total"] > _SHOWN:
            console.print(f"    … {one['total'] - _SHOWN} more; --report FILE has the first hundred")
    verdict = "passes" if document["result"] == "pass" else "does not pass"
    console.print(f"{document['subject']} {verdict} ({document['rows']} rows of {document['files']} files).")
    console.print(f"content  {document['content']}")
    if "statement" in document:
        console.print(f"statement  {document['statement']['stage']}, {document['statement']['envelope']}")
    console.print(document["note"])
