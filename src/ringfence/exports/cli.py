"""`ringfence report oscal`, `soa`, `csv` and `annex-iv`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.exports.kinds import Kind
from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.obligations.placeholders import Problem

AsOf = Annotated[str | None, typer.Option("--as-of", help="Status as of then, such as 2026-11-22T09:00:00Z.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what exists.")]


def oscal(
    to: Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")],
    model: Annotated[Kind | None, typer.Option(help="Only this model; the files that it names stay out.")] = None,
    as_of: AsOf = None,
    force: Force = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Write the computed status as OSCAL 1.2.1, with the signed envelopes that it rests on.

    Where nothing is open there is no plan of action: OSCAL knows no empty one.
    """
    from ringfence.frontends.client import connect

    names = [model.file] if model else [kind.file for kind in Kind]
    _check_free([to / name for name in names], force=force)
    with connect() as client:
        files = client.get("/api/v1/reports/oscal", as_of=as_of)["files"]
    chosen = {name: text for name, text in files.items() if model is None or name == model.file}
    _write(to, chosen, str(model or ""), force=force)
    document = {"folder": str(to), "files": len(chosen), "bytes": sum(len(text.encode()) for text in chosen.values())}

    def human(console: "Console") -> None:
        console.print(f"{to}: {document['files']} files, {document['bytes']} bytes")

    output(document, human, as_json)


def _check_free(paths: list[Path], *, force: bool) -> None:
    """Refuse to replace what nobody said may be replaced, before anything is asked or written."""
    from ringfence.kernel.errors import UsageError

    taken = [path for path in paths if path.exists()]
    if taken and not force:
        raise UsageError(f"{taken[0]} exists; name another, or replace it with --force")


def _write(to: Path, files: dict[str, str], model: str, *, force: bool) -> None:
    from ringfence.kernel.errors import NotFound
    from ringfence.storage.files import write_whole

    if not files:
        raise NotFound(f"there is no {model}: nothing is open")
    _check_free([to / name for name in files], force=force)
    for name, text in files.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(to / name, text.encode(), replace=force)


