"""`ringfence report` and `ringfence verify`, for packs and receipts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.frontends.client import Client
    from ringfence.ledger.model import Trust
    from ringfence.reports.model import Verification
    from ringfence.reports.receipts import ReceiptOutcome

SHOWN = 20  # failures that a terminal shows; --json lists all
MAX_BODY = 256 * 2**20  # of a request or a response that somebody kept
_ATTEMPTS = 5  # evidence that arrives while a pack is signed

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Export packs.",
)


@app.callback()
def group() -> None:
    """Export what an outsider can check."""


@app.command()
def pack(
    to: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="Status as of then: 2026-11-22T01:02:03.456Z.")] = None,
    head: Annotated[
        list[int] | None, typer.Option(help="Also prove the head of this size, which somebody holds (repeatable).")
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(help="Show in full what this control rests on, the rest as digests (repeatable)."),
    ] = None,
    predicate: Annotated[
        list[str] | None, typer.Option(help="Show this evidence type in full, the rest as digests (repeatable).")
    ] = None,
    openings: Annotated[
        str, typer.Option(help="Whose details travel: none, all, or 'for auditor|authority|customer'.")
    ] = "none",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Export records with their proofs, and the computed status, as one signed file.

    Without --control and --predicate every record is in full. Details are personal and cannot be called back: they
    travel only where --openings says so.
    """
    from ringfence.frontends.client import connect
    from ringfence.kernel.errors import UsageError
    from ringfence.reports.pack import read
    from ringfence.storage.files import write_whole

    if to.exists() and not force:
        raise UsageError(f"{to} exists; name another file, or replace it with --force")
    with connect() as client:
        extent = {"control": control or [], "predicate": predicate or [], "openings": openings}
        data = _issued(client, as_of, head or [], extent)
    write_whole(to, data, replace=force)
    header = read(data).header
    document = {"pack": str(to), "bytes": len(data), "records": header.records, "size": header.size}
    output(document, lambda console: _show_written(console, document), as_json)


