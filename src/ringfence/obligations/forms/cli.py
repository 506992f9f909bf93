"""`ringfence record`: run a collector, or fill a form and sign it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, say, today

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.frontends.client import Client
    from ringfence.kernel.statement import Draft
    from ringfence.obligations.forms.model import Attached, Filling, Form, Known

Listed = Annotated[bool, typer.Option("--list", help="List every evidence type, who states it, and what there is.")]


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line said about a form."""

    subject: str
    answers: Sequence[str]
    documents: Sequence[str]
    texts: Sequence[str]
    details: Path | None
    file: Path | None

    @property
    def nothing(self) -> bool:
        """Return whether a person still has to be asked."""
        return not (self.answers or self.documents or self.texts or self.details or self.file)


def record(
    evidence_type: Annotated[str, typer.Argument(help="For instance log.chain_verified, or training.record.")] = "",
    listed: Listed = False,  # noqa: FBT002
    template: Annotated[bool, typer.Option("--template", help="Print the form as a file to fill in.")] = False,  # noqa: FBT002
    file: Annotated[Path | None, typer.Option(help="A filled form, in YAML.")] = None,
    subject: Annotated[str, typer.Option(help="What it is about, where the form asks: a short name.")] = "",
    answers: Annotated[
        list[str] | None, typer.Option("--set", help="An answer: name=value; a list as name=one,two (repeatable).")
    ] = None,
    documents: Annotated[
        list[str] | None, typer.Option("--attach", help="A document: name=FILE; its digest is signed (repeatable).")
    ] = None,
    texts: Annotated[
        list[str] | None, typer.Option("--detail", help="Free text, kept erasable: name=text (repeatable).")
    ] = None,
    details: Annotated[Path | None, typer.Option(help="Free texts in a YAML file: a text for each name.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Record evidence of a type: run its collector, or fill its form and sign that.

    A form is what a person says: its statement is documented at most, and rests on the documents that you attach.
    Without answers you are asked, one question after the other. Documents stay with you.
    """
    from ringfence.kernel.errors import UsageError
    from ringfence.obligations.forms import shelf

    if listed:
        _list(as_json=as_json)
        return
    if not evidence_type:
        raise UsageError("name an evidence type; `ringfence record --list` shows all")
    given = Given(subject, answers or (), documents or (), texts or (), details, file)
    if evidence_type not in shelf.types():
        if template or subject or not given.nothing:
            raise UsageError(f"{evidence_type} has no form to fill; `ringfence record --list` says who states it")
        _collect(evidence_type, as_json=as_json)
    elif template:
        _print_template(evidence_type)
    else:
        _fill(shelf.form(evidence_type), given, as_json=as_json)


def _list(*, as_json: bool) -> None:
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/records")

    def human(console: "Console") -> None:
        for row in document["types"]:
            last, until = row["last"], row["fresh_until"]
            state = f"entry {last['entry']}" + (f", fresh until {until[:10]}" if until else "") if last else "none yet"
            console.print(f"{row['type']:<28} {row['way']:<10} {state:<34} {' '.join(row['controls'])}")
            console.print(f"{'':<28} {row['command']}")

    output(document, human, as_json)


def _collect(evidence_type: str, *, as_json: bool) -> None:
    from ringfence.frontends.client import connect
    from ringfence.kernel.errors import UsageError
    from ringfence.obligations.producers import VERBS

    if evidence_type in VERBS:
        raise UsageError(f"no collector states {evidence_type}; whoever does it states it: {VERBS[evidence_type]}")
    with connect() as client:
        document = client.post(f"/api/v1/records/{evidence_type}")
        claims = _claims(client, evidence_type, document["statement"]["entry"])
    _told({**document, "claims": claims}, as_json=as_json)


def _claims(client: "Client", evidence_type: str, entry: int) -> Mapping[str, Any]:
    """Return what a statement says; nothing where the caller may state and not read, as a program's key may."""
    from ringfence.kernel.errors import Refused

    try:
        found = client.get(f"/api/v1/ledger/statements?predicate={evidence_type}&limit=5")["statements"]
    except Refused:
        return {}
    return next((one["claims"] for one in found if one["entry"] == entry), {})


def _print_template(name: str) -> None:
    import sys

    from ringfence.obligations.forms import shelf
    from ringfence.obligations.forms.template import template

    sys.stdout.write(template(shelf.form(name)))


def _fill(form: "Form", given: Given, *, as_json: bool) -> None:
    import sys

    from ringfence.frontends.client import connect
    from ringfence.kernel.errors import UsageError

    asks = given.nothing and sys.stdin.isatty() and not as_json
    if given.nothing and not asks:
        raise UsageError(
            f"answer the form: --file FILE (start from `ringfence record {form.type} --template`), or --set"
        )
    filling = _asked(form, given.subject) if asks else _given(form, given)
    with connect() as client:
        wanted = _draft(client, form, filling)
        if asks:
            _agreed(wanted)
        document = client.state(wanted, path=f"/api/v1/forms/{form.type}")
    _told(document, as_json=as_json)


def _told(document: Mapping[str, Any], *, as_json: bool) -> None:
    from ringfence.frontends.wording import claim

    statement = document["statement"]
    said = [f"{document['type']} {statement['stage']} as entry {statement['entry']}"]
    said += [f"  {name:<24} {claim(value)}" for name, value in document.get("claims", {}).items()]
    output(document, lambda console: console.print("\n".join(said), soft_wrap=True, markup=False), as_json)


def _draft(client: "Client", form: "Form", filling: "Filling") -> "Draft":
    from ringfence.kernel.errors import UsageError
    from ringfence.obligations.forms import drafting

    known: tuple[Known, ...] = ()
    if form.about.of is not None or form.counted:
        answer = client.get(f"/api/v1/forms/{form.type}")
        known = _known(answer)
        if typed := sorted(form.counted & filling.claims.keys()):
            raise UsageError(f"{', '.join(typed)}: counted in the register, and typed by nobody; leave it out")
        filling = replace(filling, claims={**filling.claims, **answer["counted"]})
    return drafting.draft(form, filling, client.tenant, today(), known)


def _known(answer: Any) -> "tuple[Known, ...]":
    from ringfence.kernel.digest import Digest
    from ringfence.obligations.forms.model import Known

    return tuple(Known(str(row["name"]), Digest.parse(row["digest"]), int(row["entry"])) for row in answer["about"])


def _given(form: "Form", given: Given) -> "Filling":
    """Join the answers of a file with those of the command line; the latter count."""
    from ringfence.obligations.forms import answering
    from ringfence.obligations.forms.model import Filling

    claims: dict[str, Any] = {}
    details: dict[str, str] = {}
    paths: dict[str, Path] = {}
    subject = given.subject
    if given.file is not None:
        written = answering.parse(form, _read(given.file), source=str(given.file))
        claims, details = dict(written.claims), dict(written.details)
        paths = {name: given.file.parent / path for name, path in written.files.items()}
        subject = subject or written.subject
    if given.details is not None:
        document = answering.read(_read(given.details), source=str(given.details))
        details |= answering.details_of(form, document, part="")
    claims |= answering.claims_of(form, answering.pairs(given.answers, "--set"))
    paths |= {name: Path(path) for name, path in answering.pairs(given.documents, "--attach").items()}
    texts = answering.pairs(given.texts, "--detail")
    details |= answering.texts_of(form, texts)
    answering.check_documents(form, paths)
    files = {name: attach(path) for name, path in paths.items()}
    return Filling(claims, subject, details, files)


def _read(path: Path) -> bytes:
    from ringfence.obligations.scope.document import MAX_TEXT
    from ringfence.storage.files import read_bounded

    return read_bounded(path, limit=MAX_TEXT)


def attach(path: Path) -> "Attached":
    """Return what stands for a file, under a salt of its own."""
    import secrets

    from ringfence.kernel.commitment import SALT_SIZE
    from ringfence.obligations.forms import drafting
    from ringfence.storage.files import read_bounded

    return drafting.attached(path.name, read_bounded(path.expanduser()), secrets.token_bytes(SALT_SIZE))


def _asked(form: "Form", subject: str) -> "Filling":
    from ringfence.obligations.forms.asking import Interview

    return Interview(input, say, lambda text: attach(Path(text.strip()))).hold(form, subject)


def _agreed(wanted: "Draft") -> None:
    """Show what is about to be signed; raise `UsageError` unless the person agrees."""
    from ringfence.frontends.wording import claim
    from ringfence.kernel.errors import UsageError

    say("")
    say(f"You sign, as {wanted.strength.text}: {wanted.predicate} about {wanted.subjects[0].name}")
    for name, value in wanted.claims.items():
        say(f"  {name:<24} {claim(value)}")
    for name, value in wanted.details.items():
        say(f"  {name:<24} {claim(value)} (erasable)")
    try:
        agreed = input("Sign it? Write yes: ").strip().lower() == "yes"
    except EOFError:
        agreed = False
    if not agreed:
        raise UsageError("nothing was signed")