def soa(
    to: Annotated[Path, typer.Option("-o", "--output", help="File to write: .csv or .json.")],
    as_of: AsOf = None,
    force: Force = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Write the statement of applicability: every control, whether it applies, why, and its computed state."""
    from ringfence.kernel.errors import UsageError

    if to.suffix not in (".csv", ".json"):
        raise UsageError(f"{to.name} says no format; end it in .csv or .json")
    _check_free([to], force=force)
    document = _read("applicability", as_of)
    _table(to, document, "controls", force=force, as_json=as_json)


def table(
    to: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    as_of: AsOf = None,
    force: Force = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Write one line for each rule of each control as CSV, with what it came to and by which entries."""
    _check_free([to], force=force)
    document = _read("rules", as_of)
    _table(to, document, "lines", force=force, as_json=as_json)


def _read(what: str, as_of: str | None) -> dict[str, Any]:
    from ringfence.frontends.client import connect

    with connect() as client:
        return dict(client.get(f"/api/v1/reports/{what}", as_of=as_of))


def _table(to: Path, document: dict[str, Any], rows: str, *, force: bool, as_json: bool) -> None:
    import json

    from ringfence.exports.tables import to_csv
    from ringfence.storage.files import write_whole

    whole = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    write_whole(to, (whole if to.suffix == ".json" else to_csv(document[rows])).encode(), replace=force)
    said = {"file": str(to), rows: len(document[rows])}
    output(said, lambda console: console.print(f"{to}: {said[rows]} {rows}"), as_json)


def annex_iv(
    system: Annotated[str, typer.Argument(help="The AI system: its id of `ringfence scope`.")],
    to: Annotated[Path | None, typer.Option("-o", "--output", help="File: .json, .html, .md or .pdf.")] = None,
    declared: Annotated[Path | None, typer.Option("--declaration", help="What people declare, in YAML.")] = None,
    template: Annotated[bool, typer.Option("--template", help="Print a declaration to fill in.")] = False,  # noqa: FBT002
    as_of: AsOf = None,
    force: Force = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Write the technical documentation of an AI system by Annex IV of the AI Act, each sentence with its source.

    What records say is filled in; what people declare comes from a file, each sentence with author and day. Points
    about which nothing is stated are said to be missing. Exit code 1, and no file, where a placeholder is left, or a
    sentence is older than the record that it concludes from.
    """
    import sys

    from ringfence.exports.annexiv import declaration

    if template:
        sys.stdout.write(declaration.template(system))
        return
    file = _free(to, force=force)
    text = _declaration(system, declared, as_json=as_json)
    document = _drawn(text, file, as_of, force=force)
    output(document, lambda console: _told(console, document), as_json)


def _free(to: Path | None, *, force: bool) -> Path:
    """Return the file to write; refuse what would fail later."""
    from ringfence.exports.annexiv import rendering
    from ringfence.kernel.errors import UsageError

    if to is None or to.suffix not in rendering.FORMATS:
        raise UsageError(f"name a file with -o that ends in one of {', '.join(rendering.FORMATS)}")
    _check_free([to], force=force)
    return to


def _declaration(system: str, path: Path | None, *, as_json: bool) -> str:
    """Return the text of the declaration, an empty one where none is named; refuse one that holds problems."""
    from ringfence.exports.annexiv import declaration
    from ringfence.kernel.errors import UsageError
    from ringfence.storage.files import read_bounded

    if path is None:
        return declaration.template(system)
    data = read_bounded(path, limit=declaration.MAX_DECLARATION)
    read = declaration.parse(data, source=str(path))
    if read.system != system:
        raise UsageError(f"{path} is about the system {read.system}")
    _refuse(read.problems, path, as_json=as_json)
    return data.decode("utf-8-sig")


def _refuse(problems: "tuple[Problem, ...]", path: Path, *, as_json: bool) -> None:
    """End with exit code 1 where a placeholder is left."""
    if not problems:
        return

    def human(console: "Console") -> None:
        for one in problems:
            console.print(f"✕ {path}:{one.line}: {one.field}: {one.message}")
        console.print(f"{len(problems)} problems; nothing was written")

    output({"problems": [one.to_json() for one in problems]}, human, as_json)
    raise SystemExit(1)


def _drawn(text: str, to: Path, as_of: str | None, *, force: bool) -> dict[str, Any]:
    """Make the document, sign that it leaves, and write it."""
    from ringfence.exports.annexiv import document, service
    from ringfence.frontends.client import connect
    from ringfence.kernel.digest import Digest
    from ringfence.storage.files import write_whole

    with connect() as client:
        made = client.post("/api/v1/reports/annex-iv/drafts", {"declaration": text, "as_of": as_of})
        _rendered(made, to.suffix, "", 0)  # whether it can be written is found out before it is recorded that it left
        done = client.state(service.draft(made), path="/api/v1/reports/annex-iv", body={"declaration": text})
    digest, entry = str(Digest.of(service.written(made))), done["statement"]["entry"]
    write_whole(to, _rendered(made, to.suffix, digest, entry), replace=force)
    said = {"file": str(to), "digest": digest, "statement": done["statement"]}
    return said | {"counts": made["counts"], "missing": made["missing"], "techdoc.complete": document.answers(made)}


def _rendered(made: dict[str, Any], suffix: str, digest: str, entry: int) -> bytes:
    from ringfence.exports import typesetter
    from ringfence.exports.annexiv import rendering, service

    match suffix:
        case ".json":
            return service.written(made)
        case ".md":
            return rendering.markdown(made, digest, entry).encode()
        case ".html":
            return rendering.html(made, digest, entry).encode()
        case _:
            return typesetter.pdf(made, digest, entry)


def _told(console: "Console", document: dict[str, Any]) -> None:
    counts = document["counts"]
    console.print(f"{document['file']}: {document['digest']}, recorded as entry {document['statement']['entry']}")
    said = f"{counts['declared']} declared, {counts['from_records']} from {counts['records']} records"
    console.print(f"{counts['sentences']} sentences: {said}")
    for point in document["missing"]:
        console.print(f"! point {point.removeprefix('iv-')}: nothing stated")
    console.print("sign it off with: ringfence record techdoc.complete --attach document=FILE")