@app.command()
def zipapp(
    to: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Write one file that checks packs and computes their status again, where only Python and cryptography are.

    The same version of Ringfence always writes the same bytes; compare the digest with the one in its documentation.
    """
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.errors import UsageError
    from ringfence.reports.bundle import zipapp as made
    from ringfence.storage.files import write_whole

    if to.exists() and not force:
        raise UsageError(f"{to} exists; name another file, or replace it with --force")
    data = made()
    write_whole(to, data, replace=force)
    document = {"file": str(to), "bytes": len(data), "digest": str(Digest.of(data))}
    output(document, lambda console: console.print(f"{to}: {len(data)} bytes, {document['digest']}"), as_json)


def _issued(client: "Client", as_of: str | None, heads: list[int], extent: dict[str, Any]) -> bytes:
    from ringfence.kernel.errors import Conflict
    from ringfence.reports.service import draft_of

    for attempt in range(_ATTEMPTS):
        preview = client.get("/api/v1/reports/pack", as_of=as_of, **extent)
        try:
            answer = client.state(draft_of(preview), path="/api/v1/reports/pack", body={"heads": heads})
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return str(answer["pack"]).encode("ascii")
    raise AssertionError("the loop above returns or raises")


def _show_written(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"{document['pack']}: {document['records']} records, log size {document['size']}")
    console.print(f"check it with: ringfence verify {document['pack']} --trust TRUST --recompute")


def verify(
    file: Annotated[Path, typer.Argument(metavar="PACK|RECEIPT", help="The pack, or the receipt, to check.")],
    trust: Annotated[
        Path | None, typer.Option(help="What you trust: the file that you received earlier, by another way.")
    ] = None,
    recompute: Annotated[  # noqa: FBT002
        bool, typer.Option("--recompute", help="Also compute the status again with the rules of this installation.")
    ] = False,
    request: Annotated[
        Path | None, typer.Option(help="Of a receipt: the body that you asked with, to be compared.")
    ] = None,
    response: Annotated[
        Path | None, typer.Option(help="Of a receipt: the body that you were answered with, to be compared.")
    ] = None,
    behind: Annotated[
        Path | None, typer.Option("--pack", help="Of a receipt: a pack that shows which data are behind the answer.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Check a pack or a receipt offline against what you trust; needs no home.

    Exit code 0: verified. 1: something does not hold, or no trust file was given, so that the file could only be
    compared with itself. 2: a file cannot be read.
    """
    from ringfence.gateway.receipt import is_receipt
    from ringfence.kernel.errors import UsageError
    from ringfence.reports.pack import MAX_PACK
    from ringfence.storage.files import read_bounded

    trusted, data = _trust(trust), read_bounded(file, limit=MAX_PACK)
    receipt = is_receipt(data)
    if recompute if receipt else request or response or behind:
        said = "--recompute is for packs, --request, --response and --pack are for receipts; leave out what is not"
        raise UsageError(said)
    if receipt:
        ok = _receipt_holds(data, trusted, file, (request, response, behind), as_json=as_json)
    else:
        ok = _pack_holds(data, trusted, file, recompute=recompute, as_json=as_json)
    if not ok:
        raise SystemExit(1)


def _pack_holds(data: bytes, trusted: "Trust | None", file: Path, *, recompute: bool, as_json: bool) -> bool:
    import time

    from ringfence.kernel.clock import from_millis
    from ringfence.reports.verify import ahead
    from ringfence.reports.verify import verify as check

    outcome = ahead(check(data, trusted, source=str(file)), from_millis(time.time_ns() // 1_000_000))
    if recompute:
        outcome = _recomputed(outcome)
    output(outcome.to_json(), lambda console: _show(console, outcome), as_json)
    return outcome.ok


def _receipt_holds(
    data: bytes,
    trusted: "Trust | None",
    file: Path,
    beside: tuple[Path | None, Path | None, Path | None],
    *,
    as_json: bool,
) -> bool:
    from ringfence.reports.receipts import verify as check
    from ringfence.storage.files import read_bounded

    request, response = (None if path is None else read_bounded(path, limit=MAX_BODY) for path in beside[:2])
    outcome = check(data, trusted, request=request, response=response, source=str(file))
    chain = _behind(outcome, trusted, beside[2]) if outcome.ok else None
    document = outcome.to_json() | ({"behind": chain} if chain else {})
    output(document, lambda console: _show_receipt(console, outcome, chain), as_json)
    return outcome.ok


def _behind(outcome: "ReceiptOutcome", trusted: "Trust | None", pack: Path | None) -> dict[str, Any] | None:
    """Return what stands behind a verified answer; a pack that does not hold raises `VerificationFailed`."""
    if pack is None:
        return None
    from ringfence.reports.behind import behind
    from ringfence.reports.pack import MAX_PACK
    from ringfence.reports.verify import verify as check
    from ringfence.storage.files import read_bounded

    return behind(outcome, check(read_bounded(pack, limit=MAX_PACK), trusted, source=str(pack)))


def _trust(path: Path | None) -> "Trust | None":
    from ringfence.ledger import trust
    from ringfence.storage.files import read_bounded

    return trust.parse(read_bounded(path, limit=trust.MAX_TRUST), source=str(path)) if path else None


def _recomputed(outcome: "Verification") -> "Verification":
    from ringfence.obligations import catalog
    from ringfence.reports.recompute import judged

    return judged(outcome, catalog.load())


def _show(console: "Console", outcome: "Verification") -> None:
    header = outcome.header
    for failure in outcome.failures[:SHOWN]:
        console.print(f"✕ {failure}")
    if len(outcome.failures) > SHOWN:
        console.print(f"✕ … and {len(outcome.failures) - SHOWN} more (--json lists all)")
    for notice in outcome.notices:
        console.print(f"! {notice}")
    console.print(
        f"{outcome.verdict.upper()}: {outcome.checked} of {header.records} records of {header.tenant} "
        f"in {header.log}, log size {header.size}, as of {outcome.as_of}"
    )


def _show_receipt(console: "Console", outcome: "ReceiptOutcome", chain: dict[str, Any] | None) -> None:
    from ringfence.lineage import lines
    from ringfence.reports.receipts import DOES_NOT_PROVE

    for failure in outcome.failures:
        console.print(f"✕ {failure}")
    for proven in outcome.proves:
        console.print(f"✓ {proven}")
    for notice in outcome.notices:
        console.print(f"! {notice}")
    for missing in DOES_NOT_PROVE:
        console.print(f"- not proven: {missing}")
    document = outcome.to_json()
    console.print(
        f"{outcome.verdict.upper()}: {document['request']} of {document['tenant']} in {document['log']}, "
        f"segment {document['segment']}"
    )
    for line in lines.shown(chain) if chain else ():
        console.print(line)
