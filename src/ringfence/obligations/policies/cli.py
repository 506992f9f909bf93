"""`ringfence policy`: templates, checks, adoption, and what is in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, today

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.frontends.client import Client
    from ringfence.obligations.forms.model import Attached, Filling
    from ringfence.obligations.placeholders import Problem
    from ringfence.obligations.policies.model import Policy, Standing

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Write policies from templates, check each sentence, adopt them, see which still hold.",
)
File = Annotated[Path, typer.Argument(help="The policy, as `policy template` writes it.")]


@dataclass(frozen=True, slots=True)
class _Checked:
    data: bytes
    policy: "Policy"
    problems: "tuple[Problem, ...]"


@app.command("list")
def list_policies(as_json: Json = False) -> None:  # noqa: FBT002
    """List every type of policy: who asks for it, the version in force, what contradicts it."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get("/api/v1/policies")

    def human(console: "Console") -> None:
        for row in document["policies"]:
            now = row["adopted"]
            version = f"version {now['version']}, entry {now['entry']}" if now else "none signed"
            console.print(f"{row['policy']:<24} {row['state']:<14} {version:<28} {' '.join(row['asked_by'])}")
            for one in now["observed"] if now else ():
                if not one["holds"]:
                    console.print(f"{'':<24} ✕ {one['name'].upper()} is {one['state']}: {one['because']}")

    output(document, human, as_json)


