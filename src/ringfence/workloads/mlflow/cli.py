"""`ringfence mlflow`: take runs of MLflow in as its word, hand ours out with their digests, verify what it keeps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Runs of MLflow on this machine: import, export, verify.",
)
Uri = Annotated[str, typer.Argument(help="A store on this machine: a folder, or sqlite:///FILE.")]
RunThere = Annotated[str, typer.Argument(metavar="RUN", help="The id of the run there, 32 hexadecimal digits.")]


@app.command("import")
def take_in(uri: Uri, run: RunThere, as_json: Json = False) -> None:  # noqa: FBT002
    """Record what MLflow says of a run; it counts as another system's word, and closes no gap."""
    import secrets

    from ringfence.frontends.client import connect
    from ringfence.workloads.mlflow import statements, store
    from ringfence.workloads.mlflow.api import PATH
    from ringfence.workloads.runs.manifest import folder

    found = store.read(uri, run)
    with connect() as client:
        answer = client.state(statements.draft(found, secrets.token_bytes(32)), path=PATH)
    document = {
        "run": found.run,
        "outcome": found.status.value,
        "parameters": len(found.parameters),
        "metrics": len(found.metrics),
        "tags": len(found.tags),
        "datasets": [used.name for used in found.used],
        "datasets_of_ours": sum(used.ours for used in found.used),
        "outputs": len(found.outputs.files),
        "outputs_skipped": found.outputs.skipped,
        "outputs_digest": str(folder(found.outputs.files) or ""),
        "statement": answer["statement"],
    }
    output(document, lambda console: _imported(console, document), as_json)


@app.command()
def export(
    run: Annotated[str, typer.Argument(help="A run of ours: its id, or run:DIGEST.")],
    uri: Uri,
    experiment: Annotated[
        str, typer.Option(help="The experiment there; it is made where there is none.")
    ] = "ringfence",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Write a run of ours into a store of MLflow, with its digests, its statement and its gaps as tags."""
    from ringfence.frontends.client import connect
    from ringfence.kernel.clock import from_text, to_millis
    from ringfence.workloads.mlflow import exporting, store

    place = store.place_of(uri)
    with connect() as client:
        found = exporting.exported(client.get("/api/v1/lineage/things", name=run if ":" in run else f"run:{run}"))
    address = f"file://{place}" if place.is_dir() else f"sqlite:///{place}"
    made = exporting.write(store.client(address), found, experiment, to_millis(from_text(found.started_at)))
    document = {"run": found.run, "written_as": made, "experiment": experiment, "tags": dict(found.tags)}
    output(
        document, lambda console: console.print(f"Run {found.run} stands there as {made}, in {experiment}."), as_json
    )


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a model that MLflow keeps.")],
    digest: Annotated[
        str, typer.Option(help="The digest that it must have; else the one that this tenant stated.")
    ] = "",
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Say whether a model may be loaded: its files have the digest that was signed, and none of them could run.

    It ends with 1 where they do not. From Python: `ringfence.workloads.mlflow.loading.verified`.
    """
    from ringfence.kernel.digest import Digest
    from ringfence.workloads.mlflow.loading import digest_of, verified

    wanted = Digest.parse(digest) if digest else digest_of(folder)
    closed = None if digest else _stated(str(wanted))
    with verified(folder, wanted):
        pass
    document: dict[str, Any] = {"folder": str(folder), "digest": str(wanted), "may_be_loaded": True, "closed": closed}
    output(document, lambda console: console.print(f"MAY BE LOADED: {folder} is {wanted}"), as_json)


def _stated(digest: str) -> bool:
    """Return whether the lineage of a model is closed; raise `VerificationFailed` where nobody signed it."""
    from ringfence.frontends.client import connect
    from ringfence.kernel.errors import NotFound, VerificationFailed

    with connect() as client:
        try:
            document = client.get("/api/v1/lineage/things", name=f"model:{digest.removeprefix('sha256:')}")
        except NotFound as error:
            raise VerificationFailed(f"nobody stated a model with these files: {digest}") from error
    if any(gap["kind"] == "unsigned" for gap in document["gaps"]):
        raise VerificationFailed(f"nobody whose key counts signed a model with these files: {digest}")
    return bool(document["closed"])


def _imported(console: "Console", document: dict[str, Any]) -> None:
    console.print(f"Run {document['run']} {document['outcome']}, as MLflow says.")
    counts = f"{document['parameters']} parameters, {document['metrics']} metrics, {document['tags']} tags"
    console.print(f"recorded    {counts}; their words in the side record, which can be erased")
    console.print(f"datasets    {', '.join(document['datasets']) or 'none'}; {document['datasets_of_ours']} of ours")
    console.print(f"outputs     {document['outputs']} files, digested here: {document['outputs_digest'] or 'none'}")
    console.print(f"statement   {document['statement']['stage']}, {document['statement']['envelope']}")
