"""`ringfence practice`: a practice ground beside the running installation, and two attacks in it."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.frontends.terminal import Json, output, say

if TYPE_CHECKING:
    from rich.console import Console

PATH = "/api/v1/practice"

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Practise an incident in a demo installation beside this one; nothing of it enters this one's log.",
)


@app.command()
def start(as_json: Json = False) -> None:  # noqa: FBT002
    """Start the practice beside the running installation; print a link that opens one session there."""
    _asked("", lambda document: f"open {document['link']}", as_json=as_json)


@app.command()
def stop(as_json: Json = False) -> None:  # noqa: FBT002
    """End the practice with its nodes; its log stays."""
    _asked("/stop", lambda document: "it is ended" if document["ran"] else "no practice runs", as_json=as_json)


@app.command()
def remove(as_json: Json = False) -> None:  # noqa: FBT002
    """End the practice and remove its folder."""
    gone = "it is gone, with its log and its keys"
    _asked("/remove", lambda document: gone if document["removed"] else "there is no practice", as_json=as_json)


@app.command()
def attack(
    which: Annotated[str, typer.Argument(help="guesses: failed guesses at a node; leaked: a password works.")],
    until_eof: Annotated[bool, typer.Option("--until-eof", hidden=True)] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Play an attack on a node of the practice; what it means is decided by you, in its incident room."""
    from ringfence.frontends import in_process
    from ringfence.kernel.errors import UsageError
    from ringfence.tour import rehearsal
    from ringfence.workloads.practice.playing import Attack

    if which not in set(Attack):
        raise UsageError(f"an attack is one of {', '.join(Attack)}")
    if until_eof:  # the console started this, and does not outlive it
        rehearsal.end_with_parent()
    home = _ground()
    document = rehearsal.attack(home, Attack(which), in_process.run_verb, say)
    output(document, lambda console: _tell(console, home, document), as_json)


@app.command(hidden=True)
def serve() -> None:
    """Serve the practice ground that RINGFENCE_HOME names, until standard input closes; `up` starts this."""
    from ringfence.app import open_services
    from ringfence.frontends.listening import listen
    from ringfence.kernel.errors import Unavailable
    from ringfence.settings import LOOPBACK, Settings
    from ringfence.tour import rehearsal
    from ringfence.verbs import serve as serve_services
    from ringfence.workloads.practice import ground
    from ringfence.workloads.practice.clearing import clear

    home = Settings.from_environment().home
    rehearsal.end_with_parent()
    rehearsal.ready(home)
    try:
        door = listen(LOOPBACK, ground.port_of(home))
    except Unavailable:
        door = listen(LOOPBACK, 0)
    port = door.getsockname()[1]
    ground.keep_port(home, port)
    os.environ["RINGFENCE_CONSOLE_URL"] = ground.address(port)
    try:
        with open_services(Settings(home)) as services:
            serve_services(services, door=door, gateway_port=0)
    finally:
        clear(home)


def _ground() -> Path:
    """Return the home of the practice: this one, or the one below it."""
    from ringfence.settings import Settings
    from ringfence.workloads.practice import ground

    home = Settings.from_environment().home
    return home / ground.FOLDER if (home / ground.FOLDER).exists() else home


def _asked(path: str, said: Callable[[dict[str, Any]], str], *, as_json: bool) -> None:
    from ringfence.frontends.client import connect

    with connect() as client:
        document = client.post(f"{PATH}{path}")
    output(document, lambda console: console.print(said(document)), as_json)


def _tell(console: "Console", home: Path, document: dict[str, Any]) -> None:
    console.print(f"{document['node']}: {document['facts']['done']}")
    shown = f"RINGFENCE_HOME={shlex.quote(str(home))} ringfence incident show {document['incident']}"
    console.print(f"Now it is yours: {shown}")
