"""`ringfence deploy`: what callers reach by a name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, announce, output

if TYPE_CHECKING:
    from rich.console import Console

API = "/api/v1/deployments"
MAX_KEY = 16 * 2**10  # bytes of a public key in PEM
POLL = 1.0  # seconds
deploy_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Start, attach, list and stop what callers reach through the gateway.",
)
As = Annotated[str, typer.Option("--as", help="What callers write as `model`.")]


@deploy_app.command()
def attach(
    url: Annotated[str, typer.Argument(help="Where the engine listens, for instance http://127.0.0.1:8000/v1.")],
    name: As,
    model: Annotated[str, typer.Option(help="What the engine calls the model; by default the only one it lists.")] = "",
    digest: Annotated[str | None, typer.Option(help="SHA-256 of the model as you declare it: sha256:…")] = None,
    protocol: Annotated[str, typer.Option(help="openai or inference-v2.")] = "openai",
    api_key_file: Annotated[Path | None, typer.Option(help="A file with the key that the engine wants.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Reach an engine that runs already; its digest is what you declare, and is shown as that."""
    from ringfence.frontends.client import connect

    body = {"name": name, "url": url, "protocol": protocol, "model": model, "digest": digest}
    with connect() as client:
        document = dict(client.post(API, body | {"credential": _credential(api_key_file)}))
    output(document, lambda console: _attached(console, document), as_json)


def _credential(path: Path | None) -> str:
    from ringfence.kernel.errors import UsageError
    from ringfence.storage.files import read_private

    if path is None:
        return ""
    text = read_private(path).decode("ascii", "replace").strip()
    if not text:
        raise UsageError(f"{path} is empty; it should hold the key that the engine wants")
    return text


def _attached(console: "Console", document: dict[str, Any]) -> None:
    saw = document["saw"]
    models = f", lists {', '.join(saw['models'][:5])}" if saw["models"] else ""
    console.print(f"{document['name']} serves {document['model']} at {document['url']}: it answered{models}.")
    if document["digest"] is None:
        console.print("digest     unknown: nobody said which weights it has (--digest declares one)")
    else:
        console.print(f"digest     {document['digest']}, declared: nobody saw what the engine loaded")
    console.print("callers    ringfence key issue NAME")


@deploy_app.command()
def start(
    model: Annotated[Path, typer.Argument(help="A signed model's folder, or one .gguf or .onnx file with --digest.")],
    name: As,
    key: Annotated[
        list[Path] | None, typer.Option(help="A public key that may have signed it; else your operators' keys.")
    ] = None,
    digest: Annotated[str | None, typer.Option(help="The SHA-256 that a single, unsigned file must have.")] = None,
    node_class: Annotated[str, typer.Option("--class", help="namespace: on a node that is made for it.")] = "namespace",
    node: Annotated[str, typer.Option(help="A node with a runtime that is there already.")] = "",
    context: Annotated[int, typer.Option(help="Tokens of one request, answer included (llama.cpp).")] = 2048,
    parallel: Annotated[int, typer.Option(help="Requests at a time (llama.cpp).")] = 2,
    embeddings: Annotated[bool, typer.Option("--embeddings", help="Serve embeddings instead.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Serve a model from a node of its own: its bytes are proven before they load, and are the ones that load."""
    import time

    from ringfence.frontends.client import connect
    from ringfence.storage.files import read_bounded

    body = {
        "name": name,
        "path": str(model.absolute()),
        "class": node_class,
        "node": node,
        "keys": [read_bounded(path, limit=MAX_KEY).decode("ascii", "replace") for path in key or []],
        "digest": digest,
        "context": context,
        "parallel": parallel,
        "embeddings": embeddings,
    }
    announce("verifying, starting a node and loading: seconds, a minute or more for a large model")
    with connect() as client:
        document = dict(client.post(f"{API}/start", body))
        while document["state"] == "starting":  # a large model on its way
            time.sleep(POLL)
            document = {**client.get(f"{API}/{name}"), "milliseconds": {}}
    output(document, lambda console: _started(console, document), as_json)
    if document["state"] != "serving":
        raise typer.Exit(4)


def _started(console: "Console", document: dict[str, Any]) -> None:
    if document["state"] != "serving":
        console.print(f"{document['name']} is {document['state']}: {document['because']}")
        return
    console.print(f"{document['name']} serves from the node {document['node']}.")
    console.print(f"digest     {document['digest']}, loaded: the loader hashed the bytes that the engine has")
    if took := document["milliseconds"]:
        _took(console, took)
    console.print("callers    ringfence key issue NAME")


def _took(console: "Console", took: dict[str, int]) -> None:
    console.print(
        f"took       {sum(took.values())} ms: verify {took['verify']}, node {took['node']}, "
        f"ship and load {took['load']}, first answer {took['ready']}"
    )


@deploy_app.command("list")
def list_(as_json: Json = False) -> None:  # noqa: FBT002
    """List the deployments: state, model, what its digest rests on, how much used."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.get(API)
    output(document, lambda console: _listed(console, document), as_json)


def _listed(console: "Console", document: dict[str, Any]) -> None:
    from rich.table import Column, Table

    if not document["deployments"]:
        console.print("Nothing is deployed: ringfence deploy attach URL --as NAME")
        return
    named = (Column(name, overflow="fold", min_width=8) for name in ("name", "state"))
    table = Table(*named, "protocol", "model", "digest", "basis", "node", "requests", "tokens", box=None)
    for one in document["deployments"]:
        used = one["usage"]
        digest = one["digest"].removeprefix("sha256:")[:16] + "…" if one["digest"] else "unknown"
        basis = one["basis"] if one["digest"] else "-"
        tokens = used["prompt_tokens"] + used["completion_tokens"]
        table.add_row(
            one["name"], one["state"], one["protocol"], one["model"], digest, basis, one["node"] or "elsewhere",
            str(used["requests"]), str(tokens),
        )  # fmt: skip
    console.print(table)


@deploy_app.command()
def stop(
    name: Annotated[str, typer.Argument(help="The deployment's name; see `ringfence deploy list`.")],
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """End a deployment: callers are refused from now on."""
    from ringfence.frontends.client import connect

    with connect() as client:
        document = dict(client.post(f"{API}/{name}/stop"))
    output(document, lambda console: console.print(f"{name} is stopped; callers are refused."), as_json)
