"""`ringfence incident`: list, show, declare, triage, correct, notify, close; and the early-warning draft."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from ringfence.kernel.digest import Digest
    from ringfence.kernel.statement import Draft

API = "/api/v1/incidents"
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="List, show, declare, triage, correct, notify and close incidents.",
)
Name = Annotated[str, typer.Argument(metavar="INCIDENT", help="Such as i-0123abcd; see `ringfence incident list`.")]
Reason = Annotated[str, typer.Option(help="Why; it stays in an erasable side record.")]
At = "ISO 8601 with its offset, such as 2026-11-22T09:00:00Z"


@app.command("list")
def list_(as_json: Json = False) -> None:  # noqa: FBT002
    """List the newest incidents with their nearest clock."""
    from ringfence.incidents import lines

    document = _read(API)
    output(document, lambda console: lines.listed(console, document), as_json)


@app.command()
def show(name: Name, as_json: Json = False) -> None:  # noqa: FBT002
    """Show clocks, criteria beside measured values, timeline and the draft's fields."""
    from ringfence.incidents import lines

    document = _read(_path(name))
    output(document, lambda console: lines.shown(console, document), as_json)


@app.command()
def declare(
    reason: Reason,
    node: Annotated[str, typer.Option(help="The node that it is about.")] = "",
    detected_at: Annotated[str, typer.Option(help=f"When it was first noticed, if earlier: {At}.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Open an incident that no detection has seen."""
    import secrets

    from ringfence.incidents import acts, options
    from ringfence.incidents.model import IncidentId

    name = IncidentId(f"i-{secrets.token_hex(4)}")
    draft = acts.declared(name, options.moment(detected_at) or _now(), node, reason)
    _sign(draft, API, "is open; decide on it next", as_json=as_json)


@app.command()
def triage(
    name: Name,
    reason: Reason,
    significant: Annotated[
        bool, typer.Option("--significant/--not-significant", help="The decision; it starts the clocks, or none.")
    ],
    criteria: Annotated[str, typer.Option(help="The criteria that are met: 3(1)(b),3(1)(e).")] = "",
    aware_at: Annotated[str, typer.Option(help=f"Since when you know; now by default: {At}.")] = "",
    occurred_at: Annotated[str, typer.Option(help=f"When it began, if known: {At}.")] = "",
    malicious: Annotated[str, typer.Option(help="Suspected unlawful or malicious: yes, no, unknown.")] = "unknown",
    cross_border: Annotated[str, typer.Option(help="Possible cross-border impact: yes, no, unknown.")] = "unknown",
    customer: Annotated[
        list[str] | None,
        typer.Option(help="A customer who is or may be affected (repeatable); all by default if significant; none."),
    ] = None,
    personal_data: Annotated[
        str, typer.Option(help="Whether it is a breach of personal data: yes, no, unknown.")
    ] = "unknown",
    breached: Annotated[
        list[str] | None,
        typer.Option(help="A customer whose personal data is affected (repeatable); all who are named by default."),
    ] = None,
    measured: Annotated[
        list[str] | None, typer.Option(help="A measured value: minutesUnavailable=42 (repeatable).")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign whether an incident is significant, and since when you are aware of it."""
    from ringfence.incidents import acts, options

    known = _read(_path(name))
    customers = options.customers(customer, known, breached or (), significant=significant)
    personal = options.answer(personal_data, "--personal-data")
    decision = acts.Decision(
        significant=significant,
        criteria=tuple(part.strip() for part in criteria.split(",") if part.strip()),
        reason=reason,
        detected_at=options.moment(known["detected_at"]) or _now(),
        triaged_at=_now(),
        aware_at=(options.moment(aware_at) or _now()) if significant or customers else None,
        occurred_at=options.moment(occurred_at),
        malicious=options.answer(malicious, "--malicious"),
        cross_border=options.answer(cross_border, "--cross-border"),
        customers=customers,
        measured=options.measured(measured or []),
        personal_data=personal,
        breached=options.breached(breached, customers, personal),
    )
    _sign(acts.triage(options.seen(known), decision), f"{_path(name)}/triage", "is decided", as_json=as_json)


@app.command()
def correct(
    name: Name,
    reason: Reason,
    field: Annotated[
        str, typer.Option(help="aware-at, occurred-at, detected-at, or a field of the draft such as contact.")
    ] = "",
    value: Annotated[str, typer.Option(help="The right value; the old one stays on record.")] = "",
    merge: Annotated[str, typer.Option(help="Take over this other incident; the earliest awareness wins.")] = "",
    split: Annotated[str, typer.Option(help="Move these findings into an incident of their own: f-1,f-2.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign a correction, a merger or a split; old values stay."""
    from ringfence.incidents import acts, options
    from ringfence.kernel.clock import to_text
    from ringfence.kernel.errors import UsageError

    if [bool(field), bool(merge), bool(split)].count(True) != 1 or bool(field) != bool(value):
        raise UsageError("say either --field with --value, or --merge INCIDENT, or --split FINDINGS")
    seen = options.seen(_read(_path(name)))
    if merge:
        draft = acts.corrected(seen, "merge", reason=reason, other=merge)
    elif split:
        draft = acts.corrected(seen, "split", reason=reason, findings=tuple(split.split(",")))
    else:
        at = options.moment(value) if field in acts.TIMES else None
        draft = acts.corrected(seen, field, reason=reason, value=to_text(at) if at else value)
    _sign(draft, f"{_path(name)}/corrections", "is corrected", as_json=as_json)


@app.command()
def notify(
    name: Name,
    reference: Annotated[str, typer.Option(help="What the acknowledgement says: its number or text.")],
    stage: Annotated[str, typer.Option(help="The report that you filed, such as nis2.early_warning.")] = "",
    customer: Annotated[str, typer.Option(help="Instead: the customer whom you told.")] = "",
    breach: Annotated[bool, typer.Option("--breach", help="With --customer: of the breach of personal data.")] = False,  # noqa: FBT002
    at: Annotated[str, typer.Option(help=f"When it was submitted; now by default: {At}.")] = "",
    to: Annotated[str, typer.Option(help="To whom, in words.")] = "",
    addressee: Annotated[str, typer.Option(help="csirt, authority or other.")] = "csirt",
    receipt: Annotated[Path | None, typer.Option(help="The acknowledgement as a file; its digest is kept.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Record that you filed a report or told a customer: Ringfence files nothing itself."""
    import secrets

    from ringfence.incidents import acts, options
    from ringfence.kernel.errors import UsageError

    if bool(stage) == bool(customer) or (breach and not customer):
        raise UsageError("say either --stage or --customer; --breach goes with a customer")
    salt = secrets.token_bytes(32)
    details = {"reference": reference, "salt": salt.hex()} | ({"to": to} if to else {})
    digest, sent = _receipt(salt, reference, receipt), options.moment(at) or _now()
    seen = options.seen(_read(_path(name)))
    if stage:
        draft, path = acts.reported(seen, stage, sent, addressee, digest, details), "reports"
    else:
        about, path = (acts.BREACH_NOTICE, "breach-notices") if breach else (acts.NOTICE, "notices")
        draft = acts.noticed(seen, customer, sent, digest, details, about=about)
    _sign(draft, f"{_path(name)}/{path}", "has the acknowledgement on record", as_json=as_json)


@app.command()
def close(
    name: Name,
    reason: Reason,
    handled_at: Annotated[str, typer.Option(help=f"When it was handled; now by default: {At}.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign that an incident is handled; clocks that run keep running."""
    from ringfence.incidents import acts, options

    draft = acts.closed(options.seen(_read(_path(name))), options.moment(handled_at) or _now(), reason)
    _sign(draft, f"{_path(name)}/closing", "is closed", as_json=as_json)


def early_warning(
    name: Name,
    to: Annotated[Path, typer.Option("-o", "--output", help="File to write: .pdf or .json.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Write the draft of an early warning: only evidenced or named-human fields."""
    import json

    from ringfence.frontends.client import connect
    from ringfence.incidents import document, typesetter
    from ringfence.kernel.errors import UsageError
    from ringfence.storage.files import write_whole

    if to.suffix not in {".pdf", ".json"}:
        raise UsageError(f"{to} ends in neither .pdf nor .json")
    if to.exists() and not force:
        raise UsageError(f"{to} exists; name another file, or replace it with --force")
    with connect() as client:
        answer = client.post(f"{_path(name)}/drafts")
    draft = answer["draft"]
    if to.suffix == ".pdf":
        data = typesetter.pdf(draft)
    else:
        data = json.dumps(draft, indent=2, ensure_ascii=False).encode() + b"\n"
    write_whole(to, data, replace=force)
    unknown = document.unknown(draft)
    written = {"file": str(to), "bytes": len(data), "unknown": unknown, "statement": answer["statement"]}
    said = f"{to}: {len(draft['fields'])} fields, {len(unknown)} not known at this time. Nobody has filed it."
    output(written, lambda console: console.print(said), as_json)


def _path(name: str) -> str:
    from ringfence.incidents.model import incident_id

    return f"{API}/{incident_id(name)}"


def _read(path: str) -> Any:
    from ringfence.frontends.client import connect

    with connect() as client:
        return client.get(path)


def _sign(draft: "Draft", path: str, what: str, *, as_json: bool) -> None:
    from ringfence.frontends.client import connect
    from ringfence.incidents import lines

    with connect() as client:
        document = client.state(draft, path=path)
    output(document, lambda console: lines.done(console, document, what), as_json)


def _now() -> datetime:
    import time
    from datetime import UTC

    return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, tz=UTC)


def _receipt(salt: bytes, reference: str, file: Path | None) -> "Digest":
    from ringfence.kernel.digest import Digest
    from ringfence.storage.files import read_bounded

    content = read_bounded(file, limit=16 * 2**20) if file else reference.encode()
    return Digest.of(salt + content)