@app.command()
def template(
    name: Annotated[str, typer.Argument(help="Which policy; without it, all templates are listed.")] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Print the template of a policy; every gap in it has to be filled."""
    import sys

    from ringfence.obligations import catalog
    from ringfence.obligations.policies import shelf

    if name:
        text = shelf.template(name, catalog.load())
        if not as_json:
            sys.stdout.write(text)
            return
        output({"policy": name, "template": text}, lambda _: None, as_json)
        return

    def human(console: "Console") -> None:
        for row in known:
            console.print(f"{row['policy']:<24} {row['title']}")

    known = [{"policy": each, "title": shelf.title(each)} for each in shelf.names()]
    output({"templates": known}, human, as_json)


@app.command()
def check(
    file: File,
    to: Annotated[Path | None, typer.Option("-o", "--output", help="Write it with what observed ones rest on.")] = None,
    text_only: Annotated[bool, typer.Option("--text-only", help="Ask no installation: the text alone.")] = False,  # noqa: FBT002
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Find placeholders, sentences that nobody stands for, and observed ones that are not true now.

    Exit code 1 where something was found.
    """
    from ringfence.kernel.errors import UsageError
    from ringfence.obligations.policies import standing
    from ringfence.storage.files import write_whole

    if to is not None and (text_only or (to.exists() and not force)):
        raise UsageError(f"{to} exists; name another" if not text_only else "--output needs the states of controls")
    checked = _check(file)
    status = {} if text_only else _status()
    found = standing.standings(status, checked.policy.observes) if status else ()
    document = _document(checked, found, status.get("as_of"))
    if to is not None:
        text = standing.filled(checked.data.decode("utf-8-sig"), checked.policy, found, str(status["as_of"]))
        write_whole(to, text.encode(), replace=force)
    output(document, lambda console: _show(console, file, document), as_json)
    if document["problems"] or document["contradicted"]:
        raise SystemExit(1)


def _check(file: Path) -> _Checked:
    from ringfence.obligations import catalog
    from ringfence.obligations.policies import checking, document, shelf
    from ringfence.storage.files import read_bounded

    data = read_bounded(file, limit=document.MAX_POLICY)
    policy = document.parse(data, source=str(file))
    known = shelf.sentences(policy.header.get("policy", ""))
    return _Checked(data, policy, checking.problems(policy, catalog.load(), today(), known))


def _status() -> dict[str, Any]:
    from ringfence.frontends.client import connect

    with connect() as client:
        return dict(client.get("/api/v1/status"))


def _document(checked: _Checked, found: "tuple[Standing, ...]", as_of: str | None) -> dict[str, Any]:
    from ringfence.obligations.policies.model import Declared, Observed

    marks = [passage.mark for passage in checked.policy.passages]
    return {
        "policy": checked.policy.header.get("policy", ""),
        "as_of": as_of,
        "declared": sum(isinstance(mark, Declared) for mark in marks),
        "observed": sum(isinstance(mark, Observed) for mark in marks),
        "sentences": len(marks),
        "problems": [problem.to_json() for problem in checked.problems],
        "rests_on": [one.to_json() for one in found],
        "contradicted": [one.name for one in found if not one.holds],
    }


def _show(console: "Console", file: Path, document: dict[str, Any]) -> None:
    for problem in document["problems"]:
        console.print(f"✕ {file}:{problem['line']}: {problem['field']}: {problem['message']}")
    for one in document["rests_on"]:
        records = ", ".join(map(str, one["entries"])) or "none"
        sign = "✓" if one["holds"] else "✕"
        console.print(f"{sign} {one['name'].upper()} is {one['state']} (entries: {records}): {one['because']}")
    counts = f"{document['declared']} declared, {document['observed']} observed, of {document['sentences']} paragraphs"
    console.print(f"{counts}; {len(document['problems'])} problems, {len(document['contradicted'])} contradicted")


@app.command()
def adopt(
    file: File,
    answers: Annotated[
        list[str] | None, typer.Option("--set", help="An answer that the text cannot give: name=value (repeatable).")
    ] = None,
    documents: Annotated[
        list[str] | None, typer.Option("--attach", help="acknowledgements=FILE and basis=FILE; digests are signed.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Sign that a version is in force: its exact bytes, who approved it, and on which controls it relies.

    It is the form policy.version_signed, of which the text answers what it can. A placeholder refuses it, and a
    sentence that is not true now counts as a departure. Where the management body approved it, the digest is the one
    that its resolution shows, so that others see both are about the same bytes.
    """
    from ringfence.frontends.client import connect
    from ringfence.obligations.forms import drafting, shelf
    from ringfence.obligations.policies import checking, standing
    from ringfence.obligations.policies.model import SIGNED

    checked = _check(file)
    checking.refuse(checked.problems, str(file))
    form = shelf.form(SIGNED)
    with connect() as client:
        found = standing.standings(client.get("/api/v1/status"), checked.policy.observes)
        filling = _filling(client, checked, found, (answers or (), documents or ()), file)
        draft = drafting.draft(form, filling, client.tenant, today())
        done = client.state(draft, path=f"/api/v1/forms/{SIGNED}")
    stated = done["statement"]
    said = f"{checked.policy.header['policy']} {stated['stage']} as entry {stated['entry']}"
    document = done | {
        "policy": checked.policy.header["policy"],
        "contradicted": [o.name for o in found if not o.holds],
    }
    output(document, lambda console: console.print(said), as_json)


def _filling(
    client: "Client", checked: _Checked, found: "tuple[Standing, ...]", given: tuple[Any, Any], file: Path
) -> "Filling":
    from ringfence.obligations.forms import answering, shelf
    from ringfence.obligations.forms.cli import attach
    from ringfence.obligations.forms.model import Filling
    from ringfence.obligations.policies import drafting
    from ringfence.obligations.policies.model import SIGNED

    form = shelf.form(SIGNED)
    stated = drafting.claims(checked.policy, found)
    claims = drafting.joined(stated, answering.claims_of(form, answering.pairs(given[0], "--set")))
    paths = answering.pairs(given[1], "--attach")
    answering.check_documents(form, paths)
    files = {"document": _same(client, checked, file)} | {name: attach(Path(path)) for name, path in paths.items()}
    _complete(claims, files, stated)
    return Filling(claims, "", {}, files)


def _complete(claims: Mapping[str, Any], files: Mapping[str, Any], stated: Mapping[str, Any]) -> None:
    from ringfence.kernel.errors import UsageError
    from ringfence.obligations.forms import shelf
    from ringfence.obligations.forms.model import Kind
    from ringfence.obligations.policies.model import SIGNED

    open_ = [q for q in shelf.form(SIGNED).questions if q.kind is not Kind.COMPUTED and q.name not in stated]
    for question in open_:
        if question.name not in claims and question.name not in files:
            option = f"--attach {question.name}=FILE" if question.kind is Kind.FILE else f"--set {question.name}=…"
            raise UsageError(f"the text does not say: {question.title} Answer it with {option}")


def _same(client: "Client", checked: _Checked, file: Path) -> "Attached":
    """Return the document under the salt by which the management body approved it, where it did."""
    from ringfence.kernel.digest import Digest
    from ringfence.obligations.forms.cli import attach
    from ringfence.obligations.forms.model import Attached

    if checked.policy.header["approved-by"] == "management-body":
        for one in client.get("/api/v1/policies/approved-documents")["documents"]:
            salt = bytes.fromhex(one["salt"])
            if salt and str(Digest.of(salt + checked.data)) == one["digest"]:
                return Attached(file.name, salt, Digest.parse(one["digest"]))
    return attach(file)
