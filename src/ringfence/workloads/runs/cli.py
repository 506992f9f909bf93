"""`ringfence run`: a traced command, here or on a node."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, say

if TYPE_CHECKING:
    from rich.console import Console

    from ringfence.settings import Settings
    from ringfence.workloads.runs.running import Bench, Host, Ran

NODES = "/api/v1/nodes"
RUNTIME_CLASS = "namespace"  # the class whose nodes can be shown this Python
FREE = 100  # per cent of one core


def run(
    command: Annotated[list[str], typer.Argument(metavar="CMD", help="The command and its words, after `--`.")],
    node: Annotated[str, typer.Option(help="Run on this node, which is ready already.")] = "",
    node_class: Annotated[
        str, typer.Option("--class", help="Run on a new node of this class, stopped at the end.")
    ] = "",
    dataset: Annotated[
        list[str] | None, typer.Option(metavar="NAME[@EPOCH]", help="An input, decrypted into memory only; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where outputs go: a folder that is empty or absent.")] = None,
    seed: Annotated[int, typer.Option(help="RINGFENCE_SEED and PYTHONHASHSEED of the command.")] = 0,
    env: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable; its name is recorded; repeatable.")
    ] = None,
    code: Annotated[
        list[str] | None, typer.Option(help="A file of the code, instead of the git repository here; repeatable.")
    ] = None,
    base: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="A model that the run starts from; repeatable.")
    ] = None,
    privacy: Annotated[
        Path | None, typer.Option(help="A JSON file of claims about privacy, read when the command has ended.")
    ] = None,
    no_diff: Annotated[bool, typer.Option("--no-diff", help="Do not keep the text of uncommitted changes.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Run a command with sealed inputs in memory, and state what went in and what came out.

    The command finds its inputs below $RINGFENCE_INPUTS/NAME and leaves its outputs in $RINGFENCE_OUTPUTS. It ends
    with 1 where the command fails or is interrupted; that is recorded too.
    """
    from ringfence.kernel.errors import UsageError
    from ringfence.settings import Settings
    from ringfence.workloads.runs import model, running

    if node and node_class:
        raise UsageError("name a node with --node, or a class with --class, not both")
    order = model.order(
        command, datasets=dataset or [], seed=seed, environment=env or [], code=code or [], bases=base or []
    )
    if order.bases and (node or node_class):
        raise UsageError(running.NOT_SENT)
    desk = _Desk(Settings.from_environment())
    with desk.place(node, node_class) as host:
        import os
        from dataclasses import replace

        setting = running.Setting(
            Path.cwd(), out.absolute() if out else None, dict(os.environ), as_json, diff=not no_diff
        )
        setting = replace(setting, privacy=privacy.absolute() if privacy else None)
        bench = desk.bench()
        ran = running.run_there(bench, order, setting, host) if host else running.run_here(bench, order, setting)
        document = desk.state(ran, setting.out)  # before the node is stopped, which may fail
    for note in ran.notes:
        say(note)
    output(document, lambda console: _told(console, document), as_json)
    if document["outcome"] != model.Outcome.COMPLETED:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a run asks of the API; no connection is held while the command runs."""

    settings: "Settings"

    def bench(self) -> "Bench":
        import secrets

        from ringfence.artifacts.blobs import Home
        from ringfence.artifacts.filesystem import ConnectedAccess
        from ringfence.artifacts.keyring import at_home
        from ringfence.installation import SystemClock
        from ringfence.workloads.runs.inputs import Sources
        from ringfence.workloads.runs.running import Bench

        home = self.settings.home
        sources = Sources(ConnectedAccess(self.settings), Home(home), lambda: at_home(home, self.settings.passphrase()))
        return Bench(sources, SystemClock(), secrets.token_bytes)

    @contextmanager
    def place(self, node: str, node_class: str) -> "Iterator[Host | None]":
        """Give the node of the run, started for it where a class is named, None where it is here."""
        import secrets

        from ringfence.kernel.errors import RingfenceError

        if node_class:
            name = f"run-{secrets.token_hex(4)}"
            try:
                host = _host(self._start(name, node_class))
            except BaseException:  # an interrupt too
                with suppress(RingfenceError):  # why it did not start is what is told
                    self._ask("POST", f"{NODES}/{name}/stop")
                raise
            try:
                yield host
            finally:
                self._ask("POST", f"{NODES}/{name}/stop")
        else:
            yield _host(self._ask("GET", f"{NODES}/{node}")) if node else None

    def _start(self, name: str, node_class: str) -> dict[str, Any]:
        from ringfence.kernel.errors import Unavailable

        runtime = node_class == RUNTIME_CLASS
        body = {"name": name, "class": node_class, "cpus_percent": FREE, "runtime": runtime, "wait": True}
        started = self._ask("POST", NODES, body)
        if started["state"] != "ready":
            raise Unavailable(f"no node for the run: {started['because'] or started['state']}")
        return started

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        from ringfence.frontends.client import connect

        with connect(self.settings) as client:
            return dict(client.get(path) if method == "GET" else client.post(path, body))

    def state(self, ran: "Ran", out: Path | None) -> dict[str, Any]:
        """Post the statement, and write the provenance beside the outputs; return what is shown."""
        import secrets

        import ringfence
        from ringfence.frontends.client import connect
        from ringfence.kernel.digest import Digest
        from ringfence.storage.files import write_whole
        from ringfence.workloads.runs import manifest, provenance
        from ringfence.workloads.runs.api import PATH
        from ringfence.workloads.runs.running import provenance_beside

        trace, document = ran.trace, manifest.shown(ran.trace)
        with connect(self.settings) as client:
            answer = client.state(manifest.draft(trace, secrets.token_bytes(32)), path=PATH)
            document["statement"] = answer["statement"]
            if out is not None and trace.outputs.files:
                signer = client.signer()
                envelope = Digest.parse(answer["statement"]["envelope"])
                said = provenance.statement(trace, runner=signer.key, version=ringfence.__version__, envelope=envelope)
                data = provenance.signed(said, runner=signer.key, sign=signer.private.sign)
                write_whole(provenance_beside(out), data)
                document["provenance"] = str(provenance_beside(out))
        return document


def _host(document: dict[str, Any]) -> "Host":
    import os

    from ringfence.kernel.errors import Unavailable
    from ringfence.workloads.runs.model import Place
    from ringfence.workloads.runs.remote import FALLBACK, RUNTIME, VerbShell
    from ringfence.workloads.runs.running import Host

    if document["state"] != "ready" or document["containment"] != "none":
        raise Unavailable(f"{document['name']} is {document['state']} and cannot take a run; see `ringfence node show`")
    place = Place(document["node"], document["class"], document["isolation"])
    python = RUNTIME if document.get("runtime") else FALLBACK
    return Host(place, VerbShell(document["name"], dict(os.environ)), python)


def _told(console: "Console", document: dict[str, Any]) -> None:
    end = f"signal {document['signal']}" if document["signal"] else f"exit code {document['exit_code']}"
    console.print(f"Run {document['run']} {document['outcome']} ({end}), {document['milliseconds']} ms.")
    for given in document["inputs"]:
        console.print(f"input       {given['name']}, epoch {given['epoch']}, in memory ({document['input_place']})")
    for base in document["bases"]:
        changed = ", CHANGED while it ran" if document["base_changed"] else ""
        console.print(f"base        {base['path']}, {base['files']} files, {base['digest']}{changed}")
    for claim in document["privacy"]:
        said = f"epsilon {claim['epsilon']}, delta {claim['delta']} per {claim['unit']}, by {claim['accountant']}"
        console.print(f"privacy     claimed: {said}; not stated: {', '.join(claim['not_stated']) or 'nothing'}")
    console.print(f"code        {document['code']}")
    console.print(f"outputs     {len(document['outputs'])} files, {document['output_bytes']} bytes")
    if document["outputs_skipped"]:
        console.print(f"left out    {document['outputs_skipped']}: no plain files, or too many, or not asked for")
    if document["provenance"]:
        console.print(f"provenance  {document['provenance']}")
    console.print(f"statement   {document['statement']['stage']}, {document['statement']['envelope']}")
